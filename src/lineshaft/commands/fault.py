"""`lineshaft fault`: breaks the simulated factory and mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lineshaft.commands import output
from lineshaft.commands.client import Client, read_secret
from lineshaft.commands.plants import load_running
from lineshaft.config.problems import suggestion
from lineshaft.errors import ConfigError
from lineshaft.server.context import SIMULATOR_TOKEN


def client_for(plant: str, data: Path | None, port: int | None) -> Client:
    """The simulator of a plant on this computer. Raises ConfigError when it has none."""
    loaded, folder = load_running(plant, data)
    if loaded.simulator is None:
        raise ConfigError(f"{loaded.plant.name} has no simulator section", hint="faults are for `lineshaft demo`")
    token = read_secret(folder.root / SIMULATOR_TOKEN)
    return Client(f"http://127.0.0.1:{port or loaded.simulator.api_port}", token, peer="the simulator")


def show(client: Client, as_json: bool) -> int:
    """Print which faults there are and which are active."""
    answer = client.get("/faults")
    if as_json:
        output.print_json(answer)
        return output.ExitCode.OK
    rows = [(one["id"], one["title"], ", ".join(one["targets"][:3])) for one in answer["catalogue"]]
    output.table(("fault", "what happens", "where (first three)"), rows)
    output.out().print()
    active(answer["active"])
    return output.ExitCode.OK


def active(faults: list[dict[str, Any]]) -> None:
    """Print the faults that are in force."""
    if not faults:
        output.out().print("no fault is active")
        return
    names = ("number", "id", "asset", "severity")
    output.table(names, [[one.get(name, "") for name in names] for one in faults], title="active")


def inject(client: Client, fault: str, asset: str, severity: float | None, as_json: bool) -> int:
    """Begin a fault. Raises ConfigError for an unknown one, with the closest name."""
    catalogue = {one["id"]: one for one in client.get("/faults")["catalogue"]}
    if fault not in catalogue:
        known = sorted(catalogue)
        raise ConfigError(f"there is no fault '{fault}'{suggestion(fault, known)}", hint=f"known: {', '.join(known)}")
    targets = catalogue[fault]["targets"]
    if not asset and len(targets) == 1:
        asset = targets[0]
    if asset not in targets:
        what = f"'{asset}' cannot have this fault{suggestion(asset, targets)}" if asset else "say where"
        raise ConfigError(f"{fault}: {what}", hint=f"possible: {', '.join(targets)}")
    body: dict[str, Any] = {"id": fault, "asset": asset}
    if severity is not None:
        body["severity"] = severity
    answer = client.post("/faults", body)
    if as_json:
        output.print_json(answer)
    else:
        number = answer["number"]
        output.out().print(
            f"{fault} on {asset} has begun; `lineshaft fault clear {number}` takes it back", markup=False
        )
    return output.ExitCode.OK


def clear(client: Client, number: int | None, as_json: bool) -> int:
    """Take one fault back, or all."""
    wanted = [number] if number is not None else [one["number"] for one in client.get("/faults")["active"]]
    answers = [client.delete(f"/faults/{one}") for one in wanted]
    if as_json:
        output.print_json(answers)
    else:
        words = ", ".join(f"{one['id']} on {one['asset']}" for one in answers) or "nothing: no fault is active"
        output.out().print(f"taken back: {words}", markup=False)
    return output.ExitCode.OK
