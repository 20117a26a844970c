"""Checks of the section oee: machines, signals, lines, products and reasons that it names must be there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from lineshaft.config.draft import Draft, mappings
from lineshaft.config.models import HubConfig, OeeConfig, ShiftReportConfig, WebhookConfig
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.yamlfile import Key

_SIGNALS = ("state", "reason", "good", "scrap", "total", "rework", "product", "order", "speed")


def check_oee(draft: Draft, report: Report, paths: Collection[str], signals: Collection[str]) -> None:
    """Note what the section names and the plant does not have. `signals`: paths below the site."""
    config = draft.section("oee", OeeConfig)
    if config is None or "oee" not in draft.document.data:
        return
    check = _Check(draft, report, paths, signals)
    seen: set[str] = set()
    for place, machine in enumerate(config.machines):
        at: Key = ("oee", "machines", place)
        if machine.asset in seen:
            report.add(draft.document, (*at, "asset"), "this machine is already in the list", value=machine.asset)
        seen.add(machine.asset)
        check.equipment((*at, "asset"), machine.asset)
        for name in _SIGNALS:
            if getattr(machine, name):
                check.signal((*at, name), machine.asset, getattr(machine, name))
        for row, bit in enumerate(machine.bits):
            check.signal((*at, "bits", row, "signal"), machine.asset, bit.signal)
        if machine.power is not None:
            check.signal((*at, "power", "signal"), machine.asset, machine.power.signal)
    for place, line in enumerate(config.lines):
        check.equipment(("oee", "lines", place, "path"), line.path)
        for row, name in enumerate(line.flow):
            check.machine(("oee", "lines", place, "flow", row), f"{line.path}/{name}", seen)
    for place, product in enumerate(config.products):
        for path in product.cycles:
            check.machine(("oee", "products", place, "cycles", path), path, seen)
    _reasons(draft, report)
    _targets(draft, report, check, config)


def _targets(draft: Draft, report: Report, check: _Check, config: OeeConfig) -> None:
    """Webhooks and reports: ids that are there once, parts of the plant that exist, and a server for mail."""
    seen: set[str] = set()
    sections: dict[str, tuple[WebhookConfig | ShiftReportConfig, ...]]
    sections = {"webhooks": config.webhooks, "reports": config.reports}
    for section, targets in sections.items():
        for place, one in enumerate(targets):
            at: Key = ("oee", section, place)
            if one.id in seen:
                report.add(draft.document, (*at, "id"), "this id is already in use", value=one.id)
            seen.add(one.id)
            if one.path:
                check.equipment((*at, "path"), one.path)
    hub = draft.section("hub", HubConfig)
    if config.reports and (hub is None or hub.mail is None):
        report.add(draft.document, ("oee", "reports"), "reports are sent by mail; the section `hub` has no `mail`")


class _Check:
    def __init__(self, draft: Draft, report: Report, paths: Collection[str], signals: Collection[str]) -> None:
        self._draft, self._report = draft, report
        self._paths, self._signals = paths, signals

    def equipment(self, at: Key, path: str) -> None:
        if path not in self._paths:
            message = "there is no such equipment" + suggestion(path, list(self._paths))
            self._report.add(self._draft.document, at, message, value=path)

    def signal(self, at: Key, asset: str, name: str) -> None:
        if f"{asset}/{name}" not in self._signals:
            known = [one.removeprefix(f"{asset}/") for one in self._signals if one.startswith(f"{asset}/")]
            message = f"the asset {asset} has no such signal" + suggestion(name, known)
            self._report.add(self._draft.document, at, message, value=name, allowed=known[:20])

    def machine(self, at: Key, path: str, machines: Collection[str]) -> None:
        if path not in machines:
            message = "is no machine of oee.machines" + suggestion(path, list(machines))
            self._report.add(self._draft.document, at, message, value=path)


def _reasons(draft: Draft, report: Report) -> None:
    seen: set[str] = set()
    raw = draft.document.data["oee"]
    for at, item in _nodes(raw.get("reasons") if isinstance(raw, dict) else None, ("oee", "reasons")):
        name = item.get("id")
        if isinstance(name, str):
            if name in seen:
                report.add(draft.document, (*at, "id"), "this reason is already in the tree", value=name)
            seen.add(name)


def _nodes(value: Any, at: Key) -> Iterator[tuple[Key, dict[str, Any]]]:
    for place, node in mappings(value, at):
        yield place, node
        yield from _nodes(node.get("children"), (*place, "children"))
