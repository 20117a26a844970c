"""The reference page of the KPIs, made of the table that computes them."""

from __future__ import annotations

from lineshaft.analytics.oee.kpis import ISO, KPIS, SYMBOLS, Kpi

_UNITS = {"percent": "%", "1": "-"}
_HEAD = """# KPIs of OEE

The 34 KPIs of ISO 22400-2, and some of common use. A KPI is given where everything that its formula needs is
measured; else it is said to be not measured. Ratios are taken of sums of times and counts, never averaged.
`GET /api/v1/oee/setup` has the same table.

"""


def kpi_page() -> str:
    """Markdown: KPIs of the standard, those of common use, and what the symbols mean."""
    of_iso = [one for one in KPIS if one.source == ISO]
    more = [one for one in KPIS if one.source != ISO]
    symbols = "\n".join(f"| {name} | {words} |" for name, words in SYMBOLS.items())
    return (
        f"{_HEAD}## ISO 22400-2\n\n{_table(of_iso)}\n\n## Common use\n\n{_table(more)}\n\n"
        "## Symbols\n\nTimes in seconds, quantities in pieces, energy in kWh.\n\n"
        f"| symbol | meaning |\n|---|---|\n{symbols}\n"
    )


def _table(kpis: list[Kpi]) -> str:
    rows = []
    for one in kpis:
        cells = (one.name, f"`{one.id}`", _escaped(one.formula), _UNITS.get(one.unit, one.unit), _better(one), one.note)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(["| KPI | id | formula | unit | better | note |", "|---|---|---|---|---|---|", *rows])


def _escaped(formula: str) -> str:
    return formula.replace("*", "&times;").replace("|", "\\|")


def _better(kpi: Kpi) -> str:
    return kpi.better or "-"
