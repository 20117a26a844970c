"""What the routes of cases and health work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lineshaft.apps.maintenance.diagnoser import Diagnoser
from lineshaft.apps.maintenance.recorder import Recorder
from lineshaft.apps.maintenance.store import CaseStore


@dataclass(frozen=True)
class Maintenance:
    """The running app."""

    store: CaseStore
    recorder: Recorder
    diagnoser: Diagnoser


async def maintenance_of(connection: HTTPConnection) -> Maintenance:
    """The running app, as a dependency of a route."""
    found: Maintenance = connection.app.state.apps["maintenance"]
    return found


App = Annotated[Maintenance, Depends(maintenance_of)]
