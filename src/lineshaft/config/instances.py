"""Puts asset types into a plant: attributes with their defaults, inherited limits, computed metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np

from lineshaft.config import units
from lineshaft.config.asset_types import (
    LIMITS,
    AssetType,
    AssetTypeConfig,
    TypeMetricConfig,
    TypeSignalConfig,
    resolved,
)
from lineshaft.config.draft import Draft, mappings
from lineshaft.config.expressions import Expression
from lineshaft.config.models import DerivedConfig, DeviceConfig, EquipmentConfig, LimitsConfig, Plant, SignalConfig
from lineshaft.config.problems import Report, suggestion
from lineshaft.config.yamlfile import Document, Key, parse
from lineshaft.errors import ConfigError

Values = Mapping[str, float | str]


@cache
def builtin_types() -> tuple[AssetTypeConfig, ...]:
    """The types that come with Lineshaft. Raises ConfigError when one is wrong."""
    report, found = Report(), []
    path = files("lineshaft") / "profiles" / "types" / "assets.yaml"
    document = parse(path.read_text(encoding="utf-8"), str(path))
    report.problems += document.problems
    for at, raw in mappings((document.data or {}).get("types"), ("types",)):
        config = report.validate(AssetTypeConfig, raw, document, at)
        if config is not None:
            found.append(config)
    if report.problems:
        raise ConfigError("a built-in asset type is wrong", report.problems)
    return tuple(found)


def library(own: Iterable[AssetTypeConfig]) -> dict[str, AssetType]:
    """The built-in types and those of a plant; a plant's type of the same id adds to the built-in one and wins."""
    return resolved(_joined({one.id: one for one in own}).values())


def _joined(own: Mapping[str, AssetTypeConfig]) -> dict[str, AssetTypeConfig]:
    built_in = {one.id: one for one in builtin_types()}
    return built_in | {id_: _added(built_in[id_], one) if id_ in built_in else one for id_, one in own.items()}


def _added(base: AssetTypeConfig, more: AssetTypeConfig) -> AssetTypeConfig:
    return base.model_copy(
        update={
            "title": more.title or base.title,
            "extends": more.extends or base.extends,
            "attributes": {**base.attributes, **more.attributes},
            "signals": tuple(({one.name: one for one in (*base.signals, *more.signals)}).values()),
            "computed": tuple(({one.name: one for one in (*base.computed, *more.computed)}).values()),
        }
    )


# --- checks


def check_types(draft: Draft, report: Report) -> None:
    """Note what is wrong in the types of a plant and in the attributes of its equipment."""
    configs: dict[str, AssetTypeConfig] = {}
    places: dict[str, Key] = {}
    for at, raw in draft.items("types"):
        config = Report().validate(AssetTypeConfig, raw, draft.document, at)  # its problems are noted already
        if config is None:
            continue
        if config.id in configs:
            report.add(draft.document, (*at, "id"), "this type is already described", value=config.id)
        else:
            configs[config.id], places[config.id] = config, at
    known = _joined(configs)
    for at, raw in draft.items("types"):
        above = raw.get("extends")
        if isinstance(above, str) and above and above not in known:
            message = "there is no such type" + suggestion(above, list(known))
            report.add(draft.document, (*at, "extends"), message, value=above, allowed=sorted(known))
            if (name := str(raw.get("id"))) in known:
                known[name] = known[name].model_copy(update={"extends": ""})
    try:
        types = resolved(known.values())
    except ConfigError as error:
        report.add(draft.document, ("types",), str(error))
        return
    for name, at in places.items():
        _type(draft.document, at, configs[name], types[name], report)
    for _, at, node in draft.equipment():
        _attributes(draft.document, at, node, types, report)


def _type(document: Document, at: Key, config: AssetTypeConfig, whole: AssetType, report: Report) -> None:
    for name, attribute in config.attributes.items():
        place = (*at, "attributes", name)
        if attribute.unit and not units.unit_known(attribute.unit):
            message = "unknown unit" + suggestion(attribute.unit, units.COMMON)
            report.add(document, (*place, "unit"), message, value=attribute.unit, allowed=", ".join(units.COMMON))
        if attribute.unit and isinstance(attribute.default, str):
            report.add(document, (*place, "default"), "has a unit, so it is a number", value=attribute.default)
    for position, signal in enumerate(config.signals):
        for limit, value in signal.limits.items():
            if isinstance(value, str):
                _formula(document, (*at, "signals", position, "limits", limit), value, whole.attributes, report)
    for position, metric in enumerate(config.computed):
        place = (*at, "computed", position)
        _formula(document, (*place, "expression"), metric.expression, {*metric.inputs, *whole.attributes}, report)
        for name in set(metric.inputs) & set(whole.attributes):
            report.add(document, (*place, "inputs", name), "is also an attribute of the type", value=name)


def _formula(document: Document, at: Key, text: str, names: Iterable[str], report: Report) -> None:
    try:
        Expression(text, names)
    except ConfigError as error:
        report.add(document, at, str(error), value=text, allowed=error.hint)


