"""Reads MTConnect documents of versions 1.x and 2.x; entities and document types are refused, sizes are bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.parsers import expat

from lineshaft.drivers.mtconnect.documents import (
    UNAVAILABLE,
    AgentError,
    Component,
    DataItem,
    Document,
    Header,
    Observations,
    Probe,
    Streams,
)
from lineshaft.errors import DataError

_NAMESPACE = re.compile(r"^urn:mtconnect\.org:MTConnect(?:Devices|Streams|Error):(?P<version>[12]\.\d+)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DEPTH: Final = 64
_LEVELS: Final = frozenset({"Normal", "Warning", "Fault", "Unavailable"})
_LONGEST_VALUE: Final = 4 * 2**20
Attributes = Mapping[str, str]


def time_us(text: str) -> int:
    """xs:dateTime -> UTC microseconds; digits below the microsecond are cut off, no zone means UTC. Raises ValueError.

    >>> time_us("1970-01-01T00:00:01.1234567Z"), time_us("1970-01-01T01:00:00+01:00")
    (1123456, 0)
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def parse(data: bytes, wanted: Container[str] | None = None, *, limit: int = 2**25) -> Document:
    """Read one document; of its observations those of the `wanted` data items alone, all when None.

    limit: bytes. Raises DataError when it is no MTConnect document, too large, or has a document type or entities.
    """
    if len(data) > limit:
        raise DataError(f"a document of {len(data)} bytes; the limit is {limit}")
    reader = _Reader(wanted)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DataError(f"not XML: {error}") from error
    except (ValueError, OverflowError, LookupError) as error:
        raise DataError(f"not an MTConnect document: {error}") from error
    return reader.document()


def _refuse_doctype(*_: object) -> None:
    raise DataError("the document has a document type declaration, which may hide entities")


def _refuse_entity(*_: object) -> None:
    raise DataError("the document declares entities")


