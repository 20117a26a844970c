"""`lineshaft connect`: from the address of a device to its checked plant file, without writing YAML by hand."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineshaft.commands import output
from lineshaft.commands.plants import load, own_copy
from lineshaft.config.bundle import Bundle, check_bundle, read_bundle
from lineshaft.config.load import builtin_profiles, load_plant, profiles_of
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import AccessDenied, ConfigError, ConnectionFailed
from lineshaft.gateway.connect.connector import Connector
from lineshaft.gateway.connect.guess import common_path, signal_id, unique
from lineshaft.server.folder import data_folder

_EMPTY = "plant: {enterprise: example, site: site, name: Example, timezone: UTC}\n"
"""Stands for the plant when none is given and the YAML is only shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says; see `lineshaft connect --help`."""

    address: str
    plant: str = ""
    name: str = ""
    asset: str = ""
    profile: str = ""
    match: str = ""
    poll: str = "1s"
    trust: str = ""
    signals: tuple[str, ...] = ()
    dry_run: bool = False
    data: Path | None = None
    as_json: bool = False


def run(wanted: Wanted) -> int:
    """Test, look around, preview, write; returns the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(wanted, Path(scratch))
        return asyncio.run(_connect(wanted, place))


class Place:
    """The plant folder that gets the device, or an example when none is given."""

    def __init__(self, wanted: Wanted, scratch: Path) -> None:
        self.writes = bool(wanted.plant) and not wanted.dry_run
        self.folder: Path | None = None
        self.scratch = scratch
        if wanted.plant:
            folder, self.plant = load(wanted.plant)
            self.data = data_folder(self.plant, wanted.data).root
            self.folder = own_copy(folder, self.data) if self.writes else folder
            self.files: Bundle = read_bundle(self.folder)
            self.plant = load_plant(self.folder, DRIVERS)
            self.profiles = profiles_of(self.folder)
        else:
            self.files = {"plant.yaml": _EMPTY}
            self.data = wanted.data or Path(".lineshaft") / "connect"
            self.plant = self.check(self.files)
            self.profiles = builtin_profiles()

    def check(self, files: Bundle) -> Plant:
        """The plant of these files. Raises ConfigError with every problem."""
        return check_bundle(files, lambda folder: load_plant(folder, DRIVERS), self.scratch / "plant")

    def connector(self) -> Connector:
        """Visits devices from this computer."""
        return Connector(
            DRIVERS, self.data, lambda: self.plant, lambda: self.files, self.check, lambda: self.profiles
        )  # fmt: skip


async def _connect(wanted: Wanted, place: Place) -> int:
    connector = place.connector()
    show = Show(wanted.as_json)
    try:
        target = await connector.address({"address": wanted.address})
        if wanted.trust:
            await connector.trust({"action": "accept", "thumbprint": wanted.trust})
        tested = await connector.test(target)
        show.findings(target["title"], tested)
        told = wanted.profile or wanted.signals  # a person knows what the device has
        if not tested["passed"] and not (told and tested["findings"][0]["passed"]):
            return _failed(tested, show)
        body, signals = await _signals(connector, wanted, target, tested, show)
        preview = await connector.preview(body)
        show.preview(signals, preview["rows"])
        device = _device(wanted, body, signals)
        made = (await connector.draft({"device": device}))["files"]
    finally:
        await connector.close()
    _write(place, made, show)
    show.end({"ok": True, "device": device["id"], "files": made, "written": place.writes})
    return output.ExitCode.OK


def _failed(tested: Mapping[str, Any], show: Show) -> int:
    trust = tested["trust"]
    if trust is not None:
        show.say(f"The server shows the certificate of {trust['subject']}, thumbprint {trust['thumbprint']}.")
        show.say(f"If the server itself shows the same one, run this again with --trust {trust['thumbprint']}")
        show.end({"ok": False, **tested})
        raise AccessDenied("the server's certificate is not trusted yet", hint="compare the thumbprint, then --trust")
    show.end({"ok": False, **tested})
    failed = next(one for one in tested["findings"] if not one["passed"])
    raise ConnectionFailed(f"{failed['check']}: {failed['detail']}", hint=failed["mend"])


