"""`lineshaft check`: every mistake of a plant folder at once, without connecting to anything."""

from __future__ import annotations

from dataclasses import asdict

from lineshaft.commands import output
from lineshaft.commands.plants import load
from lineshaft.config.models import EquipmentConfig, Plant
from lineshaft.errors import ConfigError
from lineshaft.hub.operators.plan import plan_operators


def run(plant: str, *, as_json: bool) -> int:
    """Print the problems, or one line of what the plant has; returns the exit code."""
    try:
        folder, loaded = load(plant)
        plan_operators(loaded)
    except ConfigError as error:
        if not as_json:
            raise
        problems = [asdict(problem) for problem in error.problems]
        output.print_json({"ok": False, "message": str(error.args[0]), "hint": error.hint, "problems": problems})
        return output.ExitCode.USAGE
    figures = summary(loaded)
    if as_json:
        output.print_json({"ok": True, "plant": str(folder), **figures})
    else:
        words = ", ".join(f"{count} {what}" for what, count in figures.items())
        output.out().print(f"[green]ok[/]  {folder}: {words}")
    return output.ExitCode.OK


def summary(plant: Plant) -> dict[str, int]:
    """How many of each thing the plant has."""
    return {
        "equipment": sum(_count(node) for node in plant.equipment),
        "devices": len(plant.devices),
        "signals": sum(len(device.signals) for device in plant.devices),
        "calendars": len(plant.calendars),
        "operators": len(plant.operators),
    }


def _count(node: EquipmentConfig) -> int:
    return 1 + sum(_count(child) for child in node.children)
