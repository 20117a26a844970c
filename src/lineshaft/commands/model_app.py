"""Declares `lineshaft model`; each command imports its work when it is called."""

from __future__ import annotations

from typing import Annotated

import typer

from lineshaft.commands.arguments import DataOption, JsonOption, PlantArgument, TokenOption

app = typer.Typer(help="Train models, put them on trial and to use, and see how good they were.", no_args_is_help=True)

VersionArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Name and version, like pumps-2.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the audit.")]


@app.command("list")
def list_models(
    plant: PlantArgument, token: TokenOption = "", data: DataOption = None, json: JsonOption = False
) -> None:
    """List versions with their ranges, errors on held-out time, and what came of them at work."""
    from lineshaft.commands import model

    raise typer.Exit(model.show(model.reach(plant, data, token), as_json=json))


@app.command()
def train(
    plant: PlantArgument,
    type_: Annotated[str, typer.Option("--type", help="Class of assets, like pump.")],
    features: Annotated[str, typer.Option("--features", help="Signals below the asset, like flow,motor/current.")],
    start: Annotated[str, typer.Option("--start", help="Learn from; like 2026-05-01 or 2026-05-01T06:00, local time.")],
    end: Annotated[str, typer.Option("--end", help="Learn up to, not included.")],
    held_end: Annotated[str, typer.Option("--held-end", help="Judge up to, not included.")],
    held_start: Annotated[str, typer.Option("--held-start", help="Judge from; the end of learning when absent.")] = "",
    operating: Annotated[str, typer.Option("--operating", help="Signals that say speed, load, product.")] = "",
    name: Annotated[str, typer.Option("--name", help="Of the model; the type when absent.")] = "",
    window: Annotated[str, typer.Option("--window", help="Signals are averaged over so long.")] = "10min",
    method: Annotated[str, typer.Option("--method", help="What decides: forecast or baseline.")] = "forecast",
    note: Annotated[str, typer.Option("--note", help="Kept with the version.")] = "",
    token: TokenOption = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Train a new version in the running hub, judge it on held-out time, and print its errors."""
    from lineshaft.commands import model

    wanted = model.Wanted(type_, features, operating, start, end, held_start, held_end, name, window, method, note)
    raise typer.Exit(model.train(model.reach(plant, data, token), wanted, as_json=json))


@app.command()
def promote(
    plant: PlantArgument,
    version: VersionArgument,
    why: WhyOption,
    token: TokenOption = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Put a draft on trial, or one that is on trial to use."""
    from lineshaft.commands import model

    raise typer.Exit(model.promote(model.reach(plant, data, token), version, why, as_json=json))


@app.command()
def retire(
    plant: PlantArgument,
    version: VersionArgument,
    why: WhyOption,
    token: TokenOption = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Take a version from work; its record stays."""
    from lineshaft.commands import model

    raise typer.Exit(model.move(model.reach(plant, data, token), version, "retired", why, as_json=json))
