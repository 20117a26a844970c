"""JSON documents to rows: which member is a signal's value and which its time. MQTT, HTTP and webhooks share it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NoReturn, Protocol

from pydantic import AfterValidator

from lineshaft.config.models import Section, key
from lineshaft.drivers.base import Point
from lineshaft.drivers.bits import BitField, field_of, hex_bytes
from lineshaft.drivers.records import iso_time
from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch

MISSING: Final = object()
_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EXACT: Final = 2**53
_LATEST_US: Final = 253_402_300_799_000_000  # the year 9999
_MOST_ROWS: Final = 100_000
_PICK: Final = re.compile(r"\[([^=\]]+)=([^\]]*)\]")
_NUMBER: Final = re.compile(r"[+-]?(?:0|[1-9]\d{0,400})(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?")
_GOOD_WORDS: Final = frozenset({"true", "1", "good", "ok", "valid", "192"})


def _pointer(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError(f"'{value}' is no JSON pointer; it begins with /, like /data/temperature")
    if value.count("/*/") + value.endswith("/*") > 1:
        raise ValueError(f"'{value}' has more than one *")
    return value


def _field(value: str) -> str:
    if value:
        field_of(value)
    return value


_BITS: Final = re.compile(r" #(b(?:yte|it)\d\S*)(?= @/|$)")
AT_TIME: Final = " @"
"""Between the pointer of a value and that of its time, in an address that is one text: `/value @/ts`."""


def places(text: str) -> dict[str, str]:
    """`/value`, `/value #byte0:int16`, `/value @/time` or all three as keys of a JsonAddress."""
    text, bits = without_bits(text)
    value, found, time = text.partition(f"{AT_TIME}/")
    return {**bits, **({"value": value, "time": f"/{time}"} if found else {"value": text})}


def without_bits(text: str) -> tuple[str, dict[str, str]]:
    """An address that is one text without its field of bits, and that field as key of a JsonAddress."""
    found = _BITS.search(text)
    return (text[: found.start()] + text[found.end() :], {"bits": found[1]}) if found else (text, {})


Pointer = Annotated[str, AfterValidator(_pointer)]
Field = Annotated[str, AfterValidator(_field)]


class JsonForm(Section):
    """How the documents of a source are built."""

    time: Pointer = key("", "JSON pointer to the time; the moment of arrival when empty. A signal may have its own.")
    time_unit: Literal["s", "ms", "us", "ns"] = key(
        "ms", "Unit of times that are numbers since 1970; text is ISO 8601."
    )
    quality: Pointer = key("", "JSON pointer to the quality: true, 1, 192, good, ok and valid are good.")


class JsonAddress(Section):
    """Where a value is in a document."""

    value: Pointer = key(
        "",
        "JSON pointer: /data/temperature, /list/0; [id=7] picks the element of a list that has this member, * takes "
        "all of them, one row each. Empty: the whole document.",
    )
    bits: Field = key(
        "",
        "Field in bytes that stand there as hexadecimal text, such as the process data of an IO-Link device: "
        "byte0:int24 (first byte, from the front) or bit4:uint12 (lowest bit, from the end, as an IODD counts); bool, "
        "int2 to int64, uint1 to uint64, float32, float64. The most significant byte comes first.",
    )
    time: Pointer | None = key(None, "JSON pointer to the time; the connection's when empty.")
    quality: Pointer | None = key(None, "JSON pointer to the quality; the connection's when empty.")


class HasJson(Protocol):
    """A form, as a connection has it."""

    @property
    def time(self) -> str:
        """Pointer to the time."""
        ...

    @property
    def time_unit(self) -> str:
        """Unit of numbers."""
        ...

    @property
    def quality(self) -> str:
        """Pointer to the quality."""
        ...


def parse(payload: bytes | str) -> Any:
    """The document. A payload that is no JSON, like 21.5 C or 0042, is refused. Raises DataError."""
    try:
        text = payload if isinstance(payload, str) else payload.decode("utf-8-sig")
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise DataError(f"no JSON: {str(error)[:200]}") from error


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large")
    return value


def steps_of(pointer: str) -> tuple[str, ...]:
    """The parts of a JSON pointer (RFC 6901), unescaped."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def find(document: Any, steps: Sequence[str], index: int | None = None) -> Any:
    """What is at a place, or MISSING. `index` stands for `*`; without it `*` gives the list itself."""
    for at, step in enumerate(steps):
        if isinstance(document, dict):
            document = document.get(step, MISSING)
        elif isinstance(document, list):
            if step == "*":
                if index is None:
                    return document if not steps[at + 1 :] else MISSING
                step = str(index)
            document = _of_list(document, step)
        else:
            return MISSING
    return document


