"""Every error of the API as application/problem+json (RFC 9457) with a hint for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lineshaft.errors import (
    AccessDenied,
    ConfigError,
    ConnectionFailed,
    DataError,
    LineshaftError,
    PeerTimeout,
    RetryableError,
    StoreUnavailable,
    Unsupported,
)
from lineshaft.hub.configuration import Conflict
from lineshaft.hub.requests import GatewayFailed, GatewayRefused
from lineshaft.hub.security.identity import TooManyAttempts

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What is wrong (RFC 9457)."""

    type: str = Field(description="stable name of the kind of problem")
    title: str = Field(description="the kind of problem in words")
    status: int = Field(description="the HTTP status")
    detail: str = Field("", description="what is wrong here")
    hint: str = Field("", description="what a person can do")


_STATUS: tuple[tuple[type[LineshaftError], int, str], ...] = (
    (TooManyAttempts, 429, "Too many attempts"),
    (AccessDenied, 403, "Not allowed"),
    (Conflict, 409, "It has changed since"),
    (GatewayRefused, 409, "The gateway refused"),
    (GatewayFailed, 502, "The gateway could not do it"),
    (Unsupported, 404, "Not available here"),
    (DataError, 422, "The input cannot be used"),
    (ConfigError, 422, "The input cannot be used"),
    (StoreUnavailable, 503, "The store does not answer"),
    (ConnectionFailed, 502, "A peer cannot be reached"),
    (PeerTimeout, 504, "A peer did not answer"),
    (RetryableError, 503, "Not possible now"),
    (LineshaftError, 500, "Internal error"),
)


class NotFound(LineshaftError):
    """What was asked for does not exist."""


def problem(
    status: int, title: str, detail: str = "", hint: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """A problem as a response; `more` are additional members."""
    kind = title.lower().replace(" ", "-")
    body = {"type": f"urn:lineshaft:problem:{kind}", "title": title, "status": status, "detail": detail, "hint": hint}
    text = json.dumps(body | more, default=str)
    return Response(text, status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_error(error: LineshaftError) -> Response:
    """The response for one of our own errors."""
    if isinstance(error, NotFound):
        return problem(404, "Not found", str(error), error.hint)
    status, title = next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))
    headers = {}
    if isinstance(error, TooManyAttempts):
        headers["retry-after"] = str(max(1, round(error.seconds)))
    elif status == 503:
        headers["retry-after"] = "2"
    more = {}
    if isinstance(error, ConfigError) and error.problems:
        more["problems"] = [asdict(one) for one in error.problems]
    return problem(status, title, str(error.args[0]) if more else str(error), error.hint, headers, **more)


def install(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""

    @app.exception_handler(LineshaftError)
    async def own(_: Request, error: LineshaftError) -> Response:
        return of_error(error)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        title = HTTPStatus(error.status_code).phrase
        detail = "" if error.detail == title else str(error.detail)
        return problem(error.status_code, title, detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, error: RequestValidationError) -> Response:
        errors = [
            {"where": ".".join(str(part) for part in one["loc"]), "message": one["msg"]} for one in error.errors()
        ]
        detail = "; ".join(f"{one['where']}: {one['message']}" for one in errors)
        return problem(422, "The input cannot be used", detail, errors=errors)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("api.failed", path=request.url.path, method=request.method, exc_info=error)
        return problem(500, "Internal error", "the hub made a mistake; its log says more")
