"""OEE as an app: its routes, and the recorder that runs beside the API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from lineshaft.apps.base import App, AppContext
from lineshaft.apps.oee.figures import OeeFigures
from lineshaft.apps.oee.floor import router as floor
from lineshaft.apps.oee.order_routes import router as order_router
from lineshaft.apps.oee.parts import Oee
from lineshaft.apps.oee.proposals import Proposals
from lineshaft.apps.oee.recorder import Recorder
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.routes import router
from lineshaft.apps.oee.setup import make_setup
from lineshaft.apps.oee.store import OeeStore


def make(context: AppContext) -> Oee:
    """Put the parts together; nothing runs yet."""
    services = context.services
    setup = make_setup(context.plant)
    store = OeeStore(services.state.database)

    def told(machines: Sequence[str]) -> None:
        services.stream.changed("oee", machines)

    recorder = Recorder(
        setup, store, services.historian, services.state.catalogue, services.stream, services.clock, told
    )
    reports = Reports(setup, store)
    services.assets.offer(OeeFigures(reports))
    return Oee(setup, store, reports, recorder, Proposals(reports, services.state.events), services.clock)


@asynccontextmanager
async def start(context: AppContext) -> AsyncIterator[Oee]:
    """Follow the historian while the hub runs."""
    oee = await asyncio.to_thread(make, context)
    if not oee.setup.machines:
        yield oee
        return
    context.listen(oee.recorder.committed)
    task = asyncio.create_task(oee.recorder.run(), name="oee-recorder")
    try:
        yield oee
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


OEE = App("oee", "OEE", (router, order_router, floor), start)
