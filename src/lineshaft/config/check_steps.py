"""Checks of the edge steps: units that convert, signals that exist, formulas that can be read, no circles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lineshaft.config import units
from lineshaft.config.draft import Draft, SignalDraft, mappings
from lineshaft.config.expressions import Expression
from lineshaft.config.models import DerivedConfig, EdgeRuleConfig, PipelineConfig, SeriesConfig, SignalConfig
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.yamlfile import Document, Key
from lineshaft.errors import ConfigError
from lineshaft.model.equipment import Datatype, SignalKind

COMPUTED = "computed"
"""Id of the device that computed signals are announced under."""


def check_steps(draft: Draft, report: Report, signals: Mapping[str, Any]) -> None:
    """Note what is wrong with the steps of signals, computed signals and edge rules.

    signals: path below the site -> anything, of every signal of a device.
    """
    derived = [(at, raw) for at, raw in draft.items("derived")]
    known = [*signals, *(path for _, raw in derived if (path := _path(raw)))]
    pipeline = draft.section("pipeline", PipelineConfig) or PipelineConfig()
    for device in draft.devices:
        for signal in device.signals:
            if signal.config is not None:
                _signal(signal, signal.config, report)
                _series(signal.document, signal.at, signal.config, pipeline, known, report)
    _derived(draft, derived, pipeline, known, signals, report)
    _rules(draft, known, report)


def _path(raw: Mapping[str, Any]) -> str:
    asset, name = raw.get("asset"), raw.get("name")
    if not isinstance(name, str):
        return ""
    return f"{asset}/{name}" if isinstance(asset, str) and asset else name


def _signal(signal: SignalDraft, config: SignalConfig, report: Report) -> None:
    document, at = signal.document, signal.at
    if config.source_unit:
        _same_quantity(document, (*at, "source_unit"), config.source_unit, config.unit, report)
        if config.map:
            report.add(document, (*at, "map"), "a mapped value has no source_unit")
    if config.map:
        words = isinstance(next(iter(config.map.values())), str)
        datatype = config.datatype or Datatype.STRING
        if words and not datatype.is_text:
            message = "raw values are mapped to words, so the datatype is String"
            report.add(document, (*at, "datatype"), message, value=datatype.value, allowed=Datatype.STRING.value)
        if words and (config.scale != 1.0 or config.offset != 0.0):
            report.add(document, (*at, "map"), "a word cannot be scaled")


def _series(
    document: Document, at: Key, config: SeriesConfig, pipeline: PipelineConfig, known: Sequence[str], report: Report
) -> None:
    compress = config.compress or (pipeline.compress if config.kind is SignalKind.MEASURE else "deadband")
    if compress == "swinging-door" and config.kind is not SignalKind.MEASURE:
        report.add(
            document, (*at, "compress"), "only a measure lies on straight lines", value=compress, allowed="deadband"
        )
    if config.compress == "swinging-door" and not _has_deadband(config, pipeline):
        message = "needs a deadband, or deadband_percent with a range: the largest error"
        report.add(document, (*at, "compress"), message, value=compress)
    if config.stuck is not None and config.stuck.running:
        _known(document, (*at, "stuck", "running"), config.stuck.running, known, report)
    if config.drift is not None and config.drift.reference:
        _known(document, (*at, "drift", "reference"), config.drift.reference, known, report)
    for position, unit in enumerate(config.swapped.units if config.swapped is not None else ()):
        _same_quantity(document, (*at, "swapped", "units", position), unit, config.unit, report)


def _has_deadband(config: SeriesConfig, pipeline: PipelineConfig) -> bool:
    own = config.deadband is not None or config.deadband_percent is not None
    absolute = config.deadband if own else pipeline.deadband
    percent = config.deadband_percent if own else pipeline.deadband_percent
    return bool(absolute) or (absolute is None and percent is not None and config.range is not None)


def _same_quantity(document: Document, at: Key, source: str, target: str, report: Report) -> None:
    if not target:
        report.add(document, at, "needs the key unit: the unit to convert into", value=source)
        return
    if not units.unit_known(target):
        return  # noted at the key unit
    if not units.unit_known(source):
        message = "unknown unit" + suggestion(source, units.COMMON)
        report.add(document, at, message, value=source, allowed=f"for example {', '.join(units.COMMON)}")
        return
    try:
        units.factor(source, target)
    except ConfigError as error:
        fitting = ", ".join(unit for unit in units.COMMON if units.convertible(unit, target))
        report.add(document, at, str(error), value=source, allowed=f"for example {fitting}" if fitting else "")


def _known(document: Document, at: Key, path: str, known: Sequence[str], report: Report) -> None:
    if path not in known:
        close = suggestion(path, known)
        report.add(document, at, "there is no such signal" + close, value=path, allowed="" if close else "asset/signal")


def _derived(
    draft: Draft,
    derived: Sequence[tuple[Key, dict[str, Any]]],
    pipeline: PipelineConfig,
    known: Sequence[str],
    signals: Mapping[str, Any],
    report: Report,
) -> None:
    document = draft.document
    seen = set(signals)
    needs: dict[str, tuple[str, ...]] = {}
    places: dict[str, Key] = {}
    equipment = [path for path, _, _ in draft.equipment()]
    for device in draft.devices:
        if derived and device.text("id") == COMPUTED:
            report.add(document, (*device.at, "id"), "is the name of the gateway's computed signals", value=COMPUTED)
    for at, raw in derived:
        path = _path(raw)
        if path in seen:
            report.add(document, (*at, "name"), f"the signal {path} is already given", value=raw["name"])
        elif path in equipment:
            report.add(document, (*at, "name"), f"{path} is already equipment", value=raw["name"])
        seen.add(path)
        _asset(document, (*at, "asset"), raw.get("asset"), equipment, report)
        config = Report().validate(DerivedConfig, raw, document, at)  # its problems are noted already
        if config is None:
            continue
        if config.unit and not units.unit_known(config.unit):
            message = "unknown unit" + suggestion(config.unit, units.COMMON)
            report.add(document, (*at, "unit"), message, value=config.unit, allowed=", ".join(units.COMMON))
        _series(document, at, config, pipeline, known, report)
        _inputs(document, at, config.inputs, known, report)
        if config.expression:
            formula(document, (*at, "expression"), config.expression, config.inputs, path, report)
        for name, source in (("rate", config.rate), ("aggregate", config.aggregate)):
            if source is not None:
                _known(document, (*at, name, "of"), source.of, known, report)
        needs[path], places[path] = sources(config), at
    for path, at in places.items():
        if _circle(path, path, needs, set()):
            report.add(document, at, f"the signal {path} is computed from itself", value=path)


def sources(config: DerivedConfig) -> tuple[str, ...]:
    """Paths below the site of the signals that a computed signal is made of."""
    if config.rate is not None:
        return (config.rate.of,)
    return tuple(config.inputs.values()) if config.aggregate is None else (config.aggregate.of,)


def _circle(path: str, wanted: str, needs: Mapping[str, tuple[str, ...]], been: set[str]) -> bool:
    for source in needs.get(path, ()):
        if source == wanted:
            return True
        if source not in been:
            been.add(source)
            if _circle(source, wanted, needs, been):
                return True
    return False


def _asset(document: Document, at: Key, asset: Any, equipment: Sequence[str], report: Report) -> None:
    if isinstance(asset, str) and asset and asset not in equipment:
        report.add(document, at, "there is no such equipment" + suggestion(asset, equipment), value=asset)


def _inputs(document: Document, at: Key, inputs: Mapping[str, str], known: Sequence[str], report: Report) -> None:
    for name, path in inputs.items():
        if not name.isidentifier():
            report.add(document, (*at, "inputs", name), "a name in a formula has letters, digits and _", value=name)
        _known(document, (*at, "inputs", name), path, known, report)


def formula(document: Document, at: Key, text: str, inputs: Mapping[str, str], subject: str, report: Report) -> None:
    """Note what is wrong in a formula: the signal or rule, the character, what is allowed there."""
    try:
        Expression(text, inputs)
    except ConfigError as error:
        report.add(document, at, f"{subject}: {error}", value=text, allowed=error.hint)


def _rules(draft: Draft, known: Sequence[str], report: Report) -> None:
    document = draft.document
    equipment = [path for path, _, _ in draft.equipment()]
    seen: set[str] = set()
    for at, raw in mappings(document.data.get("edge_rules"), ("edge_rules",)):
        rule = Report().validate(EdgeRuleConfig, raw, document, at)  # its problems are noted already
        if rule is None:
            continue
        if rule.id in seen:
            report.add(document, (*at, "id"), "this rule id is already used", value=rule.id)
        seen.add(rule.id)
        _asset(document, (*at, "asset"), rule.asset, equipment, report)
        _inputs(document, at, rule.inputs, known, report)
        formula(document, (*at, "when"), rule.when, rule.inputs, f"rule {rule.id}", report)
        if rule.until:
            formula(document, (*at, "until"), rule.until, rule.inputs, f"rule {rule.id}", report)
