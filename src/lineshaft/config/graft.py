"""Joins the equipment of several plant files into one tree: a file may add below a node that another file describes."""

from __future__ import annotations

from typing import Any, Final

from lineshaft.config.yamlfile import Document, Key

_PLACE: Final = frozenset({"id", "children"})
"""A node with no other keys than these says nothing about itself: it only names a place."""


def graft(whole: Document, part: Document, section: str) -> None:
    """Add the tree of `part` to that of `whole`, with the places of its values; the order of files means nothing."""
    _join(whole, part, whole.data[section], (section,), part.data[section], (section,))


def _join(whole: Document, part: Document, into: list[Any], into_at: Key, more: list[Any], more_at: Key) -> None:
    for position, node in enumerate(more):
        at: Key = (*more_at, position)
        same = _same(into, node)
        if same is None:
            _move(whole, part, at, (*into_at, len(into)))
            into.append(node)
            continue
        target, target_at = into[same], (*into_at, same)
        if not _is_place(node):  # the description comes after what was added to it
            for key in node.keys() - {"children"}:
                target[key] = node[key]
                _move(whole, part, (*at, key), (*target_at, key))
            whole.marks[target_at] = part.mark(at)
        children, new = target.setdefault("children", []), node.get("children", [])
        if isinstance(children, list) and isinstance(new, list):
            _join(whole, part, children, (*target_at, "children"), new, (*at, "children"))


def _is_place(node: Any) -> bool:
    return isinstance(node, dict) and set(node) == _PLACE


def _same(nodes: list[Any], node: Any) -> int | None:
    """Which of `nodes` is the same equipment: one of the two only names the place."""
    if not isinstance(node, dict):
        return None
    found = (
        i
        for i, one in enumerate(nodes)
        if isinstance(one, dict) and one.get("id") == node.get("id") and (_is_place(one) or _is_place(node))
    )
    return next(found, None)


def _move(whole: Document, part: Document, old: Key, new: Key) -> None:
    for at, mark in part.marks.items():
        if at[: len(old)] == old:
            whole.marks[(*new, *at[len(old) :])] = mark