def _attributes(
    document: Document, at: Key, node: Mapping[str, Any], types: Mapping[str, AssetType], report: Report
) -> None:
    given = node.get("attributes")
    if not isinstance(given, dict):
        return
    own = types.get(str(node.get("type", "")))
    if own is None:
        message = "the type of this equipment is not described, so it has no attributes"
        report.add(document, (*at, "attributes"), message, value=node.get("type"), allowed=sorted(types))
        return
    for name, value in given.items():
        place, config = (*at, "attributes", name), own.attributes.get(name)
        if config is None:
            message = f"the type {own.id} has no such attribute" + suggestion(str(name), list(own.attributes))
            report.add(document, place, message, value=value, allowed=sorted(own.attributes))
        elif config.unit and (isinstance(value, bool) or not isinstance(value, int | float)):
            report.add(document, place, f"is a number in {config.unit}", value=value)


# --- instances


def attributes_of(node: EquipmentConfig, types: Mapping[str, AssetType]) -> dict[str, float | str]:
    """Values of an instance: its own, else the defaults of its type, in the order of the type."""
    own = types.get(node.type)
    if own is None:
        return {}
    values = {name: node.attributes.get(name, config.default) for name, config in own.attributes.items()}
    return {name: value for name, value in values.items() if value is not None}


def instantiate(plant: Plant) -> Plant:
    """The plant with what its types give: limits, ranges and words of signals, and computed metrics.

    A limit whose formula uses an attribute that the instance does not have is left out, and so is a metric that lacks
    an input or an attribute. Raises ConfigError for limits of an instance that do not ascend.
    """
    types = library(plant.types)
    nodes = {path: node for path, node in _nodes(plant.equipment, "") if node.type in types}
    if not nodes:
        return plant
    values = {path: attributes_of(node, types) for path, node in nodes.items()}
    devices = tuple(_device(device, nodes, types, values) for device in plant.devices)
    known = {f"{signal.asset}/{signal.name}" for device in devices for signal in device.signals}
    taken = known | {f"{one.asset}/{one.name}" for one in plant.derived}
    more = [
        metric
        for path, node in nodes.items()
        for config in types[node.type].computed.values()
        if f"{path}/{config.name}" not in taken and (metric := _metric(path, config, values[path], known)) is not None
    ]
    return plant.model_copy(update={"devices": devices, "derived": (*plant.derived, *more)})


def _nodes(children: tuple[EquipmentConfig, ...], parent: str) -> Iterator[tuple[str, EquipmentConfig]]:
    for child in children:
        path = f"{parent}/{child.id}" if parent else child.id
        yield path, child
        yield from _nodes(child.children, path)


def _device(
    device: DeviceConfig,
    nodes: Mapping[str, EquipmentConfig],
    types: Mapping[str, AssetType],
    values: Mapping[str, Values],
) -> DeviceConfig:
    signals = []
    for signal in device.signals:
        node = nodes.get(signal.asset)
        common = types[node.type].signals.get(signal.name) if node is not None else None
        signals.append(signal if common is None else _inherited(signal, common, values[signal.asset]))
    return device.model_copy(update={"signals": tuple(signals)})


def _inherited(signal: SignalConfig, common: TypeSignalConfig, values: Values) -> SignalConfig:
    update: dict[str, Any] = {
        name: getattr(common, name)
        for name in ("range", "decimals", "description")
        if name not in signal.model_fields_set and getattr(common, name) not in (None, "")
    }
    if common.limits and "limits" not in signal.model_fields_set:
        update["limits"] = _limits(f"{signal.asset}/{signal.name}", common, values)
    return signal.model_copy(update=update) if update else signal


def _limits(path: str, common: TypeSignalConfig, values: Values) -> LimitsConfig:
    found = {}
    for name in LIMITS:
        value = common.limits.get(name)
        number = _evaluated(value, values) if isinstance(value, str) else value
        if number is not None:
            found[name] = number
    for (name, value), (next_name, next_value) in pairwise(found.items()):
        if value >= next_value:
            raise ConfigError(
                f"{path}: the limit {name} ({value:g}) that its type gives is not below {next_name} ({next_value:g})",
                hint="mend the attributes of this equipment, or give the signal limits of its own",
            )
    return LimitsConfig(**found)


def _evaluated(text: str, values: Values) -> float | None:
    """The number, or None when an attribute is missing or is text."""
    numbers = {name: np.array([value]) for name, value in values.items() if isinstance(value, int | float)}
    try:
        result = float(Expression(text, numbers)(numbers, 1)[0])
    except ConfigError:  # an attribute that this instance does not have
        return None
    return result if np.isfinite(result) else None


def _metric(path: str, config: TypeMetricConfig, values: Values, known: set[str]) -> DerivedConfig | None:
    inputs = {name: f"{path}/{below}" for name, below in config.inputs.items()}
    try:
        formula = Expression(config.expression, {*inputs, *values})
    except ConfigError:  # an attribute that this instance does not have; the formula itself is checked
        return None
    constants = {name: value for name, value in values.items() if name in formula.used}
    if not known.issuperset(inputs.values()) or any(isinstance(value, str) for value in constants.values()):
        return None
    return DerivedConfig(
        name=config.name,
        asset=path,
        unit=config.unit,
        decimals=config.decimals,
        description=config.description,
        expression=formula.with_numbers({name: float(value) for name, value in constants.items()}),
        inputs=inputs,
    )
