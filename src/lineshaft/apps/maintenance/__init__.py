"""Maintenance: what vibration says about a machine, and the cases that its health opens."""
