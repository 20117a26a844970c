"""Arguments and options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PlantArgument = Annotated[
    str, typer.Argument(metavar="PLANT", help="Plant folder, or the name of one that comes along.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder; .lineshaft/<site> here when absent.")]
TokenOption = Annotated[str, typer.Option("--token", help="API token; else LINESHAFT_TOKEN or <data>/cli.token.")]
PortOption = Annotated[int | None, typer.Option("--port", help="Port of the page, in place of the plant's hub.port.")]
