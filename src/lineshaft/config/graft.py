"""Joins the equipment of several plant files into one tree: a file may add below a node that another file describes."""

from __future__ import annotations

from typing import Any

from lineshaft.config.yamlfile import Document, Key

_EXTENDS = frozenset({"id", "children"})
"""A node with no other keys than these says nothing about itself: it only names a place."""


def graft(whole: Document, part: Document, section: str) -> None:
    """Add the tree of `part` to that of `whole`, with the places of all its values."""
    _join(whole, part, whole.data[section], (section,), part.data[section], (section,))


def _join(whole: Document, part: Document, into: list[Any], into_at: Key, more: list[Any], more_at: Key) -> None:
    for position, node in enumerate(more):
        at: Key = (*more_at, position)
        same = _same(into, node)
        if same is None:
            _move(whole, part, at, (*into_at, len(into)))
            into.append(node)
            continue
        target = into[same]
        children = target.setdefault("children", [])
        if isinstance(children, list) and isinstance(node["children"], list):
            _join(whole, part, children, (*into_at, same, "children"), node["children"], (*at, "children"))


def _same(nodes: list[Any], node: Any) -> int | None:
    """Which of `nodes` the node `node` only adds to."""
    if not isinstance(node, dict) or set(node) != _EXTENDS:
        return None
    found = (i for i, one in enumerate(nodes) if isinstance(one, dict) and one.get("id") == node["id"])
    return next(found, None)


def _move(whole: Document, part: Document, old: Key, new: Key) -> None:
    for at, mark in part.marks.items():
        if at[: len(old)] == old:
            whole.marks.setdefault((*new, *at[len(old) :]), mark)
