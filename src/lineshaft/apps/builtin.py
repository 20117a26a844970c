"""The apps that come with Lineshaft, one line each."""

from __future__ import annotations

from lineshaft.apps.base import App
from lineshaft.apps.maintenance.app import MAINTENANCE
from lineshaft.apps.oee.app import OEE

APPS: tuple[App, ...] = (OEE, MAINTENANCE)
