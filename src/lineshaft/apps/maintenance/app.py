"""Maintenance as an app: its routes, and what follows events and bursts beside the API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from lineshaft.apps.base import App, AppContext
from lineshaft.apps.maintenance import sensor_setup
from lineshaft.apps.maintenance.case_routes import router as case_router
from lineshaft.apps.maintenance.diagnoser import Diagnoser
from lineshaft.apps.maintenance.health_routes import router as health_router
from lineshaft.apps.maintenance.parts import Maintenance
from lineshaft.apps.maintenance.recorder import Recorder
from lineshaft.apps.maintenance.routes import router
from lineshaft.apps.maintenance.store import CaseStore
from lineshaft.hub.api.services import Services

EVERY_S: Final = 1.0
_PAUSE_S: Final = 10.0  # after a failure
log = structlog.get_logger(__name__)


def make(services: Services) -> Maintenance:
    """Put the parts together; nothing runs yet."""
    store = CaseStore(services.state.database)

    def told(assets: Sequence[str]) -> None:
        services.stream.changed("maintenance", assets)

    recorder = Recorder(store, services.state, services.historian, services.clock, told)
    return Maintenance(store, recorder, Diagnoser(store, services.state, services.historian, services.clock))


@asynccontextmanager
async def start(context: AppContext) -> AsyncIterator[Maintenance]:
    """Follow events and bursts while the hub runs."""
    maintenance = make(context.services)
    context.listen(maintenance.diagnoser.committed)
    task = asyncio.create_task(follow(maintenance), name="maintenance")
    try:
        yield maintenance
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def follow(maintenance: Maintenance) -> None:
    """Until it is cancelled. What fails is tried again: marks say how far everything was worked in."""
    failing = False
    while True:
        busy = False
        try:
            busy = await asyncio.to_thread(maintenance.diagnoser.step)
            busy |= bool(await asyncio.to_thread(maintenance.recorder.step))
        except Exception as error:  # the boundary of the app: the hub goes on
            if not failing:
                log.error("maintenance.later", error=str(error), kind=type(error).__name__, exc_info=True)
            failing = True
            await asyncio.sleep(_PAUSE_S)
            continue
        if failing:
            log.info("maintenance.goes_on")
        failing = False
        await asyncio.sleep(0.05 if busy else EVERY_S)


MAINTENANCE = App("maintenance", "Maintenance", (router, case_router, health_router, sensor_setup.router), start)
