"""Derives the JSON Schema for editors and the reference pages from the models, so that they can never differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from lineshaft.config.drivers import DriverSchema
from lineshaft.config.models import Plant, ProfileConfig
from lineshaft.config.values import duration_text, size_text
from lineshaft.model.equipment import ID_PATTERN

_DURATION, _SIZE = "min|h|d", "[KMG]i?B"  # what the patterns of these two types have and no other
Schema = dict[str, Any]
GENERATED = "<!-- Written by `make docs` from the code; do not edit. -->\n"


def json_schema(drivers: Mapping[str, DriverSchema]) -> Schema:
    """JSON Schema (2020-12) of one file of a plant folder, the options of each driver included."""
    schema: Schema = _written(Plant.model_json_schema())
    schema.pop("required", None)  # each file of a folder may have its part
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Lineshaft plant"
    definitions = schema["$defs"]
    device = definitions["DeviceConfig"]
    device["properties"]["driver"]["examples"] = sorted(drivers)
    device["allOf"] = []
    for name in sorted(drivers):
        driver = drivers[name]
        connection, address = (
            _add(definitions, f"{name}.{kind}", model)
            for kind, model in (("connection", driver.connection), ("address", driver.address))
        )
        text_or_keys = {"anyOf": [{"type": "string"}, address]}
        signals = {"items": {"properties": {"address": text_or_keys}}}
        chosen = {"properties": {"driver": {"const": name}}, "required": ["driver"]}
        device["allOf"].append({"if": chosen, "then": {"properties": {"connection": connection, "signals": signals}}})
    return schema


def _add(definitions: Schema, name: str, model: type[BaseModel]) -> Schema:
    """Put a model and what it refers to under names of its own; gives the reference to it."""
    own = _written(model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}"))
    for inner, schema in own.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = schema
    definitions[name] = own
    return {"$ref": f"#/$defs/{name}"}


def _written(schema: Any) -> Any:
    """Defaults in the form in which a file has them: 60.0 seconds become '1min'."""
    if isinstance(schema, list):
        return [_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _written(value) for key, value in schema.items()}
    default = result.get("default")
    if isinstance(default, int | float) and not isinstance(default, bool):
        patterns = " ".join(option.get("pattern", "") for option in (schema, *schema.get("anyOf", ())))
        if _DURATION in patterns:
            result["default"] = duration_text(default)
        elif _SIZE in patterns:
            result["default"] = size_text(int(default))
    return result


def reference(drivers: Mapping[str, DriverSchema], profiles: Mapping[str, ProfileConfig]) -> dict[str, str]:
    """File name -> Markdown of every reference page about configuration."""
    return {
        "plant.md": _plant_page(),
        "drivers.md": _drivers_page(drivers),
        "profiles.md": _profiles_page(profiles),
    }


def _plant_page() -> str:
    schema = _written(Plant.model_json_schema())
    intro = """# Keys of a plant folder

