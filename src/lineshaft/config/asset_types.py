"""Asset types: what all pumps, motors or machining centres have in common, written once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import field_validator

from lineshaft.config.section import Section, key
from lineshaft.config.values import Id
from lineshaft.errors import ConfigError

LIMITS: Final = ("low_low", "low", "high", "high_high")
LimitName = Literal["low_low", "low", "high", "high_high"]
ATTRIBUTE_PATTERN: Final = r"^[a-z][a-z0-9_]*$"


class AttributeConfig(Section):
    """One line of a data sheet: rated power, bearing, year of make."""

    unit: str = key("", "Unit of the number; none: any text or number.")
    description: str = key("", "What it is, for people.")
    default: float | str | None = key(None, "Value of instances that give none.", unit="attribute")


class TypeSignalConfig(Section):
    """What signals of one name have in common on all instances; a signal's own keys win."""

    name: Id = key(..., "Name of the signal on the instance.")
    range: tuple[float, float] | None = key(None, "See signals.range.", unit="signal")
    limits: dict[LimitName, float | str] = key(
        {}, "Alarm limits: numbers, or formulas over the instance's attributes like 1.1 * rated_power.", unit="signal"
    )
    decimals: int | None = key(None, "Digits after the point that people see.", ge=0, le=9)
    description: str = key("", "One sentence for people.")


class TypeMetricConfig(Section):
    """A signal that is computed for each instance that has what it is made of."""

    name: Id = key(..., "Name of the computed signal on the instance.")
    expression: str = key(..., "Formula over `inputs` and the instance's attributes.")
    inputs: dict[str, str] = key(..., "Name in the formula -> signal of the instance, like motor/power.", min_length=1)
    unit: str = key("", "Unit of the result.")
    decimals: int | None = key(None, "Digits after the point that people see.", ge=0, le=9)
    description: str = key("", "One sentence for people.")


class AssetTypeConfig(Section):
    """A type of asset."""

    id: Id = key(..., "Name of the type; equipment names it under `type`.")
    title: str = key("", "Name that people read.")
    description: str = key("", "One sentence for people.")
    extends: str = key("", "Type whose attributes, signals and metrics this one has as well.")
    attributes: dict[str, AttributeConfig] = key({}, "Lines of the data sheet.")
    signals: tuple[TypeSignalConfig, ...] = key((), "What its signals have in common.")
    computed: tuple[TypeMetricConfig, ...] = key((), "Signals that are computed for each instance.")

    @field_validator("attributes")
    @classmethod
    def _names(cls, value: dict[str, AttributeConfig]) -> dict[str, AttributeConfig]:
        for name in value:
            if not name.isidentifier() or name != name.lower():
                raise ValueError(f"'{name}' is no name of an attribute: small letters, digits and _")
        return value


@dataclass(frozen=True, slots=True)
class AssetType:
    """A type with all that it has from the types that it extends; the nearest wins."""

    id: str
    title: str
    attributes: Mapping[str, AttributeConfig]
    signals: Mapping[str, TypeSignalConfig]
    computed: Mapping[str, TypeMetricConfig]
    line: tuple[str, ...]  # its own id, then what it extends, the nearest first


def resolved(types: Iterable[AssetTypeConfig]) -> dict[str, AssetType]:
    """Types by id with what they inherit. Raises ConfigError for an unknown `extends` or a circle."""
    configs = {one.id: one for one in types}
    found: dict[str, AssetType] = {}
    for config in configs.values():
        chain = _chain(config, configs)
        found[config.id] = AssetType(
            config.id,
            config.title or config.id,
            {name: one for link in chain for name, one in link.attributes.items()},
            {one.name: one for link in chain for one in link.signals},
            {one.name: one for link in chain for one in link.computed},
            tuple(link.id for link in reversed(chain)),
        )
    return found


def _chain(config: AssetTypeConfig, configs: Mapping[str, AssetTypeConfig]) -> list[AssetTypeConfig]:
    """The type itself last, before it what it extends."""
    chain = [config]
    while chain[0].extends:
        above = configs.get(chain[0].extends)
        if above is None:
            raise ConfigError(f"the type {chain[0].id} extends {chain[0].extends}, which does not exist")
        if above in chain:
            raise ConfigError(f"the type {config.id} extends itself")
        chain.insert(0, above)
    return chain
