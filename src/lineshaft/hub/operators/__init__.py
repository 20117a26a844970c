"""Operators at work: live in worker processes, and over history as backtests."""