def _of_list(items: list[Any], step: str) -> Any:
    picked = _PICK.fullmatch(step)
    if picked is not None:
        name, wanted = picked[1], picked[2]
        return next((one for one in items if isinstance(one, dict) and _word(one.get(name)) == wanted), MISSING)
    if not (step.isascii() and step.isdecimal() and len(step) < 9) or int(step) >= len(items):
        return MISSING
    return items[int(step)]


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, int | float) else None


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a document."""

    number: float = math.nan
    text: str | None = None
    quality: int = Quality.GOOD


def cell_of(value: Any, datatype: Datatype) -> Cell:
    """A JSON value as a sample. Text that is a number becomes one, but not where the signal's datatype is String and
    not with leading zeros: 0042 is an identifier. A list or an object is text for a String, else no value."""
    if isinstance(value, bool):
        return Cell(text=json.dumps(value)) if datatype is Datatype.STRING else Cell(float(value))
    if isinstance(value, str):
        if datatype is not Datatype.STRING and _NUMBER.fullmatch(value):
            return _number(int(value) if value.lstrip("+-").isdecimal() else float(value))
        return Cell(text=value)
    if isinstance(value, int | float):
        return Cell(text=json.dumps(value)) if datatype is Datatype.STRING else _number(value)
    if value is None or datatype is not Datatype.STRING:
        return Cell(quality=Quality.BAD_NO_VALUE)
    return Cell(text=json.dumps(value, ensure_ascii=False))


def field_cell(bits: BitField, value: Any, datatype: Datatype) -> Cell:
    """The number in a field of hexadecimal text: bad device where there is none, bad address where it is too short."""
    if value is None or value == "":
        return Cell(quality=Quality.BAD_NO_VALUE)
    try:
        data = hex_bytes(value) if isinstance(value, str) else b""
    except DataError:
        data = b""
    if not data:
        return Cell(quality=Quality.BAD_DEVICE)
    try:
        return cell_of(bits.read(data), datatype)
    except DataError:
        return Cell(quality=Quality.BAD_ADDRESS)


def _number(value: float) -> Cell:
    try:
        number = float(value)
    except OverflowError:
        return Cell(quality=Quality.BAD_NO_VALUE)
    if not math.isfinite(number):
        return Cell(quality=Quality.BAD_NO_VALUE)
    return Cell(number, str(value) if isinstance(value, int) and abs(value) > _EXACT else None)


def time_of(value: Any, unit: str) -> int:
    """A JSON value -> UTC microseconds. Raises DataError."""
    try:
        if isinstance(value, str) and not _NUMBER.fullmatch(value):
            return iso_time(value)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("no time")
        number = float(value) if isinstance(value, float) or (isinstance(value, str) and "." in value) else int(value)
        moment = (
            number * 10**6 // _PER_SECOND[unit] if isinstance(number, int) else round(number * 1e6 / _PER_SECOND[unit])
        )
        if not 0 <= moment <= _LATEST_US:
            raise ValueError("before 1970 or after 9999")
        return moment
    except (ValueError, OverflowError) as error:
        raise DataError(f"no time: {str(value)[:60]}") from error


@dataclass(slots=True)
class Rows:
    """Columns of a batch in the making."""

    signals: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.signals)

    def add(self, signal: int, time: int, cell: Cell) -> None:
        """Append one row."""
        self.signals.append(signal)
        self.times.append(time)
        self.values.append(cell.number)
        self.qualities.append(cell.quality)
        self.texts.append(cell.text)

    def extend(self, more: Rows) -> None:
        """Append all rows of another."""
        self.signals += more.signals
        self.times += more.times
        self.values += more.values
        self.qualities += more.qualities
        self.texts += more.texts

    def batch(self) -> SampleBatch:
        """The rows as a batch."""
        texts = self.texts if any(text is not None for text in self.texts) else None
        return SampleBatch.of(self.signals, self.times, self.values, self.qualities, texts)


class Extractor:
    """Takes the rows of one point out of documents."""

    def __init__(self, point: Point, form: HasJson) -> None:
        address = point.address
        self.point = point
        self._unit = form.time_unit
        self._value = steps_of(address.value)
        self._bits = field_of(address.bits) if address.bits else None
        self._time = steps_of(form.time if address.time is None else address.time)
        self._quality = steps_of(form.quality if address.quality is None else address.quality)

    def add(self, rows: Rows, document: Any, now_us: int, unknown: int = Quality.GOOD) -> int:
        """Append the rows that a document has for the point; returns how many, 0 when it has no such member.

        unknown: the quality of good values whose document says no time. Raises DataError for a time that is none.
        """
        added = 0
        for index in self._indexes(document):
            value = find(document, self._value, index)
            if value is MISSING:
                continue
            cell = self.cell(value)
            moment, good = now_us, unknown
            if self._time and (told := find(document, self._time, index)) is not MISSING:
                moment, good = time_of(told, self._unit), Quality.GOOD
            if self._quality and not _is_good(find(document, self._quality, index)):
                cell = Cell(quality=Quality.BAD_DEVICE)
            elif cell.quality == Quality.GOOD and good != Quality.GOOD:
                cell = Cell(cell.number, cell.text, good)
            rows.add(self.point.handle, moment, cell)
            added += 1
        return added

    def cell(self, value: Any) -> Cell:
        """What stands at the place as a sample."""
        if self._bits is not None:
            return field_cell(self._bits, value, self.point.datatype)
        return cell_of(value, self.point.datatype)

    def _indexes(self, document: Any) -> Iterator[int | None]:
        if "*" not in self._value:
            yield None
            return
        items = find(document, self._value[: self._value.index("*")])
        if not isinstance(items, list):
            yield None
            return
        if len(items) > _MOST_ROWS:
            raise DataError(f"a list of {len(items)} elements")
        yield from range(len(items))


def _is_good(value: Any) -> bool:
    return isinstance(value, str | int | float) and json.dumps(value).strip('"').lower() in _GOOD_WORDS
