"""What questions to the OEE routes have in common: path and range, and what is wrong with them in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from lineshaft.apps.oee.parts import Oee
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.errors import DataError
from lineshaft.hub.api.problems import NotFound

YEARS_US = 20 * 366 * 86_400_000_000
LONGEST_DETAIL_US = 32 * 86_400_000_000


Path = Annotated[str, Query(description="equipment path: machine, line, area or site; all when empty")]
Start = Annotated[int, Query(description="UTC microseconds; more than two days are taken in whole shifts")]
End = Annotated[int, Query(description="UTC microseconds, not included")]


def machine_of(oee: Oee, path: str) -> MachineSetup:
    """The machine with this path. Raises NotFound."""
    found = oee.setup.machines.get(path)
    if found is None:
        raise NotFound(f"{path} is no machine of OEE")
    return found


def known(oee: Oee, path: str) -> None:
    """Raises NotFound when no machine is at or below a path."""
    if path and not oee.setup.below(path):
        raise NotFound(f"no machine of OEE is at or below {path}")


def check(oee: Oee, path: str, start: int, end: int, longest: int = YEARS_US) -> None:
    """Raises NotFound or DataError in words for a path or range that makes no sense."""
    known(oee, path)
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    if end - start > longest:
        raise DataError(f"the range is longer than {longest // 86_400_000_000} days")