A plant is a folder of `*.yaml` files. Each file has some of these sections; lists of the same section in several files
are joined. A duration has its unit: `500ms`, `1s`, `5min`, `2h`, `30d`; a size too: `200MB`, `1GiB`. Text that looks
like a number needs quotes. `lineshaft schema` prints a JSON Schema for editors.
"""
    return GENERATED + intro + "\n" + "\n".join(_tables(schema, schema["$defs"], "plant folder", set()))


def _drivers_page(drivers: Mapping[str, DriverSchema]) -> str:
    parts = [
        GENERATED + "# Drivers\n\nWhat stands under `connection:` of a device and under `address:` of its signals.\n"
    ]
    for name in sorted(drivers):
        driver = drivers[name]
        parts.append(f"## {name}\n")
        for kind, model in (("connection", driver.connection), ("address", driver.address)):
            schema = _written(model.model_json_schema())
            parts += _tables(schema, schema.get("$defs", {}), f"{name}: {kind}", set(), level=3)
    return "\n".join(parts)


def _profiles_page(profiles: Mapping[str, ProfileConfig]) -> str:
    schema = _written(ProfileConfig.model_json_schema())
    seen = set(schema["$defs"])  # signals and limits are on the page of the plant
    parts = [GENERATED + "# Device profiles\n\nA device as data. A plant can have its own in `profiles/`.\n"]
    untried = sum(not one.tried for one in profiles.values())
    parts.append(
        "Each map comes from the published document that it names. The tests serve and read every one on a simulated "
        "device, and compare one message with what the document says; "
        f"{untried} of {len(profiles)} were not tried on a device yet. Compare a few values with the display of yours "
        "before you trust them, and tell us.\n"
    )
    parts += _tables(schema, schema["$defs"], "profile", seen)
    parts.append("## Profiles that come along\n")
    parts.append("| Profile | Device | Drivers | Signals |\n|---|---|---|---|")
    parts += [
        f"| [{name}](#{name}) | {_cell(one.title)} | {', '.join(one.drivers)} | {len(one.signals)} |"
        for name, one in sorted(profiles.items())
    ]
    parts.append("")
    for name in sorted(profiles):
        profile = profiles[name]
        drivers = ", ".join(profile.drivers)
        parts.append(f"### {name}\n\n{profile.title}. Drivers: {drivers}. Source: {profile.source}\n")
        tried = f"Tried on {profile.tried}." if profile.tried else "Not tried on a device."
        parts.append(f"{profile.checked} {tried}\n".lstrip())
        parts.append("| Signal | Unit | Kind | Meaning |\n|---|---|---|---|")
        parts += [
            f"| `{s.name}` | {_cell(s.unit)} | {s.kind.value} | {_cell(s.description)} |" for s in profile.signals
        ]
        parts.append("")
    return "\n".join(parts)


def _tables(schema: Schema, definitions: Schema, title: str, seen: set[str], level: int = 2) -> Iterator[str]:
    """A heading and a table for a model and then for each model that it uses."""
    yield f"{'#' * level} {title}\n"
    if schema.get("description"):
        yield " ".join(schema["description"].split()) + "\n"
    required = set(schema.get("required", ()))
    yield "| Key | Meaning | Unit | Default | Allowed |\n|---|---|---|---|---|"
    below: list[tuple[str, str]] = []
    for key, value in schema.get("properties", {}).items():
        refs = [name for name in _references(value) if "properties" in definitions.get(name, {})]
        below += [(key, name) for name in refs if name not in seen]
        default = "required" if key in required else _default(value, refs)
        meaning = _cell(value.get("description") or _first(definitions[name]["description"] for name in refs))
        yield f"| `{key}` | {meaning} | {_cell(value.get('unit', ''))} | {default} | {_allowed(value, definitions)} |"
    yield ""
    for key, name in below:
        if name not in seen:
            seen.add(name)
            above = title.split(": ")[-1].split(" of type ")[0]
            path = key if title in ("plant folder", "profile") else f"{above}.{key}"
            kind = definitions[name]["properties"].get("type", {}).get("const", "")
            path += f" of type {kind}" if kind else ""
            yield from _tables(definitions[name], definitions, path, seen, level)


def _first(texts: Iterable[str]) -> str:
    return next(iter(texts), "")


def _references(value: Schema) -> list[str]:
    items = value.get("items", {})
    options = [value, *value.get("anyOf", ()), *value.get("oneOf", ()), *value.get("allOf", ()), items]
    options += items.get("oneOf", ())
    return [option["$ref"].rpartition("/")[2] for option in options if isinstance(option, dict) and "$ref" in option]


def _default(value: Schema, refs: list[str]) -> str:
    default = value.get("default")
    if default is None or refs:
        return ""
    if default == "":
        return "empty"
    words = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{words}`" if default not in ([], {}) else "none"


def _allowed(value: Schema, definitions: Schema) -> str:
    words: list[str] = []
    for option in (value, *value.get("anyOf", ()), value.get("items", {})):
        if not isinstance(option, dict):
            continue
        option = definitions.get(option.get("$ref", "").rpartition("/")[2], option)
        choices = option.get("enum", [option["const"]] if "const" in option else [])
        words += [f"`{choice}`" for choice in choices]
        bounds = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))
        words += [f"{sign} {option[name]:g}" for name, sign in bounds if name in option]
        pattern, kind = option.get("pattern", ""), option.get("type")
        words += ["duration"] if _DURATION in pattern else ["size"] if _SIZE in pattern else []
        words += ["a-z 0-9 - _ ."] if pattern == ID_PATTERN else []
        if not words and kind in ("boolean", "integer", "number", "array", "object") and "properties" not in option:
            words.append(
                {"boolean": "true, false", "integer": "whole number", "array": "list", "object": "mapping"}.get(
                    kind, kind
                )
            )
    return _cell(", ".join(dict.fromkeys(words)))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
