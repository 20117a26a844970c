"""Guesses what a thing found on a device is: its name, kind, unit and digits. Each guess says why."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lineshaft.config.units import unit_known
from lineshaft.model.equipment import Datatype, SignalKind

_UNITS: Final = {
    "°c": "degC", "c": "degC", "celsius": "degC", "degree celsius": "degC", "deg c": "degC", "grad c": "degC",
    "°f": "degF", "fahrenheit": "degF", "rpm": "1/min", "r/min": "1/min", "u/min": "1/min", "1/min": "1/min",
    "min-1": "1/min", "min⁻¹": "1/min", "revolutions per minute": "1/min", "percent": "%", "pct": "%",
    "kilowatt": "kW", "watt": "W", "kilowatt hour": "kWh", "kwh": "kWh", "wh": "Wh", "mwh": "MWh", "kw": "kW",
    "m³": "m3", "m³/h": "m3/h", "nm³/h": "Nm3/h", "nm³": "Nm3", "cubic metre": "m3", "cubic metre per hour": "m3/h",
    "bar(g)": "barg", "bar g": "barg", "bar(a)": "bara", "millimetre": "mm", "millimeter": "mm", "metre": "m",
    "volt": "V", "ampere": "A", "amps": "A", "hertz": "Hz", "hz": "Hz", "newton": "N", "newton metre": "Nm",
    "pieces": "pcs", "stk": "pcs", "stück": "pcs", "second": "s", "sec": "s", "seconds": "s", "hours": "h",
    "hour": "h", "minutes": "min", "l/min": "L/min", "l/h": "L/h", "litre per minute": "L/min", "m/s²": "m/s2",
    "µm": "um", "°": "deg", "degrees": "deg", "ohm": "ohm", "kva": "kVA", "kvar": "kvar",
}  # fmt: skip
"""How devices write units (small letters) -> how plant files do."""

_SUFFIXES: Final = (
    ("degc", "degC"), ("celsius", "degC"), ("kwh", "kWh"), ("kw", "kW"), ("wh", "Wh"), ("bar", "bar"), ("mbar", "mbar"),
    ("rpm", "1/min"), ("hz", "Hz"), ("mm", "mm"), ("pct", "%"), ("percent", "%"), ("nm", "Nm"), ("kn", "kN"),
    ("amps", "A"), ("volts", "V"), ("ms", "ms"), ("m3h", "m3/h"), ("lmin", "L/min"), ("kg", "kg"), ("ma", "mA"),
)  # fmt: skip
"""Last word of a name -> the unit that it says."""

_WORDS: Final = (
    (("temperature", "temp", "temperatur"), "degC"),
    (("rpm", "spindle speed", "rotary velocity"), "1/min"),
    (("humidity",), "%"),
    (("voltage", "spannung"), "V"),
    (("frequency", "frequenz"), "Hz"),
)
"""Words of a name -> the unit that is usual for it."""

_COUNTS: Final = frozenset(
    {"count", "counter", "total", "energy", "parts", "pieces", "produced", "cycles", "hours", "volume", "zaehler"}
)
_STATES: Final = frozenset(
    {"state", "status", "mode", "alarm", "fault", "error", "step", "program", "recipe", "running", "active", "code"}
)
_COUNTED_UNITS: Final = frozenset({"kWh", "Wh", "MWh", "m3", "Nm3", "pcs", "kvarh", "kVAh", "varh", "VAh"})
_INTEGERS: Final = frozenset(Datatype) - {
    Datatype.FLOAT,
    Datatype.DOUBLE,
    Datatype.STRING,
    Datatype.DATETIME,
    Datatype.BOOLEAN,
}
_REALS: Final = frozenset({Datatype.FLOAT, Datatype.DOUBLE})
_BESIDE: Final = {
    "rate": re.compile(r"\b(sample|sampling)\b.*\b(rate|frequency)\b|\brate\b|\bsamplerate\b"),
    "speed": re.compile(r"\b(speed|rpm|drehzahl)\b"),
}
_DIGITS: Final = {"%": 1, "degC": 1, "1/min": 0, "kW": 2, "kWh": 2, "V": 1, "A": 2, "Hz": 2, "bar": 2, "mm": 3}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a signal probably is; a person may change all of it. `why` says where kind and unit come from."""

    name: str
    kind: SignalKind
    unit: str = ""
    decimals: int | None = None
    states: tuple[tuple[str, str], ...] = ()
    why: str = ""


