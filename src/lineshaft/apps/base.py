"""What an app is to the server: routes, tables, and a part that runs beside the API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from lineshaft.config.models import Plant
from lineshaft.hub.api.services import Services
from lineshaft.model.samples import SampleBatch


@dataclass(frozen=True, slots=True)
class AppContext:
    """What the server hands to each app when the hub starts. All parts are open and stay open longer than the app."""

    plant: Plant
    services: Services
    listen: Callable[[Callable[[SampleBatch], None]], None]  # call this after each commit to the historian
    folder: Path = Path()  # the data folder: files with secrets are named relative to it
    add_file: Callable[[str, str], None] | None = None  # name and text of a new file of the plant folder, which counts


Running = AbstractAsyncContextManager[object]
"""Entered when the hub starts, left when it stops; what it gives is what the app's routes find by the app's name."""


@dataclass(frozen=True, slots=True)
class App:
    """One application. Its tables are in its `tables.py`, its page in ui/src/apps/<name>, its operators in
    operators/builtin.py; no app knows another, they meet in events and in the model."""

    name: str
    title: str
    routers: tuple[APIRouter, ...]
    start: Callable[[AppContext], Running]
    take: Callable[[Any, Plant], None] | None = None
    """Called with what runs and a plant folder that has changed: let it count. None: the app has nothing to take."""
