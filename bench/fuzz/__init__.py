"""Damaged messages for every decoder: `python -m bench.fuzz`, and a part of `make bench-gateway`."""
