"""What can be read from a controller: the items that addresses name, with their types and words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality

Kind = Literal["number", "text", "word", "bits"]
_LIMIT: Final = {"0": "LOW", "1": "OK", "2": "HIGH"}
_OK: Final = {"0": "NOK", "1": "OK"}
_BATCH: Final = {"0": "NOK", "1": "OK", "2": "NOT USED", "3": "RUNNING"}
_UNITS: Final = {
    "1": "Nm", "2": "Lbf.ft", "3": "Lbf.In", "4": "Kpm", "5": "Kgf.cm", "6": "ozf.in", "7": "%", "8": "Ncm",
}  # fmt: skip
_RESULTS: Final = {
    "1": "TIGHTENING", "2": "LOOSENING", "3": "BATCH INCREMENT", "4": "BATCH DECREMENT", "5": "BYPASSED",
    "6": "JOB ABORTED", "7": "SYNC TIGHTENING", "8": "REFERENCE SETUP",
}  # fmt: skip
_ERRORS: Final = (
    "rundown angle above its maximum", "rundown angle below its minimum", "torque above its maximum",
    "angle above its maximum", "selftap torque above its maximum", "selftap torque below its minimum",
    "prevailing torque above its maximum", "prevailing torque below its minimum", "prevailing torque compensation",
    "current above its maximum", "post view torque below its minimum", "post view torque above its maximum",
    "post view angle too small", "trigger lost", "torque below its target", "tool hot", "multistage aborted", "rehit",
    "DS measurement failed", "current limit", "time out", "fastener removal limit", "drive disabled",
    "transducer lost", "transducer shorted", "transducer corrupt", "sync time-out", "dynamic current below minimum",
    "dynamic current above maximum", "angle monitor", "yield nut off", "yield too few samples",
)  # fmt: skip
_ERRORS_2: Final = (
    "drive deactivated", "tool stall", "drive hot", "gradient high", "gradient low", "reaction bar", "snug maximum",
    "cycle aborted", "necking", "loosening", "over speed", "no residual torque", "positioning", "snug low",
    "snug high", "dynamic current low", "dynamic current high", "latent result",
)  # fmt: skip

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that an address can name."""

    name: str
    kind: Kind
    description: str
    unit: str = ""
    decimals: int = 0  # places that the number is shifted by
    words: Mapping[str, str] = field(default_factory=dict)
    bits: tuple[str, ...] = ()

    @property
    def datatype(self) -> Datatype:
        """What is natural for it; a word is a number too when the signal says so."""
        return Datatype.DOUBLE if self.kind == "number" else Datatype.STRING


def _numbers(unit: str, decimals: int, **described: str) -> tuple[Item, ...]:
    return tuple(Item(name.replace("_", "-"), "number", words, unit, decimals) for name, words in described.items())


def _texts(**described: str) -> tuple[Item, ...]:
    return tuple(Item(name.replace("_", "-"), "text", words) for name, words in described.items())


def _words(words: Mapping[str, str], **described: str) -> tuple[Item, ...]:
    return tuple(Item(name.replace("_", "-"), "word", text, words=words) for name, text in described.items())


