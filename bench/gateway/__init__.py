"""The benchmark of the edge gateway: `make bench-gateway`."""
