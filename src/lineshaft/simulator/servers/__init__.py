"""Servers that offer the simulated machines over the real protocols."""
