"""`lineshaft opcua trust`: which OPC UA servers a gateway trusts."""

from __future__ import annotations

from pathlib import Path

from lineshaft.commands import output
from lineshaft.commands.plants import load_running
from lineshaft.errors import ConfigError
from lineshaft.gateway.connect.trusting import Trusting


def run(plant: str, action: str, thumbprint: str, *, data: Path | None, as_json: bool) -> int:
    """List, accept or reject; returns the exit code."""
    if action in ("accept", "reject") and not thumbprint:
        raise ConfigError(f"{action} what?", hint="give the thumbprint, or the beginning of it, from the list")
    _, folder = load_running(plant, data)
    entries = Trusting(folder.root).act(action, thumbprint)["entries"]
    if as_json:
        output.print_json({"entries": entries})
        return output.ExitCode.OK
    rows = [(one["state"], _spaced(one["thumbprint"]), one["subject"], one["not_after"][:10]) for one in entries]
    if rows:
        output.table(("state", "thumbprint (SHA-1)", "who", "valid until"), rows)
    else:
        output.out().print("no server has shown a certificate yet")
    return output.ExitCode.OK


def _spaced(thumbprint: str) -> str:
    return " ".join(thumbprint[at : at + 4] for at in range(0, len(thumbprint), 4))
