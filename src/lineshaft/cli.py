"""The command line: declares the commands and their options; each imports its work when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import lineshaft
from lineshaft.errors import LineshaftError

app = typer.Typer(
    name="lineshaft",
    help="Open Industrial IoT platform: machine signal in, timely decision out.",
    epilog="Exit codes: 0 ok, 1 failure, 2 wrong usage or plant, 3 unreachable, 4 denied, 5 part not installed.",
    rich_markup_mode=None,  # plain help starts in half the time
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PlantArgument = Annotated[
    str, typer.Argument(metavar="PLANT", help="Plant folder, or the name of one that comes along.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lineshaft {lineshaft.__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show Python tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""
    if debug:
        os.environ["LINESHAFT_DEBUG"] = "1"  # child processes take it over


@app.command()
def check(plant: PlantArgument, json: JsonOption = False) -> None:
    """Check a plant folder: every mistake at once, with file and line. Connects to nothing."""
    from lineshaft.commands import check as command

    raise typer.Exit(command.run(plant, as_json=json))


@app.command()
def schema(
    reference: Annotated[
        Path | None, typer.Option(hidden=True, help="Write the reference pages into this folder.")
    ] = None,
) -> None:
    """Print the JSON Schema of plant files, for editors."""
    from lineshaft.commands import schema as command

    raise typer.Exit(command.run(reference))


def main() -> None:
    """Entry point of the command `lineshaft`."""
    try:
        app()
    except LineshaftError as error:
        if os.environ.get("LINESHAFT_DEBUG"):
            raise
        from lineshaft.commands.output import show_error

        sys.exit(show_error(error))
