"""Streaming analytics: one contract, run live by the hub and over history by a backtest."""
