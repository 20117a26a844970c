"""The bounds of the gateway's disk buffer."""

from __future__ import annotations

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Size


class BufferConfig(Section):
    """The disk buffer between the devices and the platform."""

    max_size: Size = key(1_000_000_000, "Bound on disk; beyond it the oldest samples go, counted.", unit="B", gt=0)
    max_age: Duration | None = key(None, "Samples older than this go, counted; none: kept.", unit="s")
    fsync: Duration = key(
        1.0, "How often written samples are forced to the disk; a power cut loses at most this.", unit="s"
    )
