"""Machines of a plant that has said nothing about OEE yet, guessed from the names and kinds of its signals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from lineshaft.analytics.oee.states import MTCONNECT, PACKML, SIMPLE
from lineshaft.config.write import flow
from lineshaft.model.equipment import Datatype, Signal, SignalKind

Sure = Literal["likely", "perhaps"]
_STATE: Final = re.compile(r"(^|[-_./ ])(state|status|execution|statecurrent|state-current|machine-state|run-state)$")
_REASON: Final = re.compile(r"(^|[-_./ ])(stop-reason|reason|fault-text|alarm-text|stop-code)$")
_PRODUCT: Final = re.compile(r"(^|[-_./ ])(product|part-number|article|recipe|program)$")
_ORDER: Final = re.compile(r"(^|[-_./ ])(order|work-order|job|order-id)$")
_SCRAP: Final = re.compile(r"(scrap|bad|reject|nok|ng|defect)")
_PARTS: Final = re.compile(r"(part|piece|good|produced|output|count|cycle|shot|stroke)")
_ALL: Final = re.compile(r"(total|all|produced|prodprocessed)")
_POWER: Final = re.compile(r"(^|[-_./ ])(power|power-active|power_active|active-power)$")
_POWER_UNITS: Final = ("W", "kW", "MW", "VA", "kVA")
_PIECES: Final = ("", "1", "pcs", "parts", "pieces", "count")
_RUN_BIT: Final = re.compile(r"(^|[-_./ ])(run|running|in-cycle|cycle-active|producing|auto)$")
_FAULT_BIT: Final = re.compile(r"(^|[-_./ ])(fault|alarm|error|emergency-stop)$")
_NO_MACHINES: Final = (
    "meter", "sensor", "pump", "fan", "chiller", "compressor", "inverter", "tank", "boiler", "tower", "feeder",
    "transformer", "dryer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """An asset with its signals, and what is known of their values: texts that came, low and high of a power."""

    path: str  # below the site
    name: str
    type: str
    signals: tuple[Signal, ...]
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)  # signal name -> texts
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # signal name -> (idle, busy) values


@dataclass(frozen=True, slots=True)
class Guess:
    """A machine as the section `oee` would have it. `words` say what the guess rests on and what to look at."""

    asset: str
    name: str
    sure: Sure
    config: Mapping[str, Any]
    words: tuple[str, ...]


def is_state(signal: Signal) -> bool:
    """Whether a signal may be what tells a machine's state."""
    return (
        signal.kind is SignalKind.STATE and signal.datatype is not Datatype.BOOLEAN and bool(_STATE.search(signal.name))
    )


def is_power(signal: Signal) -> bool:
    """Whether a signal is the electric power of its asset."""
    return signal.kind is SignalKind.MEASURE and signal.unit in _POWER_UNITS and bool(_POWER.search(signal.name))


def propose(assets: Sequence[Seen], known: Sequence[str] = ()) -> tuple[Guess, ...]:
    """A guess for each asset that looks like a machine and is not in `known`, in their order."""
    found = (_guess(one) for one in assets if one.path not in known)
    return tuple(one for one in found if one is not None)


def _guess(seen: Seen) -> Guess | None:
    words: list[str] = []
    config: dict[str, Any] = {"asset": seen.path}
    counters = _counters(seen)
    if not counters and any(word in seen.type.lower() for word in _NO_MACHINES):
        return None
    told = _state(seen, words) or _bits(seen, words) or _power(seen, words) or _counts(counters, words)
    if not told:
        return None
    sure: Sure = "likely" if told.pop("_sure") else "perhaps"
    config |= told | counters
    for key, pattern in (("reason", _REASON), ("product", _PRODUCT), ("order", _ORDER)):
        text = next((one.name for one in seen.signals if one.datatype.is_text and pattern.search(one.name)), None)
        if text is not None:
            config[key] = text
    if counters:
        words.append("parts are counted by " + ", ".join(counters.values()))
    else:
        words.append("no part counter was found: effectiveness and quality stay unknown")
        sure = "perhaps"
    words.append("the ideal cycle is not known: see /oee/cycles once it ran, or add `cycle`")
    return Guess(seen.path, seen.name, sure, config, tuple(words))


