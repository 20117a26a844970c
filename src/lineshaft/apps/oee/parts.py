"""What the OEE routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lineshaft.apps.oee.calendars import Calendars
from lineshaft.apps.oee.deliveries import Outbox
from lineshaft.apps.oee.handover import Handovers
from lineshaft.apps.oee.proposals import Proposals
from lineshaft.apps.oee.recorder import Recorder
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.sending import Sender
from lineshaft.apps.oee.setup import OeeSetup
from lineshaft.apps.oee.store import OeeStore
from lineshaft.apps.oee.targets import Targets
from lineshaft.clock import Clock


@dataclass(frozen=True)
class Oee:
    """The running app."""

    setup: OeeSetup
    store: OeeStore
    reports: Reports
    recorder: Recorder
    proposals: Proposals
    handovers: Handovers
    clock: Clock
    outbox: Outbox
    sender: Sender
    calendars: Calendars
    targets: Targets = field(default_factory=Targets)
    plant: str = ""  # its name
    add_file: Callable[[str, str], None] | None = None  # a new file of the plant folder, which counts at once
    wake: Callable[[], None] = lambda: None  # look for what is to be sent now


async def oee_of(connection: HTTPConnection) -> Oee:
    """The running app, as a dependency of a route."""
    found: Oee = connection.app.state.apps["oee"]
    return found


Parts = Annotated[Oee, Depends(oee_of)]
