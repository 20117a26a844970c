"""Reads one YAML file into plain values and remembers the file and line of every one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from lineshaft.errors import Problem

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML was built without libyaml: slower, the same result
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

Key = tuple[str | int, ...]
"""Where a value is in a document: mapping keys and list positions from the top."""

MAX_VALUES = 500_000
"""Bound on values in one file, aliases counted each time: a small file cannot expand without end."""

MAX_DEPTH = 64
"""Bound on nesting; what composes nodes would run out of stack on deeper text."""

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Mark:
    """The place of one value; lines count from 1."""

    file: str
    line: int


@dataclass(slots=True)
class Document:
    """Plain values (dict, list, str, int, float, bool, None) with the mark of each one."""

    data: Any = None
    marks: dict[Key, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def mark(self, at: Key) -> Mark:
        """The mark of the value at `at`, or of the nearest value around it."""
        for end in range(len(at), -1, -1):
            found = self.marks.get(at[:end])
            if found is not None:
                return found
        return Mark("", 0)


class _Loader(_Base):
    """Composes nodes; scalars follow the YAML 1.2 core schema, so 06:00 and on and off stay text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the way PyYAML wants it


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9_]*)|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    (
        "float",
        r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf)|\.nan|\.NaN",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), list(_first))


def parse(text: str, file: str) -> Document:
    """Parse one file; syntax errors and duplicate keys are in `problems`, never raised."""
    document = Document()
    deep = _too_deep(text)
    if deep is not None:
        document.problems.append(Problem(file, deep, "YAML", "", f"nested deeper than {MAX_DEPTH} levels"))
        return document
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ": ".join(part for part in (error.context, error.problem) if part)
        document.problems.append(Problem(file, mark.line + 1 if mark else 0, "YAML", "", words or "cannot be read"))
        return document
    except yaml.YAMLError as error:
        document.problems.append(Problem(file, 0, "YAML", "", str(error).splitlines()[0]))
        return document
    finally:
        loader.dispose()
    if node is not None:
        document.data = _Builder(file, document).value(node, ())
    return document


def _too_deep(text: str) -> int | None:
    """The line in which nesting goes beyond its bound, or None."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Base):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                return event.start_mark.line + 1 if event.start_mark else 0
    except yaml.YAMLError:
        return None  # composing says what and where
    return None


def dotted(at: Key, data: Any = None) -> str:
    """'devices[pump-1].unit' for people; a list item is named by its id or name where `data` has one."""
    text = ""
    for step in at:
        data = _child(data, step)
        if isinstance(step, int):
            name = next((data[k] for k in ("id", "name") if isinstance(data, Mapping) and data.get(k)), step)
            text += f"[{name}]"
        else:
            text += f".{step}" if text else step
    return text


def _child(data: Any, step: str | int) -> Any:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


class _Builder:
    """Turns nodes into values and fills in the marks and problems of a document."""

    def __init__(self, file: str, document: Document) -> None:
        self._file = file
        self._document = document
        self._open: set[int] = set()
        self._values = 0

    def value(self, node: yaml.Node, at: Key, line: int | None = None) -> Any:
        line = node.start_mark.line + 1 if line is None else line
        self._document.marks[at] = Mark(self._file, line)
        self._values += 1
        if id(node) in self._open or self._values > MAX_VALUES:
            self._problem(line, at, "refers to itself" if id(node) in self._open else "expands to too many values")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, at, line)
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            self._problem(line, at, f"the tag {node.tag} is not allowed")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, at)
            return [self.value(item, (*at, position)) for position, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, at: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(line, at, "a key must be one word")
                continue
            if key_node.tag == _TAG + "merge":
                continue
            name = key_node.value
            if name in own:
                self._problem(line, (*at, name), f"the key is given twice; first in line {own[name]}")
                continue
            own[name] = line
            result[name] = self.value(value_node, (*at, name), line)
        for key_node, value_node in _merged(node):
            if key_node.value not in result:
                result[key_node.value] = self.value(value_node, (*at, key_node.value))
        return result

    def _scalar(self, node: yaml.ScalarNode, at: Key, line: int) -> Any:
        text, kind = node.value, node.tag.removeprefix(_TAG)
        if kind in ("str", "merge"):
            return text
        if kind == "null":
            return None
        try:
            if kind == "bool":
                return {"true": True, "false": False}[text.lower()]
            if kind == "int":
                return int(text, 0)
            if kind == "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except (KeyError, ValueError):
            self._problem(line, at, f"is not of the type {kind}: {text}")
            return None
        self._problem(line, at, f"the tag {node.tag} is not allowed")
        return None

    def _problem(self, line: int, at: Key, message: str) -> None:
        self._document.problems.append(Problem(self._file, line, dotted(at) or "YAML", "", message))


def _merged(node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Entries that `<<: *anchor` brings in."""
    for key_node, value_node in node.value:
        if key_node.tag != _TAG + "merge":
            continue
        sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
        for source in sources:
            if isinstance(source, yaml.MappingNode) and source is not node:
                yield from (pair for pair in source.value if isinstance(pair[0], yaml.ScalarNode))
