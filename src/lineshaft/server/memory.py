"""Memory that is free but held for later, given back to the operating system."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

_TRIM: Final[Callable[[int], object] | None] = (
    getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
)


def trim() -> None:
    """Let glibc return free pages; elsewhere the allocator does that by itself. May take some milliseconds."""
    if _TRIM is not None:
        _TRIM(0)


def settle() -> None:
    """Called once a process has imported its libraries and read its plant: what that took for a while is given back."""
    gc.collect()
    trim()