class _Reader:
    """Expat's handlers, which fill one document."""

    def __init__(self, wanted: Container[str] | None) -> None:
        self._wanted = wanted
        self._depth = 0
        self._root = ""
        self._version = ""
        self._header: Header | None = None
        self._text: list[str] | None = None  # collects characters between two tags, where anybody wants them
        self._size = 0
        self._ended: Callable[[str], None] | None = None
        self._owners: list[tuple[str, int]] = []  # ids of the components around and their depths, innermost last
        self._tags: list[str] = []
        self.components: dict[str, Component] = {}
        self.items: list[DataItem] = []
        self.observations = Observations()
        self._row: tuple[str, Attributes] | None = None  # tag and attributes of the observation that is open
        self._entries: dict[str, str | dict[str, str] | None] | None = None
        self._cells: dict[str, str] | None = None
        self._errors: list[tuple[str, str]] = []

    def document(self) -> Document:
        """What was read. Raises DataError when the header is missing."""
        if self._root == "MTConnectError":
            return AgentError(self._header, tuple(self._errors))
        if self._header is None:
            raise DataError("the document has no Header")
        if self._root == "MTConnectDevices":
            return Probe(self._header, tuple(self.components.values()), tuple(self.items))
        if not self._header.next:
            raise DataError("the Header has no nextSequence")
        return Streams(self._header, self.observations)

    def start(self, name: str, attributes: Attributes) -> None:
        space, _, tag = name.rpartition(" ")
        self._depth += 1
        self._tags.append(tag)
        if self._depth > _DEPTH:
            raise DataError(f"elements deeper than {_DEPTH}")
        if self._depth == 1:
            self._begin(space, tag)
        elif tag == "Header" and self._depth == 2:
            self._header = _header(attributes, self._version)
        elif self._root == "MTConnectStreams":
            self._start_in_streams(tag, attributes)
        elif self._root == "MTConnectDevices":
            self._start_in_devices(tag, attributes)
        elif "errorCode" in attributes:
            code = attributes["errorCode"]
            self._collect(lambda text: self._errors.append((code, text.strip())))

    def end(self, name: str) -> None:
        tag = self._tags.pop()
        if self._ended is not None and self._text is not None:
            ended, text = self._ended, "".join(self._text)
            self._ended, self._text = None, None
            ended(text)
        if self._root == "MTConnectStreams":
            self._end_in_streams(tag)
        elif self._owners and self._owners[-1][1] == self._depth:
            self._owners.pop()
        self._depth -= 1

    def characters(self, text: str) -> None:
        if self._text is not None:
            self._size += len(text)
            if self._size > _LONGEST_VALUE:
                raise DataError(f"a value longer than {_LONGEST_VALUE} characters")
            self._text.append(text)

    def _begin(self, space: str, tag: str) -> None:
        match = _NAMESPACE.match(space)
        if tag not in ("MTConnectDevices", "MTConnectStreams", "MTConnectError"):
            raise DataError(f"a document of another kind: {tag[:80]}")
        if match is None and space:
            raise DataError(f"a document of an unknown version: {space[:80]}")
        self._root = tag
        self._version = match["version"] if match else ""

    def _collect(self, ended: Callable[[str], None]) -> None:
        self._text, self._size, self._ended = [], 0, ended

    def _start_in_devices(self, tag: str, attributes: Attributes) -> None:
        owner = self._owners[-1][0] if self._owners else ""
        if tag == "DataItem":
            rate = attributes.get("sampleRate", "")
            self.items.append(
                DataItem(
                    id=_needed(attributes, "id", tag),
                    name=attributes.get("name", ""),
                    category=_needed(attributes, "category", tag),
                    type=_needed(attributes, "type", tag),
                    sub_type=attributes.get("subType", ""),
                    units=attributes.get("units", ""),
                    representation=attributes.get("representation", "VALUE"),
                    sample_rate=float(rate) if rate else None,
                    component=owner,
                )
            )
        elif tag == "Description" and owner:
            self._collect(lambda text: self._describe(owner, attributes, text))
        elif "id" in attributes and self._tags[-2] in ("Devices", "Components"):
            made = Component(attributes["id"], tag, attributes.get("name", ""), owner, attributes.get("uuid", ""))
            self.components[made.id] = made
            self._owners.append((made.id, self._depth))

    def _describe(self, owner: str, attributes: Attributes, text: str) -> None:
        old = self.components[owner]
        words = [attributes.get("manufacturer", ""), attributes.get("model", ""), " ".join(text.split())]
        said = " ".join(word for word in words if word)
        self.components[owner] = Component(old.id, old.kind, old.name, old.parent, old.uuid, said)

    def _start_in_streams(self, tag: str, attributes: Attributes) -> None:
        if self._row is not None:
            self._start_entry(tag, attributes)
            return
        item = attributes.get("dataItemId")
        if item is None or "sequence" not in attributes:
            return
        if self._wanted is None or item in self._wanted:
            self._row, self._entries = (tag, attributes), None
            self._collect(self._close_value)

    def _start_entry(self, tag: str, attributes: Attributes) -> None:
        """An Entry of a data set or table, or a Cell of an Entry."""
        if tag not in ("Entry", "Cell") or "key" not in attributes:
            return
        key = attributes["key"]
        if self._entries is None:
            self._entries = {}
        if tag == "Cell" and self._cells is not None:
            cells = self._cells
            self._collect(lambda text: cells.__setitem__(key, text))
            return
        if attributes.get("removed") == "true":
            self._entries[key] = None
            self._collect(lambda _: None)
            return
        entries, self._cells = self._entries, {}
        cells = self._cells

        def close(text: str) -> None:
            entries[key] = text

        entries[key] = cells
        self._collect(close)

    def _close_value(self, text: str) -> None:
        """The text of an observation without entries; one with entries is closed by its end tag."""
        row, self._row = self._row, None
        if row is not None:
            self._add(*row, text)

    def _end_in_streams(self, tag: str) -> None:
        if self._row is None or tag in ("Entry", "Cell") or tag != self._row[0]:
            return
        (_, attributes), self._row = self._row, None
        entries, self._entries = self._entries or {}, None
        self._add(tag, attributes, json.dumps(entries, ensure_ascii=False), "text")

    def _add(self, tag: str, attributes: Attributes, text: str, kind: str = "") -> None:
        value: str | None = text
        rate = 0.0
        if tag in _LEVELS:
            value, kind = _condition(tag, attributes, text), "text"
        elif text == UNAVAILABLE:
            value = None
        elif "sampleCount" in attributes and kind != "text":
            kind, rate = "series", float(attributes.get("sampleRate") or 0)
        elif "nativeCode" in attributes:
            value, kind = f"{attributes['nativeCode']}|{text}", "text"
        try:
            moment = time_us(attributes.get("timestamp", ""))
        except ValueError:
            moment = self._header.created if self._header else 0
            self.observations.doubtful.add(len(self.observations))
        rows = self.observations
        rows.items.append(attributes["dataItemId"])
        rows.sequences.append(int(attributes["sequence"]))
        rows.times.append(moment)
        rows.texts.append(value)
        rows.kinds.append(kind)
        rows.rates.append(rate)


def _needed(attributes: Attributes, name: str, tag: str) -> str:
    value = attributes.get(name)
    if not value:
        raise DataError(f"a {tag} without {name}")
    return value


def _header(attributes: Attributes, version: str) -> Header:
    first, last, next_ = (int(attributes.get(f"{word}Sequence") or 0) for word in ("first", "last", "next"))
    if min(first, last, next_) < 0 or max(first, last, next_) >= 2**64:
        raise DataError("a sequence number that cannot be")
    return Header(
        instance=attributes.get("instanceId", ""),
        version=version,
        created=time_us(_needed(attributes, "creationTime", "Header")),
        first=first,
        last=last,
        next=next_,
    )


def _condition(tag: str, attributes: Attributes, text: str) -> str | None:
    """`LEVEL|code|severity|qualifier|words`, as an adapter would have sent it; empty fields at the end are left out.

    A conditionId that is not the code follows it after a colon; a bar inside of a field is written with a backslash.
    """
    code, condition = attributes.get("nativeCode", ""), attributes.get("conditionId", "")
    if condition and condition != code:
        code = f"{code}:{condition}"
    fields = [code, attributes.get("nativeSeverity", ""), attributes.get("qualifier", "")]
    escaped = [field.replace("|", "\\|") for field in fields]
    return "|".join([tag.upper(), *escaped, text]).rstrip("|")
