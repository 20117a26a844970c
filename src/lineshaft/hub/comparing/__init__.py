"""Comparison of assets: who is compared, by what, over which time, and what differs at the best one."""
