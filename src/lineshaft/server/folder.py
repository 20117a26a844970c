"""The data folder of one plant on one computer: where everything lies that a process keeps."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError

if sys.platform != "win32":
    import fcntl


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Names of what is in the data folder; making one of these touches nothing."""

    root: Path

    @property
    def logs(self) -> Path:
        """Log files, one per part."""
        return self.root / "logs"

    @property
    def imports(self) -> Path:
        """Arrow files that the hub takes in and removes."""
        return self.root / "import"

    @property
    def links(self) -> Path:
        """File with the address of the running hub."""
        return self.root / "hub.url"

    @property
    def moves(self) -> Path:
        """File with the ports that the running parts use in place of the plant's: one key=port a line."""
        return self.root / "ports.moved"

    def historian_dsn(self, plant: Plant) -> str:
        """Where samples are stored."""
        return plant.hub.historian or f"chdb://{(self.root / 'historian').absolute()}"

    def database_dsn(self, plant: Plant) -> str:
        """Where the state is stored."""
        return plant.hub.database or f"sqlite:///{(self.root / 'state.db').absolute()}"

    def prepare(self) -> None:
        """Make the folder, for its owner only. Raises ConfigError when that is not possible."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True)
            probe = self.root / ".write-test"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"the data folder {self.root} cannot be written: {error.strerror}",
                hint="give another one with --data, or give this user the right to write there",
            ) from error

    @contextmanager
    def lock(self, part: str) -> Iterator[None]:
        """Hold the folder for one part. Raises ConfigError when another process holds it."""
        path = self.root / f"{part}.lock"
        with path.open("a+", encoding="ascii") as file:
            if sys.platform != "win32":
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.seek(0)
                    owner = file.read().strip() or "unknown"
                    raise ConfigError(
                        f"the {part} of {self.root} runs already (process {owner})",
                        hint="end it first, or give another data folder with --data",
                    ) from None
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield


def data_folder(plant: Plant, given: Path | None) -> DataFolder:
    """The folder that was given; else .lineshaft/<site> here, or in the user's data when here is not writable."""
    if given is not None:
        return DataFolder(given.expanduser().absolute())
    here = Path.cwd()
    if (here / ".lineshaft").is_dir() or os.access(here, os.W_OK):
        return DataFolder(here / ".lineshaft" / plant.plant.site)
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return DataFolder(Path(home) / "lineshaft" / plant.plant.site)
