"""The API's own reference page, drawn from openapi.json without anything from other hosts."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse

router = APIRouter(prefix="/api/docs", include_in_schema=False)

_FILES = Path(__file__).parent / "reference"


@router.get("")
def page() -> FileResponse:
    """The page."""
    return FileResponse(_FILES / "index.html")


@router.get("/reference.js")
def script() -> FileResponse:
    """Draws the page."""
    return FileResponse(_FILES / "reference.js", media_type="text/javascript")


@router.get("/reference.css")
def style() -> FileResponse:
    """Its looks."""
    return FileResponse(_FILES / "reference.css")
