"""The device model of a simulated CNC, and how its agent writes it and its observations as XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

Level = Literal["Normal", "Warning", "Fault", "Unavailable"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = {"PH": "PH", "AC": "AC", "DC": "DC", "URI": "URI", "MTCONNECT": "MTConnect"}
_MODEL_CHANGE = (1, 7)
"""Version since which a header says when the device model changed last; a required attribute."""
_GROUPS = (("Samples", "SAMPLE"), ("Events", "EVENT"), ("Condition", "CONDITION"))


@dataclass(frozen=True, slots=True)
class AgentItem:
    """One data item. `component` is the way to it below the device: ("Axes:base", "Linear:X") is kind and name."""

    id: str
    category: Literal["SAMPLE", "EVENT", "CONDITION"]
    type: str
    component: tuple[str, ...] = ()
    name: str = ""
    sub_type: str = ""
    units: str = ""
    representation: Literal["VALUE", "TIME_SERIES", "DATA_SET", "DISCRETE"] = "VALUE"
    sample_rate: float = 0.0  # Hz


@dataclass(frozen=True, slots=True)
class AgentObservation:
    """One observation. `value`: a text, numbers of a time series, or the entries of a data set; None: unavailable."""

    item: str
    time_us: int
    value: str | float | Sequence[float] | Mapping[str, str] | None = None
    level: Level = "Normal"  # of a condition, whose words are its value
    native_code: str = ""
    native_severity: str = ""
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class AgentDevice:
    """The machine that an agent speaks for."""

    name: str
    uuid: str
    items: tuple[AgentItem, ...]
    manufacturer: str = ""
    model: str = ""

    @property
    def id(self) -> str:
        """Id of the device element."""
        return f"{self.name}-device"


@dataclass(frozen=True, slots=True)
class AgentHeader:
    """What every document says about the agent."""

    version: str
    instance: int
    now_us: int
    buffer_size: int
    first: int
    last: int
    sender: str = "lineshaft"
    extra: str = field(default="")
    changed_us: int = 0  # when the device model changed last; 0: not said


def iso(time_us: int) -> str:
    """UTC microseconds as xs:dateTime."""
    return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def element_name(type_: str, representation: str = "VALUE") -> str:
    """PATH_FEEDRATE -> PathFeedrate, a time series of it PathFeedrateTimeSeries."""
    prefix, colon, plain = type_.rpartition(":")
    name = "".join(_KEPT.get(word, word.capitalize()) for word in plain.split("_"))
    suffix = {"TIME_SERIES": "TimeSeries", "DATA_SET": "DataSet"}.get(representation, "")
    return f"{prefix}{colon}{name}{suffix}"


def _attributes(pairs: Iterable[tuple[str, object]]) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in pairs if value not in ("", 0.0))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _document(kind: str, header: AgentHeader, body: str, *, sequences: bool = False) -> bytes:
    space = f"urn:mtconnect.org:MTConnect{kind}:{header.version}"
    pairs: list[tuple[str, object]] = [
        ("creationTime", iso(header.now_us)),
        ("sender", header.sender),
        ("instanceId", str(header.instance)),
        ("version", f"{header.version}.0.0"),
        ("bufferSize", str(header.buffer_size)),
    ]
    if kind != "Error" and header.changed_us and _number(header.version) >= _MODEL_CHANGE:
        pairs.append(("deviceModelChangeTime", iso(header.changed_us)))
    if kind == "Devices":
        pairs += [("assetBufferSize", "1024"), ("assetCount", "0")]
    if sequences:
        pairs += [
            ("firstSequence", str(header.first)),
            ("lastSequence", str(header.last)),
            ("nextSequence", header.extra or str(header.last + 1)),
        ]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<MTConnect{kind} xmlns="{space}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{space} /schemas/MTConnect{kind}_{header.version}.xsd">'
        f"<Header{_attributes(pairs)}/>{body}</MTConnect{kind}>\n"
    ).encode()


def devices_document(header: AgentHeader, device: AgentDevice) -> bytes:
    """The answer to probe."""
    words = _attributes((("manufacturer", device.manufacturer), ("model", device.model)))
    inside = f"<Description{words}/>" if words else ""
    inside += _inside(device, (), device.items)
    open_ = _attributes((("id", device.id), ("name", device.name), ("uuid", device.uuid)))
    return _document("Devices", header, f"<Devices><Device{open_}>{inside}</Device></Devices>")


def _inside(device: AgentDevice, way: tuple[str, ...], items: Sequence[AgentItem]) -> str:
    """DataItems and Components below the component at `way`."""
    own = "".join(_data_item(item) for item in items if item.component == way)
    text = f"<DataItems>{own}</DataItems>" if own else ""
    depth = len(way)
    below = dict.fromkeys(item.component[depth] for item in items if len(item.component) > depth)
    parts = []
    for part in below:
        kind, _, name = part.partition(":")
        under = (*way, part)
        nested = _inside(device, under, [item for item in items if item.component[: depth + 1] == under])
        parts.append(f"<{kind}{_attributes((('id', component_id(device, under)), ('name', name)))}>{nested}</{kind}>")
    return text + (f"<Components>{''.join(parts)}</Components>" if parts else "")


def _data_item(item: AgentItem) -> str:
    pairs = (
        ("category", item.category),
        ("id", item.id),
        ("name", item.name),
        ("type", item.type),
        ("subType", item.sub_type),
        ("units", item.units),
        ("representation", "" if item.representation == "VALUE" else item.representation),
        ("sampleRate", f"{item.sample_rate:g}" if item.sample_rate else ""),
    )
    return f"<DataItem{_attributes(pairs)}/>"


def component_id(device: AgentDevice, way: tuple[str, ...]) -> str:
    """Id of the component at `way`, that of the device when it is empty."""
    return "-".join([device.name, *(part.partition(":")[2] or part for part in way)]) if way else device.id


def streams_document(header: AgentHeader, device: AgentDevice, rows: Sequence[tuple[int, AgentObservation]]) -> bytes:
    """The answer to current and sample: (sequence number, observation)."""
    items = {item.id: item for item in device.items}
    by_component: dict[tuple[str, ...], list[tuple[int, AgentObservation]]] = {}
    for row in rows:
        by_component.setdefault(items[row[1].item].component, []).append(row)
    parts = []
    for way, own in by_component.items():
        kind, _, name = way[-1].partition(":") if way else ("Device", "", device.name)
        pairs = (("component", kind), ("name", name), ("componentId", component_id(device, way)))
        groups = ""
        for group, category in _GROUPS:
            found = [
                _observation(items[o.item], sequence, o) for sequence, o in own if items[o.item].category == category
            ]
            groups += f"<{group}>{''.join(found)}</{group}>" if found else ""
        parts.append(f"<ComponentStream{_attributes(pairs)}>{groups}</ComponentStream>")
    whole = _attributes((("name", device.name), ("uuid", device.uuid)))
    body = f"<DeviceStream{whole}>{''.join(parts)}</DeviceStream>" if parts else ""
    return _document("Streams", header, f"<Streams>{body}</Streams>", sequences=True)


def _observation(item: AgentItem, sequence: int, seen: AgentObservation) -> str:
    pairs: list[tuple[str, object]] = [
        ("dataItemId", item.id),
        ("name", item.name),
        ("sequence", str(sequence)),
        ("subType", item.sub_type),
        ("timestamp", iso(seen.time_us)),
    ]
    if item.category == "CONDITION":
        level = "Unavailable" if seen.value is None and seen.level == "Normal" else seen.level
        pairs += [
            ("type", item.type),
            ("nativeCode", seen.native_code),
            ("nativeSeverity", seen.native_severity),
            ("qualifier", seen.qualifier),
        ]
        return f"<{level}{_attributes(pairs)}>{escape(str(seen.value or ''))}</{level}>"
    tag = element_name(item.type, item.representation)
    pairs.append(("nativeCode", seen.native_code))
    value = seen.value
    if item.representation == "TIME_SERIES":
        numbers = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
        pairs.append(("sampleCount", str(len(numbers))))
        value = None if value is None else " ".join(f"{number:.9g}" for number in numbers)
    if item.representation == "DATA_SET" and value is None:
        pairs.append(("count", "0"))
    if isinstance(value, Mapping):
        pairs.append(("count", str(len(value))))
        entries = "".join(f"<Entry key={quoteattr(key)}>{escape(text)}</Entry>" for key, text in value.items())
        return f"<{tag}{_attributes(pairs)}>{entries}</{tag}>"
    text = "UNAVAILABLE" if value is None else repr(value) if isinstance(value, float) else str(value)
    return f"<{tag}{_attributes(pairs)}>{escape(text)}</{tag}>"


def error_document(header: AgentHeader, code: str, words: str) -> bytes:
    """Why a request is refused."""
    body = f"<Errors><Error errorCode={quoteattr(code)}>{escape(words)}</Error></Errors>"
    return _document("Error", header, body)
