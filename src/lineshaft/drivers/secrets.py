"""Passwords and tokens from files, so that they stand in no plant folder."""

from __future__ import annotations

from pathlib import Path

from lineshaft.errors import AccessDenied


def first_line(path: str) -> str:
    """The secret in a file. Raises AccessDenied when there is none."""
    try:
        found = Path(path).read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessDenied(f"the secret file cannot be read: {error}", hint="check the path and its rights") from error
    if not found:
        raise AccessDenied(f"the secret file {path} is empty", hint="its first line is the secret")
    return found
