"""How much memory a test's doing keeps."""

from __future__ import annotations

import gc
import tracemalloc


def held() -> int:
    """Bytes that Python objects hold since `tracemalloc.start()`, without those that only wait to be collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
