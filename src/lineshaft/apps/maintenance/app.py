"""Maintenance as an app: its routes; what it judges is computed when somebody asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lineshaft.apps.base import App, AppContext
from lineshaft.apps.maintenance.routes import router


@asynccontextmanager
async def start(context: AppContext) -> AsyncIterator[None]:
    """Nothing runs beside the API: cases are told by the events of the health operator."""
    del context
    yield


MAINTENANCE = App("maintenance", "Maintenance", (router,), start)