def guess(name: str, datatype: Datatype | None, unit: str = "", description: str = "", *, array: bool = False) -> Guess:
    """What a thing with this name, type, unit (as the device writes it) and description probably is.

    array: it is a row of values; one of numbers is a waveform.
    """
    words = words_of(name)
    own, why = _unit(words, unit, datatype)
    if array and datatype in _REALS | _INTEGERS:
        reasons = "; ".join(reason for reason in ("a row of numbers", why) if reason)
        return Guess(signal_id(name), SignalKind.WAVEFORM, own, why=reasons)
    kind, because = _kind(words, datatype, own, description)
    if kind is SignalKind.STATE:
        own, why = "", ""
    decimals = _DIGITS.get(own, 2) if kind is SignalKind.MEASURE and datatype in _REALS else None
    if kind is SignalKind.COUNTER and datatype in _INTEGERS:
        decimals = 0
    states = (("0", "off"), ("1", "on")) if datatype is Datatype.BOOLEAN else ()
    reasons = "; ".join(reason for reason in (because, why) if reason)
    return Guess(signal_id(name), kind, own, decimals, states, reasons)


def beside(names: Sequence[str], of: Literal["rate", "speed"]) -> int | None:
    """Which of the names beside a waveform says its sample rate or the speed of its shaft; None for none or several."""
    found = [i for i, name in enumerate(names) if _BESIDE[of].search(" ".join(words_of(name)))]
    return found[0] if len(found) == 1 else None


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters: 'oilTemp_C' -> oil, temp, c."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(word.lower() for word in re.split(r"[^A-Za-z0-9äöüÄÖÜß%]+", spaced) if word)


def signal_id(name: str) -> str:
    """A name as an id of a signal: small letters, digits and hyphens."""
    flat = unicodedata.normalize("NFKD", "-".join(words_of(name)).replace("ß", "ss").replace("%", "percent"))
    text = re.sub(r"[^a-z0-9.-]+", "", flat).strip("-.")
    return text or "signal"


def unique(names: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Names of signals of one asset: one that occurs more than once gets what it is below in front, as far as needed.

    paths: names of what each is below, joined with /.
    """
    result = list(names)
    for depth in range(1, 1 + max((path.count("/") + 1 for path in paths), default=0)):
        often = {name for name in result if result.count(name) > 1}
        if not often:
            break
        for i, path in enumerate(paths):
            parts = [signal_id(part) for part in path.split("/") if part]
            if result[i] in often and depth <= len(parts):
                result[i] = "-".join((*parts[-depth:], names[i]))
    seen: dict[str, int] = {}
    for i, name in enumerate(result):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            result[i] = f"{name}-{seen[name]}"
    return result


def common_path(paths: Sequence[str]) -> str:
    """The path that all of these begin with, as ids joined with /: where the signals hang in the equipment tree."""
    split = [[signal_id(part) for part in path.split("/") if part] for path in paths]
    same = []
    for level in zip(*split, strict=False):
        if len(set(level)) > 1:
            break
        same.append(level[0])
    return "/".join(same)


def _unit(words: tuple[str, ...], unit: str, datatype: Datatype | None) -> tuple[str, str]:
    text = unit.strip()
    if text:
        own = _UNITS.get(text.lower(), text)
        if text in ("C",):
            own = "degC"
        return (own, "unit from the device") if unit_known(own) else ("", f"the device's unit '{text}' is not known")
    if datatype not in _REALS and datatype not in _INTEGERS:
        return "", ""
    for suffix, own in _SUFFIXES:
        if len(words) > 1 and words[-1] == suffix:
            return own, "unit guessed from the name"
    joined = " ".join(words)
    for names, own in _WORDS:
        if any(re.search(rf"\b{name}\b", joined) for name in names):
            return own, "unit guessed from the name"
    return "", ""


def _kind(words: tuple[str, ...], datatype: Datatype | None, unit: str, description: str) -> tuple[SignalKind, str]:
    if datatype in (Datatype.BOOLEAN, Datatype.STRING, Datatype.DATETIME):
        return SignalKind.STATE, ""
    said = {*words, *words_of(description)}
    if unit in _COUNTED_UNITS or ((not unit or unit == "h") and _COUNTS & set(words)):
        return SignalKind.COUNTER, "counter by its unit" if unit in _COUNTED_UNITS else "counter by its name"
    if datatype in _INTEGERS and not unit and _STATES & said:
        return SignalKind.STATE, "state by its name"
    return SignalKind.MEASURE, ""
