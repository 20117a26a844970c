"""Proposes device profiles: by what the device says that it is, and by whether a profile's values can be read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lineshaft.config.models import ProfileConfig, SignalConfig
from lineshaft.drivers.base import Identity
from lineshaft.model.samples import GOOD_CLASS, SampleBatch

_SUNSPEC: Final = re.compile(r"sunspec-(?:.*-)?(\d+)")
_PLAUSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "V": (0, 50_000), "A": (-20_000, 20_000), "Hz": (0, 1_000), "%": (-1, 200), "degC": (-100, 1_500),
    "W": (-1e9, 1e9), "kW": (-1e6, 1e6), "VA": (-1e9, 1e9), "var": (-1e9, 1e9), "kWh": (-1, 1e10), "bar": (-2, 5_000),
}  # fmt: skip
"""Unit -> what a real device can show; anything else is the wrong register or the wrong coding."""
_SMALLEST: Final = 1e-20
"""Floats below this come from integers that are read as floats."""
ENOUGH: Final = 0.9


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile that may be the right one. `sure`: the device itself says so."""

    profile: str
    title: str
    why: str
    sure: bool = False
    connection: Mapping[str, Any] = field(default_factory=dict)  # options that this device needs beside the profile's
    share: float = 1.0  # of the values that were read and can be right


def by_identity(profiles: Iterable[ProfileConfig], driver: str, identity: Identity) -> tuple[Proposal, ...]:
    """Profiles that the device names itself: a SunSpec model, or its product."""
    found = []
    who = " ".join(part for part in (identity.maker, identity.product, identity.version) if part)
    for profile in profiles:
        if driver not in profile.drivers:
            continue
        block = _block(profile.id, identity.blocks)
        if block is not None:
            name, register = block
            why = f"the device has {name.replace('-', ' model ')} at register {register}" + (f" ({who})" if who else "")
            found.append(Proposal(profile.id, profile.title, why, True, {"offset": register}))
        elif _named(profile, identity):
            found.append(Proposal(profile.id, profile.title, f"the device says that it is {who}", True))
    return tuple(found)


def _block(profile: str, blocks: Mapping[str, int]) -> tuple[str, int] | None:
    match = _SUNSPEC.fullmatch(profile)
    name = f"sunspec-{match[1]}" if match else ""
    return (name, blocks[name]) if name in blocks else None


def _named(profile: ProfileConfig, identity: Identity) -> bool:
    """True when the product's letters and digits are in the profile's id or title, or the other way round."""
    product, title, own = (_flat(text) for text in (identity.product, profile.title, profile.id))
    model = _flat(profile.id.partition("-")[2])
    return bool(product) and (
        (len(product) > 3 and (product in title or product in own)) or (len(model) > 3 and model in product)
    )


def _flat(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def samples_of(profile: ProfileConfig, most: int = 24) -> tuple[SignalConfig, ...]:
    """Some signals from all over the profile, to try it with."""
    step = max(1, math.ceil(len(profile.signals) / most))
    return profile.signals[::step]


def by_reading(
    profile: ProfileConfig, signals: Sequence[SignalConfig], batch: SampleBatch, connection: Mapping[str, Any]
) -> Proposal | None:
    """Whether what was read with a profile can be right; row i of `batch` belongs to `signals[batch.signals[i]]`."""
    right = telling = 0
    for row, number in enumerate(batch.signals.tolist()):
        signal = signals[number]
        text = None if batch.texts is None else batch.texts[row]
        value = float(batch.values[row]) * signal.scale + signal.offset
        good = int(batch.qualities[row]) & GOOD_CLASS == GOOD_CLASS
        right += good and (text is not None or _plausible(signal, value))
        telling += good and (bool(text) or value != signal.offset)
    share = right / len(signals) if signals else 0.0
    if share < ENOUGH or telling < 2:
        return None
    why = f"{right} of {len(signals)} values that were tried can be read and can be right"
    return Proposal(profile.id, profile.title, why, False, connection, share)


def _plausible(signal: SignalConfig, value: float) -> bool:
    if not math.isfinite(value) or (value != 0 and abs(value) < _SMALLEST):
        return False
    if signal.states:
        return str(int(value)) in signal.states
    low, high = signal.range or _PLAUSIBLE.get(signal.unit, (-1e12, 1e12))
    return low <= value <= high
