"""`lineshaft schema`: the JSON Schema of plant files, and the reference pages of the documentation."""

from __future__ import annotations

from pathlib import Path

from lineshaft.commands import output
from lineshaft.commands.kpi_page import kpi_page
from lineshaft.config.describe import json_schema, reference
from lineshaft.config.load import builtin_profiles
from lineshaft.drivers.builtin import DRIVERS


def run(pages: Path | None) -> int:
    """Print the schema, or write the reference pages into a folder."""
    if pages is None:
        output.print_json(json_schema(DRIVERS))
        return output.ExitCode.OK
    pages.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (pages / name).write_text(text, encoding="utf-8")
    return output.ExitCode.OK


def reference_pages() -> dict[str, str]:
    """File name -> Markdown of every generated page."""
    return reference(DRIVERS, builtin_profiles()) | {"kpis.md": kpi_page()}