def _state(seen: Seen, words: list[str]) -> dict[str, Any]:
    for one in seen.signals:
        if not is_state(one):
            continue
        words_of = dict(one.states)
        values = {*words_of.values(), *(words_of.get(text, text) for text in seen.texts.get(one.name, ()))}
        if values & MTCONNECT.keys():
            words.append(f"{one.name} has the words of MTConnect's execution")
            return {"state": one.name, "standard": "mtconnect", "_sure": True}
        if values & SIMPLE.keys():
            unknown = sorted(values - SIMPLE.keys() - {""})
            more = f"; say in `map` what {', '.join(unknown[:6])} mean" if unknown else ""
            words.append(f"{one.name} names states{more}")
            return {"state": one.name, "_sure": not unknown}
        if (
            values and {value.removesuffix(".0") for value in values} <= PACKML.keys()
        ) or "packml" in seen.type.lower():
            words.append(f"{one.name} has the numbers of PackML's StateCurrent")
            return {"state": one.name, "standard": "packml", "_sure": True}
        words.append(f"{one.name} looks like a state; say in `map` what its values mean")
        return {"state": one.name, "_sure": False}
    return {}


def _bits(seen: Seen, words: list[str]) -> dict[str, Any]:
    bits = [one for one in seen.signals if one.datatype is Datatype.BOOLEAN]
    run = next((one.name for one in bits if _RUN_BIT.search(one.name)), None)
    fault = next((one.name for one in bits if _FAULT_BIT.search(one.name)), None)
    if run is None:
        return {}
    words.append(f"{run} is taken for running" + (f", {fault} for a fault" if fault else ""))
    found = [{"signal": fault, "state": "fault"}] if fault else []
    return {"bits": [*found, {"signal": run, "state": "running"}], "_sure": True}


def _power(seen: Seen, words: list[str]) -> dict[str, Any]:
    for one in seen.signals:
        if not is_power(one):
            continue
        low, high = seen.spans.get(one.name, (0.0, one.high or 0.0))
        if high <= low:
            words.append(f"{one.name} would tell the state once it has been seen at work")
            continue
        idle, running = low + 0.15 * (high - low), low + 0.45 * (high - low)
        limits = f"idle below {idle:.2g}, running from {running:.2g} {one.unit} on"
        words.append(f"{one.name}: {limits}; it was between {low:.3g} and {high:.3g}")
        return {"power": {"signal": one.name, "idle": _round(idle), "running": _round(running)}, "_sure": False}
    return {}


def _counts(counters: Mapping[str, str], words: list[str]) -> dict[str, Any]:
    if not counters:
        return {}
    words.append("nothing tells the state: without a part for five minutes it is taken to stand")
    return {"counts": {"longest": "5min"}, "_sure": False}


def _counters(seen: Seen) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in seen.signals:
        name = one.name.lower()
        if one.kind is not SignalKind.COUNTER or one.unit not in _PIECES:
            continue
        if _SCRAP.search(name):
            found.setdefault("scrap", one.name)
        elif "rework" in name:
            found.setdefault("rework", one.name)
        elif _ALL.search(name) and "good" not in name:
            found.setdefault("total", one.name)
        elif _PARTS.search(name):
            found.setdefault("good", one.name)
    if "good" in found:
        found.pop("total", None)
    return found if "good" in found or "total" in found else {}


def _round(value: float) -> float:
    return float(f"{value:.2g}")


def section(guesses: Sequence[Guess]) -> str:
    """The section `oee` as a plant file; each machine with what its guess rests on."""
    lines = [
        "# Guessed from the names and kinds of signals. Look at each line before you use it.",
        "oee:",
        "  machines:",
    ]
    for one in guesses:
        lines += [f"    # {one.name}: {one.sure}. {'; '.join(one.words)}", f"    - {flow(one.config)}"]
    flows = _flows(guesses)
    if flows:
        lines.append("  lines:")
        lines += [f"    # is this the order in which parts flow?\n    - {flow(one)}" for one in flows]
    return "\n".join(lines) + "\n"


def _flows(guesses: Sequence[Guess]) -> list[dict[str, Any]]:
    """Machines that count parts and hang below the same node, in their order, as lines."""
    by_line: dict[str, list[str]] = {}
    for one in guesses:
        line, _, name = one.asset.rpartition("/")
        if line and (one.config.keys() & {"good", "total"}):
            by_line.setdefault(line, []).append(name)
    return [{"path": line, "flow": names} for line, names in by_line.items() if len(names) > 1]
