"""Assembles the web application of the hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI

import lineshaft
from lineshaft.hub.api import problems
from lineshaft.hub.api.docs import router as docs
from lineshaft.hub.api.gate import COOKIE, OPEN, Gate
from lineshaft.hub.api.routers import (
    broker,
    catalogue,
    compare,
    connecting,
    explorer,
    faults,
    gateways,
    inbox,
    learning,
    live,
    operation,
    operators,
    overview,
    people,
    predictions,
    session,
    transfer,
    values,
    views,
    waveforms,
    writes,
)
from lineshaft.hub.api.services import Services
from lineshaft.hub.api.tags import Tags
from lineshaft.hub.configuration import Configurations
from lineshaft.hub.explorer.explorer import Explorer
from lineshaft.hub.security.identity import Identity
from lineshaft.hub.security.rate_limit import RateLimit
from lineshaft.hub.state.events import StoredEvent

PREFIX = "/api/v1"
ROUTERS = (
    session.router,
    operation.alive,
    people.users,
    people.tokens,
    people.screens,
    broker.router,
    views.router,
    catalogue.router,
    explorer.router,
    overview.router,
    compare.router,
    inbox.router,
    values.router,
    waveforms.router,
    transfer.router,
    operation.router,
    gateways.router,
    connecting.router,
    operators.router,
    predictions.router,
    learning.router,
    faults.router,
    writes.router,
    live.router,
)


def create_app(services: Services, more: Sequence[APIRouter] = ()) -> FastAPI:
    """The API over `services`. While it runs it listens to the state and passes changes on to open pages.

    more: routers of apps, which find their running part by the app's name in `app.state.apps`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.hash_limiter = CapacityLimiter(session.HASHES_AT_ONCE)
        services.stream.attach(asyncio.get_running_loop())
        care = asyncio.create_task(app.state.configurations.run(), name="configurations")
        yield
        care.cancel()
        await asyncio.gather(care, return_exceptions=True)
        services.stream.detach()

    app = FastAPI(
        title="Lineshaft",
        version=lineshaft.__version__,
        summary="Machine signals, their history and what happened. Times are UTC microseconds.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
        responses={"default": {"model": problems.Problem, "description": "what is wrong"}},
    )
    app.state.services = services
    app.state.configurations = Configurations(services.state, services.requests, services.clock)
    app.state.identity = Identity(services.state.accounts, services.state.screens, services.clock)
    app.state.explorer = Explorer(services.state.catalogue, services.stream, services.clock)
    problems.install(app)
    app.state.apps = {}
    for router in (*ROUTERS, *more):
        app.include_router(router, prefix=PREFIX)
    app.include_router(docs)
    app.add_middleware(Tags, prefix=PREFIX)
    app.add_middleware(Gate, identity=app.state.identity, limit=RateLimit(services.clock, services.rate_limit))
    _describe_credentials(app)
    _pass_on_changes(services)
    return app


def server_config(app: FastAPI, host: str, port: int, **more: Any) -> uvicorn.Config:
    """How uvicorn shall serve the app: no compression of small live frames, no access log, small messages."""
    options: dict[str, Any] = {
        "ws_per_message_deflate": False,
        "ws_max_size": 1 << 20,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_graceful_shutdown": 5,
    }
    return uvicorn.Config(app, host=host, port=port, **(options | more))


def _pass_on_changes(services: Services) -> None:
    def added(events: Sequence[StoredEvent]) -> None:
        services.stream.events(operation.event_view(one).model_dump(mode="json") for one in events)

    services.state.events.on_add(added)
    services.state.catalogue.on_change(services.stream.catalogue_changed)
    services.state.sources.on_change(services.stream.sources_changed)


def _describe_credentials(app: FastAPI) -> None:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        schema.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "an API token"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "set by POST /session"},
        }
        schema["security"] = [{"token": []}, {"session": []}]
        for method, path in OPEN:
            schema["paths"][path][method.lower()]["security"] = []
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
