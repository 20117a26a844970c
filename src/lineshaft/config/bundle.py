"""A plant folder as one thing: its files by name, a digest that names the whole, and the way to disk and back."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError, Problem

Bundle: TypeAlias = Mapping[str, str]
"""Name relative to the plant folder, with / -> text: the YAML files of the folder and of its profiles."""

MAX_FILES: Final = 500
MAX_BYTES: Final = 16 << 20
_NAME: Final = re.compile(r"(profiles/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml")
_SHAPE: Final = "name.yaml or profiles/name.yaml of letters, digits, '.', '_' and '-'"


@dataclass(frozen=True, slots=True)
class FileChange:
    """How one file differs between two bundles: lines of a unified diff, without the names of the files."""

    name: str
    added: int
    removed: int
    lines: tuple[str, ...]


def read_bundle(folder: Path) -> dict[str, str]:
    """The files of a plant folder. Raises ConfigError when one cannot be read."""
    found = {}
    for path in sorted((*folder.glob("*.y*ml"), *folder.glob("profiles/*.y*ml"))):
        name = path.relative_to(folder).as_posix()
        if not _NAME.fullmatch(name) or not path.is_file():
            continue
        try:
            found[name] = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name} cannot be read: {error}") from error
    return found


def digest(files: Bundle) -> str:
    """SHA-256 over names and texts, 64 hex digits; the same for the same folder whatever its order."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            data = part.encode()
            total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def refuse_odd(files: Bundle) -> None:
    """Raise ConfigError for names that could lead out of the folder, and for a bundle that is too large."""
    problems = [
        Problem(name, 0, "file", name, "cannot be the name of a plant file", _SHAPE)
        for name in files
        if not _NAME.fullmatch(name)
    ]
    if len(files) > MAX_FILES:
        problems.append(Problem("", 0, "files", str(len(files)), "too many files", f"at most {MAX_FILES}"))
    size = sum(len(text.encode()) for text in files.values())
    if size > MAX_BYTES:
        problems.append(Problem("", 0, "files", f"{size:,} bytes", "too large", f"at most {MAX_BYTES:,} bytes"))
    if problems:
        raise ConfigError("this is no plant folder", problems)


def write_bundle(folder: Path, files: Bundle) -> None:
    """Make the YAML files of `folder` those of the bundle: each replaced whole, others of the kind removed.

    Raises OSError. Files of other kinds stay.
    """
    (folder / "profiles").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        data = text.encode()
        if path.is_file() and path.read_bytes() == data:
            continue
        draft = path.with_name(f".{path.name}.new")
        draft.write_bytes(data)
        draft.replace(path)
    for path in (*folder.glob("*.y*ml"), *folder.glob("profiles/*.y*ml")):
        name = path.relative_to(folder).as_posix()
        if name not in files and _NAME.fullmatch(name):
            path.unlink()


def check_bundle(files: Bundle, load: Callable[[Path], Plant], place: Path) -> Plant:
    """The plant of a bundle, written to the folder `place` for the moment of the check.

    Raises ConfigError with every problem, in the names of the bundle, and OSError when `place` cannot be written.
    """
    refuse_odd(files)
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(parents=True, mode=0o700)
        write_bundle(place, files)
        return load(place)
    except ConfigError as error:
        raise _in_place(error, place) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _in_place(error: ConfigError, place: Path) -> ConfigError:
    """The same problems, with the names of the files as people know them."""
    prefix = f"{place}{os.sep}"
    problems = [
        replace(problem, file=problem.file.removeprefix(prefix).replace(os.sep, "/")) for problem in error.problems
    ]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    words = f"the configuration has {count}" if problems else str(error.args[0]).replace(prefix, "")
    return ConfigError(words, problems, hint=error.hint)


def difference(old: Bundle, new: Bundle) -> tuple[FileChange, ...]:
    """What changed from `old` to `new`, by file; files that are the same are left out."""
    changes = []
    for name in sorted({*old, *new}):
        before, after = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        if old.get(name) == new.get(name):
            continue
        lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
        added = sum(line.startswith("+") for line in lines)
        removed = sum(line.startswith("-") for line in lines)
        changes.append(FileChange(name, added, removed, tuple(lines)))
    return tuple(changes)
