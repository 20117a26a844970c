"""Finds the plant folder that a command line names, and loads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import lineshaft
from lineshaft.config.bundle import digest, read_bundle
from lineshaft.config.load import load_plant
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError
from lineshaft.server import moves
from lineshaft.server.folder import DataFolder, data_folder
from lineshaft.server.places import put_in_place


def plants_folder() -> Path | None:
    """The plants that come with Lineshaft: inside of the package, or beside src/ in a checkout."""
    package = Path(lineshaft.__file__).parent
    for folder in (package / "plants", package.parent.parent / "plants"):
        if folder.is_dir():
            return folder
    return None


def find_plant(text: str) -> Path:
    """A folder by its path, or by its name one of the plants that come with Lineshaft.

    Raises ConfigError when there is none.
    """
    folder = Path(text).expanduser()
    if folder.exists():
        return folder
    place = plants_folder()
    if place is not None and (place / text).is_dir() and Path(text).name == text:
        return place / text
    known = sorted(item.name for item in place.iterdir() if item.is_dir()) if place is not None else []
    hint = f"give the path of a folder, or one of: {', '.join(known)}" if known else "give the path of a folder"
    raise ConfigError(f"there is no plant folder '{text}'", hint=hint)


def own_copy(folder: Path, data: Path) -> Path:
    """A copy of a plant that comes along, in the data folder, so that it can be changed; other folders as they are.

    A copy that nobody has changed is made anew when the plant that comes along has.
    """
    home = plants_folder()
    if home is None or folder.resolve().parent != home.resolve():
        return folder
    copy, mark = data / "plant", data / "plant.origin"
    origin = mark.read_text(encoding="ascii") if mark.is_file() else ""
    wanted = digest(read_bundle(folder))
    if copy.is_dir() and (origin == wanted or digest(read_bundle(copy)) != origin):
        return copy
    shutil.rmtree(copy, ignore_errors=True)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(folder, copy)
    mark.write_text(wanted, encoding="ascii")
    return copy


def load(text: str) -> tuple[Path, Plant]:
    """The folder and its plant. Raises ConfigError with every problem."""
    folder = find_plant(text)
    return folder, load_plant(folder, DRIVERS)


def load_running(text: str, data: Path | None) -> tuple[Plant, DataFolder]:
    """The plant on the ports that its running parts use, and its data folder. Raises ConfigError."""
    folder, plant = load(text)
    place = data_folder(plant, data)
    return put_in_place(moves.move(plant, moves.moves_of(place)), folder, place.root), place
