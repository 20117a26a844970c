"""OEE as an app: its routes, and the recorder that runs beside the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from lineshaft.apps.base import App, AppContext
from lineshaft.apps.oee.calendar_routes import router as calendar_router
from lineshaft.apps.oee.calendar_store import CalendarStore
from lineshaft.apps.oee.calendars import Calendars
from lineshaft.apps.oee.closing import Closing
from lineshaft.apps.oee.deliveries import Outbox
from lineshaft.apps.oee.figures import OeeFigures, uses_of
from lineshaft.apps.oee.floor import router as floor
from lineshaft.apps.oee.guess_routes import router as guess_router
from lineshaft.apps.oee.handover import Handovers
from lineshaft.apps.oee.order_routes import router as order_router
from lineshaft.apps.oee.parts import Oee
from lineshaft.apps.oee.planned_runs import OrderPlans
from lineshaft.apps.oee.proposals import Proposals
from lineshaft.apps.oee.recorder import Recorder
from lineshaft.apps.oee.report_routes import router as report_router
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.routes import router
from lineshaft.apps.oee.sending import Sender
from lineshaft.apps.oee.setup import facts_of, make_setup
from lineshaft.apps.oee.store import OeeStore
from lineshaft.apps.oee.targets import Targets
from lineshaft.config.models import Plant


def make(context: AppContext) -> Oee:
    """Put the parts together; nothing runs yet."""
    services = context.services
    setup = make_setup(context.plant)
    store = OeeStore(services.state.database, context.plant.oee.minor_stops)

    def told(machines: Sequence[str]) -> None:
        services.stream.changed("oee", machines)

    recorder = Recorder(
        setup, store, services.historian, services.state.catalogue, services.stream, services.clock, told
    )
    reports, outbox, targets = Reports(setup, store), Outbox(services.state.database), Targets()
    targets.take(context.plant)
    services.assets.offer(OeeFigures(reports))
    services.plans.offer(OrderPlans(reports))
    services.uses.offer(lambda path: uses_of(setup, path))
    root = f"{context.plant.plant.enterprise}/{context.plant.plant.site}"
    closing = Closing(reports, outbox, targets, root, context.plant.plant.name)
    sender = Sender(
        outbox, closing, targets, context.plant.hub.mail, context.folder, services.clock,
        lambda: services.stream.changed("oee", [root]),
    )  # fmt: skip
    calendars = Calendars(setup, CalendarStore(services.state.database), recorder, services.plant.calendar)
    proposals = Proposals(reports, services.state.events)
    handovers = Handovers(reports, services.state.events, services.state.database)
    return Oee(
        setup, store, reports, recorder, proposals, handovers, services.clock, outbox, sender, calendars, targets,
        context.plant.plant.name, context.add_file,
    )  # fmt: skip


def take(oee: Oee, plant: Plant) -> None:
    """Let a changed plant folder count: machines, lines, products, reasons, calendars, and who is told of results."""
    facts = facts_of(plant)
    oee.targets.take(plant)
    oee.store.minor_stops = plant.oee.minor_stops
    oee.calendars.rebase(facts, oee.clock.now_us())


@asynccontextmanager
async def start(context: AppContext) -> AsyncIterator[Oee]:
    """Follow the historian while the hub runs, and send what has ended."""
    oee = await asyncio.to_thread(make, context)
    context.listen(oee.recorder.committed)
    loop = asyncio.get_running_loop()

    def wake() -> None:
        loop.call_soon_threadsafe(oee.sender.wake.set)

    oee = replace(oee, wake=wake)
    tasks = [
        asyncio.create_task(oee.recorder.run(), name="oee-recorder"),
        asyncio.create_task(oee.sender.run(), name="oee-sender"),
    ]
    try:
        yield oee
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


OEE = App("oee", "OEE", (router, order_router, report_router, guess_router, floor, calendar_router), start, take)