async def _signals(
    connector: Connector, wanted: Wanted, target: Mapping[str, Any], tested: Mapping[str, Any], show: Show
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What to preview: the signals of a profile, or what a look around finds."""
    body: dict[str, Any] = {"driver": target["driver"], "connection": dict(tested["connection"])}
    sure = next((one for one in tested["proposals"] if one["sure"]), None)
    chosen = next((one for one in tested["proposals"] if one["profile"] == wanted.profile), None)
    given = _given(wanted.signals)
    if not wanted.profile and not tested["browses"] and not given:
        chosen = sure
        if chosen is None:
            names = ", ".join(one["profile"] for one in tested["proposals"] or tested["profiles"]) or "none"
            raise ConfigError(
                "this device cannot say what it has: choose a device profile with --profile, or name --signal",
                hint=f"profiles for {target['driver']}: {names}",
            )
    profile = wanted.profile or (chosen["profile"] if chosen else "")
    if profile:
        body["profile"] = profile
        if chosen:
            body["connection"] |= chosen["connection"]
        signals = (await connector.preview({**body, "signals": []}))["signals"]
        signals = [one for one in signals if wanted.match.lower() in one["name"].lower()]
    elif given:
        signals = given
        body["signals"] = [_entry(one) for one in signals]
    else:
        found = await connector.browse(body)
        if not found["complete"]:
            show.say("There is more than can be listed at once; use --match, or the page.")
        signals = [one for one in found["items"] if _matches(one, wanted.match)]
        bare = [one for one in signals if one["kind"] == "waveform" and "rate_address" not in one["waveform"]]
        if bare:
            names = ", ".join(one["label"] for one in bare)
            show.say(
                f"Left out, because nothing tells the sample rate of a row of numbers: {names}. The page asks for it."
            )
        signals = [one for one in signals if one not in bare]
        for one, name in zip(signals, _names(signals), strict=True):
            one["name"] = name
        body["signals"] = [_entry(one) for one in signals]
    if not signals and wanted.match:
        raise ConfigError(f"nothing on the device has '{wanted.match}' in its name", hint="leave out --match")
    if not signals:
        raise ConfigError("the device shows nothing that has a value", hint="is the address complete? Or name --signal")
    return body, signals


def _names(signals: Sequence[Mapping[str, Any]]) -> list[str]:
    return unique([one["name"] for one in signals], [one["path"] for one in signals])


def _given(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Signals that the command line names itself: NAME=ADDRESS or NAME=ADDRESS,UNIT."""
    found = []
    for text in texts:
        name, equal, rest = text.partition("=")
        address, _, unit = rest.partition(",")
        if not (equal and name and address):
            raise ConfigError(f"'{text}' is no signal", hint="NAME=ADDRESS, like power=holding:100:float32,kW")
        found.append({"name": signal_id(name), "address": address.strip(), "unit": unit.strip(), "kind": "measure"})
    return found


def _matches(item: Mapping[str, Any], text: str) -> bool:
    return text.lower() in f"{item['path']}/{item['label']}/{item['name']}".lower()


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    """A signal as a plant file has it; what is usual is left out."""
    keys = ("name", "address", "kind", "datatype", "unit", "decimals", "states", "description")
    entry = {key: item[key] for key in keys if item.get(key) not in (None, "", {})}
    if entry.get("kind") == "measure":
        del entry["kind"]
    if entry.get("kind") == "waveform":
        entry = {key: value for key, value in entry.items() if key != "datatype"} | {"waveform": dict(item["waveform"])}
    return entry


def _device(wanted: Wanted, body: Mapping[str, Any], signals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    asset = wanted.asset or common_path([one.get("path", "") for one in signals])
    name = wanted.name or asset.rpartition("/")[2] or body.get("profile") or body["driver"]
    device: dict[str, Any] = {"id": signal_id(str(name)), "name": str(name), "driver": body["driver"]}
    device["connection"] = body["connection"]
    if body.get("profile"):
        device["profile"] = body["profile"]
        if wanted.match:
            device["signals_of_profile"] = [one["name"] for one in signals]
    device["asset"] = asset or device["id"]
    device["poll"] = wanted.poll
    if body.get("signals"):
        device["signals"] = body["signals"]
    return device


def _write(place: Place, files: Mapping[str, str], show: Show) -> None:
    for name, text in files.items():
        if place.writes and place.folder is not None:
            (place.folder / name).write_text(text, encoding="utf-8")
            show.say(f"wrote {place.folder / name}; a running gateway takes it by itself")
        else:
            show.text(text)


class Show:
    """What people see; nothing but one document when JSON is wanted."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json

    def say(self, words: str) -> None:
        """One line."""
        if not self._json:
            output.out().print(words, markup=False)

    def text(self, text: str) -> None:
        """Some lines as they are."""
        if not self._json:
            output.out().print(text, markup=False, highlight=False, end="")

    def findings(self, title: str, tested: Mapping[str, Any]) -> None:
        """What the test of the connection found, and what the device is."""
        self.say(title)
        for one in tested["findings"]:
            self.say(f"  {'ok  ' if one['passed'] else 'FAIL'}  {one['check']}: {one['detail']}".rstrip(": "))
            if not one["passed"] and one["mend"]:
                self.say(f"        -> {one['mend']}")
        identity = tested["identity"]
        who = " ".join(identity[key] for key in ("maker", "product", "version") if identity.get(key))
        if who:
            self.say(f"  it says that it is {who}")
        for one in tested["proposals"]:
            self.say(f"  profile {one['profile']} ({one['title']}): {one['why']}")

    def preview(self, signals: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> None:
        """Each signal with what it shows now."""
        if self._json:
            return
        now = {row["name"]: row for row in rows}
        lines = []
        for one in signals:
            row = now.get(one["name"], {})
            value = row.get("text") if row.get("text") is not None else row.get("value")
            shown = f"{value:.6g}" if isinstance(value, float) else str(value if value is not None else "-")
            lines.append((one["name"], shown, one["unit"], one["kind"], row.get("word", ""), one.get("why", "")))
        output.table(("signal", "now", "unit", "kind", "quality", "guessed"), lines)

    def end(self, document: Mapping[str, Any]) -> None:
        """The one document."""
        if self._json:
            output.print_json(document)
