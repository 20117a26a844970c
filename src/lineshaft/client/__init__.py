"""Python client of the hub's HTTP API: history, latest values and events as pandas DataFrames."""

from lineshaft.client.client import Client

__all__ = ["Client"]
