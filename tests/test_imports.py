"""Imports run one way; this is what keeps the parts apart."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "lineshaft"

ARCHITECTURE = PACKAGE.parents[1] / "docs" / "guide" / "architecture.md"


def layers() -> tuple[frozenset[str], ...]:
    """The order of the parts as the architecture page gives it: a part may import lower layers and itself."""
    found = re.search(r"`(model <[^`]+)`", ARCHITECTURE.read_text(encoding="utf-8"))
    assert found is not None
    return tuple(frozenset(names.replace("|", " ").split()) for names in found[1].split("<"))


LAYERS = layers()
SAME = {"commands": "cli", "__main__": "cli"}
"""Parts that belong to another one."""

SEPARATE = ("drivers", "apps")
"""Folders whose members never import each other, apart from what stands beside them (drivers.base)."""

HEAVY = ("numpy", "pydantic", "pint", "yaml", "rich", "fastapi", "sqlalchemy", "pyarrow", "chdb", "pymodbus", "asyncua")


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in files()}


def imports_of(path: Path) -> Iterator[tuple[str, int, bool]]:
    """(module, line, whether it counts at run time) of every import of ours, those inside of functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            base = node.module or ""
            names = [f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "lineshaft":
                yield name, node.lineno, id(node) not in typing_only


def part_of(module: str) -> str:
    """'lineshaft.hub.historian.base' -> 'hub.historian', 'lineshaft.hub.api.app' -> 'hub'; '' for the package."""
    rest = module.removeprefix("lineshaft").removeprefix(".")
    known = [name for layer in LAYERS for name in layer if rest == name or rest.startswith(name + ".")]
    part = max(known, key=len, default=rest.partition(".")[0])
    return SAME.get(part, part)


def layer_of(part: str) -> int:
    return next(level for level, names in enumerate(LAYERS) if part in names)


def test_every_part_has_a_layer() -> None:
    """No part stands outside of the order."""
    parts = {part_of(module) for module in MODULES} - {""}
    assert parts <= {name for names in LAYERS for name in names}


@pytest.mark.parametrize("path", files(), ids=lambda path: module_of(path))
def test_imports_run_one_way(path: Path) -> None:
    """A module imports only its own part and lower layers; the gateway never the hub, a driver never a driver."""
    module = module_of(path)
    part = part_of(module)
    for name, line, _ in imports_of(path):
        other = part_of(name)
        if other not in ("", part):
            assert layer_of(other) < layer_of(part), f"{path}:{line}: {part} imports {name}"
        for folder in SEPARATE:
            own, theirs = member(module, folder), member(name, folder)
            assert not (own and theirs and own != theirs), f"{path}:{line}: {own} imports {theirs}"


def member(module: str, folder: str) -> str:
    """'lineshaft.drivers.modbus.line' -> 'modbus'; '' for what is no folder of its own."""
    parts = module.split(".")
    is_member = len(parts) > 2 and parts[1] == folder and (PACKAGE / folder / parts[2]).is_dir()
    return parts[2] if is_member else ""


def test_no_cycles() -> None:
    """No module imports itself by a detour."""
    graph = {
        module: {n for n, _, runs in imports_of(path) if runs and n in MODULES and n != module}
        for module, path in MODULES.items()
    }
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for other in sorted(graph[module]):
                walk(other, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        walk(module, ())


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.parametrize("code", ["import lineshaft", "import lineshaft.cli"])
def test_light_start(code: str) -> None:
    """The package and the command line load no heavy library before a command needs it."""
    assert not loaded_by(code) & set(HEAVY)


def test_gateway_without_database() -> None:
    """The gateway loads no part of the hub: no database, no web server."""
    modules = [module for module in MODULES if part_of(module) in ("gateway", "config", "wire")]
    loaded = loaded_by("\n".join(f"import {module}" for module in modules))
    assert not loaded & {"sqlalchemy", "fastapi", "uvicorn", "chdb", "clickhouse_connect", "amqtt", "alembic"}


def test_a_plant_is_read_without_protocols() -> None:
    """Naming every driver, as reading a plant file may, loads none of the libraries that speak to devices."""
    loaded = loaded_by("from lineshaft.drivers.builtin import DRIVERS\n[DRIVERS[name] for name in DRIVERS]")
    assert "lineshaft.drivers.opcua" in loaded
    assert not loaded & {"asyncua", "pymodbus", "snap7", "pycomm3", "paho", "httpx", "lxml"}
