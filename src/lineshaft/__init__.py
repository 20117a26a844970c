"""Lineshaft: from a machine's raw signal to a timely decision."""

__version__ = "0.1.0"
