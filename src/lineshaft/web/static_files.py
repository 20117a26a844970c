"""Serves the built page: hashed assets for ever, precompressed where the browser takes it, index.html for the rest."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

STATIC = Path(__file__).parent / "static"
ASSETS = "assets/"
"""The build puts files with a hash in their name here; they never change."""

ENCODINGS = ((".br", "br"), (".gz", "gzip"))

_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Lineshaft</title>
<h1>The page is not built</h1>
<p>The hub runs and its API answers, but this installation has no page. Build it with <code>make ui</code>,
or install Lineshaft from a wheel, which contains it.</p>
<p>The API is described at <a href="/api/docs">/api/docs</a>.</p></html>"""


def mount_page(app: FastAPI, folder: Path = STATIC) -> None:
    """Serve what `folder` holds for every path that the API does not have. Call it after all routers are in."""

    root = folder.resolve()

    def page(request: Request) -> Response:
        path = request.path_params["path"]
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404)
        file = (root / path).resolve()
        if path and file.is_relative_to(root) and file.is_file():
            return _file(file, path, request)
        # An id may hold a dot, so a browser that wants a page gets it; a script or an image that is missing does not.
        if "." in path.rpartition("/")[2] and "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404)
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={"cache-control": "no-store"})
        return _file(index, "index.html", request)

    app.add_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)


def _file(file: Path, path: str, request: Request) -> Response:
    headers = {"cache-control": "public, max-age=31536000, immutable" if path.startswith(ASSETS) else "no-cache"}
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if media_type == "application/javascript":
        media_type = "text/javascript"
    parts = [part.replace(" ", "") for part in request.headers.get("accept-encoding", "").split(",")]
    accepted = {part.partition(";")[0] for part in parts if not part.endswith((";q=0", ";q=0.0"))}
    for ending, encoding in ENCODINGS:
        packed = file.with_name(file.name + ending)
        if encoding in accepted and packed.is_file():
            headers |= {"content-encoding": encoding, "vary": "accept-encoding"}
            return FileResponse(packed, media_type=media_type, headers=headers)
    headers["vary"] = "accept-encoding"
    return FileResponse(file, media_type=media_type, headers=headers)
