"""The controller's tags as a tree: programs, structures and their members, elements of short arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lineshaft.drivers.base import Browsed
from lineshaft.model.equipment import Datatype

_TYPES: Final = {
    "BOOL": Datatype.BOOLEAN, "SINT": Datatype.INT8, "INT": Datatype.INT16, "DINT": Datatype.INT32,
    "LINT": Datatype.INT64, "USINT": Datatype.UINT8, "UINT": Datatype.UINT16, "UDINT": Datatype.UINT32,
    "ULINT": Datatype.UINT64, "REAL": Datatype.FLOAT, "LREAL": Datatype.DOUBLE, "STRING": Datatype.STRING,
}  # fmt: skip
_BOOL_ARRAY: Final = "DWORD"
_MOST_ELEMENTS: Final = 1000
_PROGRAM: Final = "Program:"


def children(tags: Mapping[str, Mapping[str, Any]], parent: str) -> tuple[Browsed, ...]:
    """What lies below `parent` ('' is the controller) among tags as pycomm3 lists them."""
    if not parent:
        programs = dict.fromkeys(tag.partition(".")[0] for tag in tags if tag.startswith(_PROGRAM))
        folders = tuple(Browsed(name, name.removeprefix(_PROGRAM), has_children=True) for name in programs)
        return folders + tuple(_tag(name, name, tags[name]) for name in tags if not name.startswith(_PROGRAM))
    if parent.startswith(_PROGRAM) and "." not in parent:
        mine = [name for name in tags if name.startswith(f"{parent}.")]
        return tuple(_tag(name, name.removeprefix(f"{parent}."), tags[name]) for name in mine)
    found = _find(tags, parent)
    return tuple(_members(parent, found)) if found is not None else ()


def _find(tags: Mapping[str, Mapping[str, Any]], path: str) -> Mapping[str, Any] | None:
    """The definition at `path`; of an array's element that of one without dimensions."""
    first, *rest = path.split(".")
    if first.startswith(_PROGRAM) and rest:
        first = f"{first}.{rest.pop(0)}"
    found = _element(tags.get(first.partition("[")[0]), first)
    for name in rest:
        if found is None or not isinstance(found["data_type"], Mapping):
            return None
        found = _element(found["data_type"]["internal_tags"].get(name.partition("[")[0]), name)
    return found


def _element(found: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    return {**found, "dim": 0, "array": 0} if found is not None and name.endswith("]") else found


def _dimensions(tag: Mapping[str, Any]) -> tuple[int, ...]:
    if "dim" in tag and "dimensions" in tag:
        return tuple(tag["dimensions"][: tag["dim"]])
    return (tag["array"],) if tag.get("array") else ()


def _members(parent: str, tag: Mapping[str, Any]) -> Iterator[Browsed]:
    dimensions = _dimensions(tag)
    if len(dimensions) == 1:
        count = dimensions[0] * 32 if tag["data_type_name"] == _BOOL_ARRAY else dimensions[0]
        one = {**tag, "dim": 0, "array": 0}
        for index in range(min(count, _MOST_ELEMENTS)):
            yield _tag(f"{parent}[{index}]", f"[{index}]", one)
    elif not dimensions and isinstance(tag["data_type"], Mapping):
        members = tag["data_type"]["internal_tags"]
        for name in tag["data_type"]["attributes"]:
            yield _tag(f"{parent}.{name}", name, members[name])


def _tag(address: str, name: str, tag: Mapping[str, Any]) -> Browsed:
    dimensions = _dimensions(tag)
    kind = str(tag["data_type_name"])
    structure = isinstance(tag["data_type"], Mapping)
    is_text = structure and bool(tag["data_type"].get("string"))
    size = f"[{','.join(map(str, dimensions))}]" if dimensions else ""
    datatype = None
    if not dimensions:
        datatype = Datatype.STRING if is_text else Datatype.BOOLEAN if kind == _BOOL_ARRAY else _TYPES.get(kind)
    return Browsed(
        address,
        name,
        datatype,
        has_children=len(dimensions) == 1 or (not dimensions and structure and not is_text),
        description=kind + size,
    )