_ALL: Final = (
    *_numbers(
        "", 2, torque="Final torque, in the controller's unit.", torque_min="Lower torque limit.",
        torque_max="Upper torque limit.", torque_target="Torque that was aimed at.",
        selftap_min="Lower limit of the selftap torque.", selftap_max="Upper limit of the selftap torque.",
        selftap_torque="Selftap torque.", prevail_torque="Prevailing torque.",
        prevail_torque_min="Lower limit of the prevailing torque.",
        prevail_torque_max="Upper limit of the prevailing torque.",
        prevail_compensate="Torque by which the result was compensated.",
    ),
    *_numbers(
        "deg", 0, angle="Final angle.", angle_min="Lower angle limit.", angle_max="Upper angle limit.",
        angle_target="Angle that was aimed at.", rundown_angle="Angle of the rundown.",
        rundown_angle_min="Lower limit of the rundown angle.", rundown_angle_max="Upper limit of the rundown angle.",
    ),
    *_numbers("deg", 2, compensated_angle="Compensated angle.", final_angle="Final angle with decimals."),
    *_numbers(
        "%", 0, current="Motor current.", current_min="Lower limit of the current.",
        current_max="Upper limit of the current.",
    ),
    *_numbers(
        "", 0, tightening_id="Number of the tightening at this controller.", cell="Cell.", channel="Channel.",
        job="Job.", job_sequence="Number of the job's run.", parameter_set="Parameter set.", strategy="Strategy.",
        strategy_options="Strategy options, a bit each.", batch_size="Tightenings of a batch.",
        batch_counter="Tightenings of this batch so far.", sync_id="Number of the synchronised tightening.",
        station="Station.",
    ),
    *_texts(
        vin="Serial number of the product (VIN), zeros in front kept.", identifier_2="Second part of the identifier.",
        identifier_3="Third part of the identifier.", identifier_4="Fourth part of the identifier.",
        controller="Name of the controller.", parameter_set_name="Name of the parameter set.",
        parameter_set_changed="When the parameter set was changed last, as the controller writes it.",
        tool_serial="Serial number of the tool.", customer_error="Error code of the customer.",
        station_name="Name of the station.", supplier="Code of the maker.",
        protocol_version="Version of the protocol.", controller_version="Version of the controller.",
        tool_version="Version of the tool.", controller_type="Type of the controller.",
        controller_serial="Serial number of the controller.",
        alarm="Active alarm: its code and its text; 'none' when there is none.",
        trace_result="Number of the result that the last curve belongs to.",
    ),
    *_words(_OK, status="Whether the tightening is good."),
    *_words(
        _LIMIT, torque_status="Torque against its limits.", angle_status="Angle against its limits.",
        rundown_angle_status="Rundown angle against its limits.", current_status="Current against its limits.",
        selftap_status="Selftap torque against its limits.",
        prevail_torque_status="Prevailing torque against its limits.",
        prevail_compensate_status="Compensation against its limits.",
    ),
    *_words(_BATCH, batch_status="Whether the batch is good."),
    *_words(_UNITS, torque_unit="Unit of all torques."),
    *_words(_RESULTS, result_type="What kind of result it is."),
    *_words({"0": "NOT READY", "1": "READY"}, controller_ready="Controller.", tool_ready="Tool."),
    Item("errors", "bits", "Why a tightening is not good.", bits=_ERRORS),
    Item("errors-2", "bits", "More reasons why a tightening is not good.", bits=_ERRORS_2),
    *_numbers("", 0, trace_torque="Curve of the torque.", trace_current="Curve of the current."),
    *_numbers("deg", 0, trace_angle="Curve of the angle."),
    *_numbers("", 0, trace_gradient="Curve of the gradient.", trace_stroke="Curve of the stroke.",
              trace_force="Curve of the force."),
)  # fmt: skip

ITEMS: Final[Mapping[str, Item]] = {item.name: item for item in _ALL}
TRACES: Final[Mapping[str, int]] = {
    "trace-angle": 1, "trace-torque": 2, "trace-current": 3, "trace-gradient": 4, "trace-stroke": 5, "trace-force": 6,
}  # fmt: skip
"""Items that are curves -> the trace type of MID 0900."""


def meaning(item: Item, raw: str, *, as_text: bool) -> tuple[float, int, str | None]:
    """(value, quality, text) of a field's characters. What is not as the specification says is bad, not an error."""
    text = raw.rstrip(" \0")
    if item.kind == "text":
        return math.nan, Quality.GOOD, text
    digits = text.strip()
    if not digits:
        return math.nan, Quality.BAD_NO_VALUE, None
    if not _INTEGER.fullmatch(digits):
        return math.nan, Quality.BAD_DEVICE, raw
    if as_text and item.kind == "word":
        return math.nan, Quality.GOOD, item.words.get(digits.lstrip("0") or "0", digits)
    if as_text and item.kind == "bits":
        return math.nan, Quality.GOOD, _bit_words(item.bits, int(digits))
    if as_text and not item.decimals:
        return math.nan, Quality.GOOD, digits
    value = int(digits) / 10**item.decimals
    return (math.nan, Quality.GOOD, f"{value:.{item.decimals}f}") if as_text else (value, Quality.GOOD, None)


def _bit_words(names: tuple[str, ...], bits: int) -> str:
    found = [names[place] if place < len(names) else f"bit {place}" for place in range(64) if bits >> place & 1]
    return ", ".join(found) or "none"
