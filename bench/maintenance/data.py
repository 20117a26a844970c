"""Where the real recordings are; nothing of them is shipped."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def recordings(name: str) -> Path | None:
    """The folder of a recording (LINESHAFT_DATA, default ../shared/data); None where it is absent."""
    base = Path(os.environ.get("LINESHAFT_DATA") or ROOT.parent / "shared" / "data")
    folder = base / name
    return folder if folder.is_dir() else None
