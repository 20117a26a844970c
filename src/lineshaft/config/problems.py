"""Turns what pydantic finds wrong into problems with file, line, key, value and what would be right."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lineshaft.config.uplinks import HOST_PATTERN, PREFIX_PATTERN
from lineshaft.config.values import TIME_PATTERN
from lineshaft.config.yamlfile import Document, Key, dotted
from lineshaft.errors import Problem
from lineshaft.model.equipment import ID_PATTERN

M = TypeVar("M", bound=BaseModel)

_WORDS = {
    "missing": "is required",
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping of key: value",
    "model_type": "must be a mapping of key: value",
    "model_attributes_type": "must be a mapping of key: value",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "literal_error": "is not known",
    "enum": "is not known",
}
_COMPARISONS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_PATTERNS = {
    ID_PATTERN: "lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit",
    TIME_PATTERN: "HH:MM from 00:00 to 23:59",
    PREFIX_PATTERN: "levels of letters, digits, '-', '_' and '.' with one '/' between",
    HOST_PATTERN: "a host name, without scheme and port",
}


@dataclass(slots=True)
class Report:
    """Collects every problem of one load."""

    problems: list[Problem] = field(default_factory=list)
    unreadable: bool = False  # a file is missing from the document, so what is absent may be in it

    def add(
        self, document: Document, at: Key, message: str, *, value: Any = None, allowed: Iterable[str] | str = ""
    ) -> None:
        """Note that the value at `at` is wrong. `allowed`: the words that would be right."""
        mark = document.mark(at)
        words = allowed if isinstance(allowed, str) else ", ".join(allowed)
        shown = "" if value is None else shorten(value, secret=bool(at) and "password" in str(at[-1]))
        self.problems.append(Problem(mark.file, mark.line, dotted(at, document.data) or "file", shown, message, words))

    def validate(self, model: type[M], data: Any, document: Document, at: Key) -> M | None:
        """An instance of `model` made of `data`, or None after noting everything that is wrong in it."""
        try:
            return model.model_validate(data, context={"written": True})
        except ValidationError as error:
            for found in error.errors(include_url=False):
                self._note(found, model, data, document, at)
            return None

    def _note(self, found: Any, model: type[BaseModel], data: Any, document: Document, at: Key) -> None:
        kind, loc, context = found["type"], found["loc"], found.get("ctx", {})
        place = (*at, *_place(data, loc, kind))
        value = found.get("input")
        if kind == "missing" and not isinstance(data, Mapping):
            place, value = at, data
        plain = None if kind == "missing" or isinstance(value, Mapping | list | tuple) else value
        if kind == "extra_forbidden":
            known = _keys(model, loc[:-1])
            self.add(document, place, "unknown key" + suggestion(str(loc[-1]), known), value=plain, allowed=known)
        elif value is None and kind != "missing":
            self.add(document, place, "has no value; give one or remove the key")
        elif kind == "union_tag_invalid":
            allowed = str(context["expected_tags"]).replace("'", "").split(", ")
            message = "is not known" + suggestion(str(context["tag"]), allowed)
            self.add(document, (*place, "type"), message, value=context["tag"], allowed=allowed)
        elif "expected" in context:
            allowed = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
            message = _WORDS.get(kind, "is not known") + suggestion(str(value), allowed)
            self.add(document, place, message, value=value, allowed=allowed)
        elif place[-1:] == ("address",) and kind in ("model_type", "model_attributes_type"):
            self.add(document, place, "must be text or a mapping of key: value", value=plain)
        else:
            self.add(document, place, _words(kind, found["msg"], context), value=plain, allowed=_allowed(kind, context))


def suggestion(word: str, known: Sequence[str]) -> str:
    """'; did you mean pump-1?' when one of `known` is close to `word`, else ''."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def shorten(value: Any, *, secret: bool = False) -> str:
    """A value as one short line; a secret is never shown."""
    if secret:
        return "(not shown)"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def _words(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", message))
    if kind in _COMPARISONS:
        return "is out of range"
    if kind in ("too_long", "too_short"):
        return f"has {context['actual_length']} items"
    if kind == "string_pattern_mismatch":
        return "has the wrong form"
    return _WORDS.get(kind, message[:1].lower() + message[1:])


def _allowed(kind: str, context: Mapping[str, Any]) -> str:
    if kind in _COMPARISONS:
        bound = next(context[name] for name in ("gt", "ge", "lt", "le") if name in context)
        return f"{_COMPARISONS[kind]} {bound}"
    if kind in ("too_long", "too_short"):
        return f"at most {context['max_length']}" if "max_length" in context else f"at least {context['min_length']}"
    pattern = str(context.get("pattern", ""))
    return _PATTERNS.get(pattern, pattern)


def _place(data: Any, loc: Sequence[str | int], kind: str) -> Key:
    """The part of pydantic's location that is in the file: names of union members and the like are left out."""
    place: list[str | int] = []
    for position, step in enumerate(loc):
        is_key = isinstance(data, Mapping) and step in data
        is_item = isinstance(data, list) and isinstance(step, int) and step < len(data)
        is_absent_key = kind == "missing" and position == len(loc) - 1 and isinstance(data, Mapping)
        if is_key or is_item:
            data = data[step]
        if is_key or is_item or is_absent_key:
            place.append(step)
    return tuple(place)


def _keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Keys that may stand at `loc` below `model`."""
    current: Any = model
    members: list[Any] = []
    for step in loc:
        chosen = [member for member in members if member.model_fields["type"].annotation == typing.Literal[step]]
        if chosen:
            current, members = chosen[0], []
            continue
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {info.alias or name: info for name, info in current.model_fields.items()}
            if step not in fields:
                continue
            current = fields[str(step)].annotation
            members = _members(current)
        current = _inner(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return sorted(info.alias or name for name, info in current.model_fields.items())
    return []


def _members(annotation: Any) -> list[Any]:
    """The models of a union whose `type` says which of them it is, at any depth; empty when there is none."""
    arguments = typing.get_args(annotation)
    models = [typing.get_args(one)[0] if typing.get_origin(one) is typing.Annotated else one for one in arguments]
    tagged = [one for one in models if isinstance(one, type) and issubclass(one, BaseModel)]
    if len(tagged) > 1 and all("type" in one.model_fields for one in tagged):
        return tagged
    return next((found for one in arguments if (found := _members(one))), [])


def _inner(annotation: Any) -> Any:
    """The model inside of tuple[...], X | None and the like; the annotation itself when there is none."""
    origin = typing.get_origin(annotation)
    if origin in (tuple, list, typing.Union, types.UnionType, typing.Annotated):
        for argument in typing.get_args(annotation):
            inner = _inner(argument)
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                return inner
    return annotation
