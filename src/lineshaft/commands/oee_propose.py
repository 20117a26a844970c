"""`lineshaft oee propose`: the section `oee` for a plant that has none, guessed from its signals."""

from __future__ import annotations

from pathlib import Path

from lineshaft.apps.oee.detect import Seen, propose, section
from lineshaft.commands import output
from lineshaft.commands.plants import load
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.gateway.plan import make_plan
from lineshaft.model.equipment import Level, Signal

FILE = "oee.yaml"


def run(plant: str, *, write: bool) -> int:
    """Print the section, or write it into the plant folder; returns the exit code."""
    folder, loaded = load(plant)
    found = propose(seen_of(loaded), [one.asset for one in loaded.oee.machines])
    if not found:
        output.out().print("no other machine was found: nothing looks like a state, a part counter or the power of one")
        return output.ExitCode.OK
    text = section(found)
    if not write:
        print(text, end="")  # noqa: T201 - YAML as it is, to be piped into a file
        return output.ExitCode.OK
    _write(folder, loaded, text)
    perhaps = sum(one.sure == "perhaps" for one in found)
    output.out().print(f"{len(found)} machines written to {folder / FILE}; {perhaps} of them are guesses to look at")
    return output.ExitCode.OK


def _write(folder: Path, plant: Plant, text: str) -> None:
    target = folder / FILE
    if plant.oee.machines or target.exists():
        raise ConfigError(f"{folder} has a section oee already", hint="run it without --write and add what you want")
    target.write_text(text, encoding="utf-8")
    try:
        load(str(folder))
    except ConfigError:
        target.unlink()
        raise


def seen_of(plant: Plant) -> list[Seen]:
    """Assets of the plant folder with their signals; nothing is known of values."""
    plan = make_plan(plant)
    root = f"{plan.enterprise}/{plan.site}/"
    signals: dict[str, list[Signal]] = {}
    for one in plan.signals:
        signals.setdefault(one.signal.asset, []).append(one.signal)
    return [
        Seen(node.path.removeprefix(root), node.name, node.type, tuple(signals.get(node.path, ())))
        for node in plan.equipment
        if node.level is Level.ASSET and node.path in signals
    ]
