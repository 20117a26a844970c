"""XML from other systems as a small tree: document types and entities are refused, size and depth are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from lineshaft.errors import DataError

_DEPTH: Final = 64
_NODES: Final = 500_000


@dataclass(slots=True)
class Node:
    """One element; `tag` is its local name, `line` where it begins in the file."""

    tag: str
    namespace: str
    line: int
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[Node]:
        """Children of this name."""
        return [one for one in self.children if one.tag == tag]

    def first(self, *path: str) -> Node | None:
        """The first element down this path of names."""
        node: Node | None = self
        for tag in path:
            node = next(iter(node.all(tag)), None) if node is not None else None
        return node

    def value(self, *path: str) -> str:
        """The text of the first element down this path, '' when there is none."""
        found = self.first(*path)
        return "" if found is None else found.text.strip()

    def below(self, tag: str) -> Iterator[Node]:
        """Every element of this name below, in the order of the file."""
        for one in self.children:
            if one.tag == tag:
                yield one
            yield from one.below(tag)


def read_xml(data: bytes, limit: int) -> Node:
    """The root of a document of at most `limit` bytes. Raises DataError for anything else."""
    if len(data) > limit:
        raise DataError(f"the file has {len(data)} bytes; the limit is {limit}")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    top = Node("", "", 0)
    open_ = [top]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_) > _DEPTH or count > _NODES:
            raise DataError("the file is nested too deeply, or has too many elements")
        namespace, _, tag = name.rpartition(" ")
        node = Node(tag, namespace, parser.CurrentLineNumber)
        open_[-1].children.append(node)
        open_.append(node)

    def characters(text: str) -> None:
        open_[-1].text += text

    def end(_: str) -> None:
        open_.pop()

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DataError(f"not XML: {error}", hint="is it a B2MML or a CSV file, whole and unpacked?") from error
    return top.children[0]


def _refuse(*_: object) -> None:
    raise DataError("the file has a document type or entities, which are not taken", hint="save it without a DOCTYPE")
