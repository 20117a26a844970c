"""Tests of the simulated factory."""
