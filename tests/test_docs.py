"""The documentation is complete, and what is generated is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from lineshaft.commands.schema import reference_pages
from lineshaft.config import models
from lineshaft.config.describe import json_schema
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"^(?:\$ )?lineshaft ([a-z]+)", re.MULTILINE)
TARGET = re.compile(r"\bmake ([a-z-]+)")


def test_reference_is_what_the_code_says() -> None:
    """docs/reference is what `make docs` writes."""
    for name, text in reference_pages().items():
        page = ROOT / "docs" / "reference" / name
        assert page.read_text(encoding="utf-8") == text, f"run `make docs`: {page.name} is old"


def models_of(module: object) -> list[type[BaseModel]]:
    return [m for m in vars(module).values() if isinstance(m, type) and issubclass(m, models.Section)]


OPTIONS = [model for name in DRIVERS for model in (DRIVERS[name].connection, DRIVERS[name].address)]


@pytest.mark.parametrize("model", [*models_of(models), *OPTIONS], ids=lambda model: model.__name__)
def test_every_key_is_described(model: type[BaseModel]) -> None:
    """Each key of a plant folder says what it is, in a sentence."""
    for name, info in model.model_fields.items():
        assert (info.description or "").endswith((".", "?")), f"{model.__name__}.{name} has no description"


def test_schema_knows_every_driver() -> None:
    """The schema for editors has the options of each driver, and every reference in it can be resolved."""
    schema = json_schema(DRIVERS)
    definitions = schema["$defs"]
    for name in DRIVERS:
        assert {f"{name}.connection", f"{name}.address"} <= set(definitions)
    references = re.findall(r"'\$ref': '#/\$defs/([^']+)'", str(schema))
    assert references
    assert set(references) <= set(definitions)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of the project leads to one."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    """Each command and make target that a page names exists."""
    import typer.main

    from lineshaft.cli import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in re.findall(r"```[a-z]*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        assert set(COMMAND.findall(block)) <= known, page
        assert {t for line in block.splitlines() if line.startswith("make") for t in TARGET.findall(line)} <= targets


def test_every_dependency_has_a_decision() -> None:
    """Each library that the package needs has its reason in docs/decisions."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.split(r"[<>=;\[ ]", one)[0] for one in needed} - {"lineshaft"}
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "decisions").glob("*.md")).lower()
    assert not [name for name in sorted(names) if name.lower() not in written]


def test_every_page_is_in_the_navigation() -> None:
    """No page of the documentation is lost."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name in navigation or name.startswith("decisions/"), name


def test_examples_of_the_quick_start_are_right(tmp_path: Path) -> None:
    """The plants that the quick start shows can be loaded."""
    whole, devices = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "quickstart.md").read_text(), re.DOTALL)
    (tmp_path / "plant.yaml").write_text(
        whole.replace("type: meter}", "type: meter}\n      - {id: pump-1, type: pump}")
    )
    (tmp_path / "devices.yaml").write_text(devices)
    plant = load_plant(tmp_path, DRIVERS)
    assert [device.id for device in plant.devices] == ["pump-1", "meter-1"]
