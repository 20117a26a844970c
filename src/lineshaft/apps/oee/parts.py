"""What the OEE routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lineshaft.apps.oee.proposals import Proposals
from lineshaft.apps.oee.recorder import Recorder
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import OeeSetup
from lineshaft.apps.oee.store import OeeStore
from lineshaft.clock import Clock


@dataclass(frozen=True)
class Oee:
    """The running app."""

    setup: OeeSetup
    store: OeeStore
    reports: Reports
    recorder: Recorder
    proposals: Proposals
    clock: Clock
    finished: Callable[[str], None] = lambda order: None  # is told which order has ended


async def oee_of(connection: HTTPConnection) -> Oee:
    """The running app, as a dependency of a route."""
    found: Oee = connection.app.state.apps["oee"]
    return found


Parts = Annotated[Oee, Depends(oee_of)]
