"""Export and import of raw rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from lineshaft.errors import DataError
from lineshaft.hub.api import export as exporting
from lineshaft.hub.api import files
from lineshaft.hub.api.columns import ARROW, ids_of
from lineshaft.hub.api.importing import Progress, import_rows
from lineshaft.hub.api.models import Imported
from lineshaft.hub.api.problems import NotFound, problem
from lineshaft.hub.api.services import Parts, Services, needs
from lineshaft.hub.security.roles import Role

router = APIRouter(tags=["transfer"])

MOST_SIGNALS = 5000
LARGEST_IMPORT = 4 << 30  # bytes
IN_MEMORY = 16 << 20  # bytes of an import that are not put on disk


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in exporting.MEDIA_TYPES.values()}}},
)
def export(
    parts: Parts,
    signals: Annotated[str, Query(description="ids with commas between them")],
    start: Annotated[int, Query(description="UTC microseconds")],
    end: Annotated[int, Query(description="UTC microseconds, not included")],
    format: Annotated[exporting.Format, Query()] = "csv",  # noqa: A002 - the name in the contract
) -> Response:
    """Every raw row as a file, by signal and time: path, time (ISO 8601, UTC), value, unit, text, quality."""
    found = []
    for number in ids_of(signals, most=MOST_SIGNALS):
        one = parts.state.catalogue.by_id(number)
        if one is None:
            raise NotFound(f"there is no signal {number}")
        found.append(one)
    if not found:
        raise DataError("no signal asked for", hint="?signals=1,2")
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    pieces = exporting.pieces(parts.historian.rows([one.id for one in found], start, end), found, format)
    first = next(pieces, b"")
    second = next(pieces, b"")  # asks the historian, so that an error still becomes a status
    name = f"{found[0].born.signal.name}.{format}" if len(found) == 1 else f"lineshaft.{format}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    body: Iterator[bytes] = (piece for piece in chain((first, second), pieces) if piece)
    return StreamingResponse(body, media_type=exporting.MEDIA_TYPES[format], headers=headers)


@router.post(
    "/import",
    dependencies=[needs(Role.ENGINEER)],
    response_model=Imported,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in files.KINDS},
        }
    },
)
async def import_(request: Request, parts: Parts) -> Response | Imported:
    """Store rows (path, time, value, text, quality) of an Arrow stream, a Parquet file or CSV, as `content-type` says.

    A row that is stored already is not stored twice, whatever file, order or block it comes in.
    """
    kind = request.headers.get("content-type", ARROW).partition(";")[0].strip().lower() or ARROW
    if kind not in files.KINDS:
        return problem(415, "Unsupported", f"content-type {kind} cannot be imported; {', '.join(files.KINDS)} can")
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > LARGEST_IMPORT:
                return problem(413, "Too large", f"an import may have {LARGEST_IMPORT} bytes")
            await run_in_threadpool(file.write, piece)
        file.seek(0)
        done = await run_in_threadpool(_import, file, kind, parts)
    return Imported(
        rows=done.rows,
        stored=done.stored,
        repeated=done.repeated,
        signals=done.signals,
        new_signals=done.new_signals,
    )


def _import(file: IO[Any], kind: str, parts: Services) -> Progress:
    with files.opened(file, kind) as batches:
        return import_rows(batches, parts.historian, parts.state)
