"""A real broker and a Sparkplug host, as for the gateway's own tests."""

from __future__ import annotations

from tests.gateway.conftest import broker, folder, host

__all__ = ["broker", "folder", "host"]
