"""Lists that can grow come in pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from hub.api.conftest import ASSET, CHEAP_HASH, Hub, born
from lineshaft.apps.builtin import APPS
from lineshaft.errors import DataError
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.paging import PAGE, marked, paged
from lineshaft.hub.api.services import Services
from lineshaft.hub.security.roles import Role
from lineshaft.model.predictions import Outcome, OutcomeKind

V1 = "/api/v1"
BOUNDED: dict[str, tuple[str, ...]] = {
    "the plant's tree in one piece, for what keeps it (ETag); GET /tree gives it in pages": (f"{V1}/equipment",),
    "one thing, its parts and its own history": (
        f"{V1}/signals/{{signal}}/pipeline", f"{V1}/signals/{{signal}}/uses", f"{V1}/backtests/{{number}}",
        f"{V1}/gateways/{{group}}/{{gateway}}/configuration/{{number}}", f"{V1}/models/trainings/{{number}}",
        f"{V1}/models/{{name}}/{{version}}", f"{V1}/maintenance/cases/{{number}}",
        f"{V1}/maintenance/health/asset", f"{V1}/maintenance/diagnosis",
    ),
    "columns of values of asked signals over an asked range, thinned or bounded by the caller": (
        f"{V1}/latest", f"{V1}/series", f"{V1}/aggregate", f"{V1}/waveforms", f"{V1}/waveforms/spectra",
        f"{V1}/waveforms/{{waveform}}", f"{V1}/waveforms/{{waveform}}/spectrum",
        f"{V1}/waveforms/{{waveform}}/cepstrum", f"{V1}/waveforms/{{waveform}}/zoom",
    ),
    "a count, and the newest few of what it counts as examples": (f"{V1}/waveforms/refused",),
    "what the program or the plant folder names: kinds, parts, lines, metrics, models": (
        f"{V1}/overview", f"{V1}/compare/choices", f"{V1}/compare", f"{V1}/health", f"{V1}/predictions/scores",
        f"{V1}/models/candidates", f"{V1}/faults", f"{V1}/maintenance/reference", f"{V1}/oee/setup",
        f"{V1}/oee/guesses", f"{V1}/restart",
    ),
    "figures of an asked part of the plant now or in a range that is bounded (32 to 400 days)": tuple(
        f"{V1}/oee/{name}" for name in (
            "now", "screen", "kpis", "losses", "what-if", "timeline", "hours", "cycles", "reliability",
            "reports", "reports/shift", "reports/shift.pdf", "export", "performance", "proposals", "cycle-times",
            "changeovers", "compare", "handover", "calendar",
        )
    ),
}  # fmt: skip
"""Why an answer with lists needs no pages -> its paths. A new list that can grow gets a cursor, not a line here."""


def lists(api: dict[str, Any]) -> Iterator[tuple[str, set[str], set[str]]]:
    """(path, parameters, fields) of each GET whose answer is, or may hold, a list."""
    schemas = api["components"]["schemas"]
    for path, calls in api["paths"].items():
        answer = calls.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        shape = answer.get("application/json", {}).get("schema")
        if shape is None:
            continue
        shape = schemas[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
        fields = shape.get("properties", {})
        free = not fields and shape.get("type") != "string"
        if free or any(one.get("type") == "array" for one in fields.values()):
            yield path, {one["name"] for one in calls["get"].get("parameters", ())}, set(fields) or {"next"}


def test_every_list_that_can_grow_has_a_cursor(services: Services) -> None:
    """What the API describes as a list comes in pages, or stands among the few that cannot grow, with the reason."""
    api = create_app(services, [router for one in APPS for router in one.routers]).openapi()
    found = list(lists(api))
    unpaged = {path for path, parameters, fields in found if "cursor" not in parameters or "next" not in fields}
    bounded = [path for paths in BOUNDED.values() for path in paths]
    assert unpaged - set(bounded) == set(), "give these `limit`, `cursor` and `next` (hub/api/paging.py)"
    assert set(bounded) - unpaged == set(), "these have pages now, or are gone"
    assert len(found) - len(unpaged) >= 25


async def walked(client: httpx.AsyncClient, path: str, limit: int) -> list[Any]:
    """All rows of a list, page by page."""
    rows: list[Any] = []
    cursor = ""
    while True:
        answer = await client.get(f"{V1}{path}", params={"limit": limit, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        rows += page["items"]
        if page["next"] is None:
            return rows
        cursor = page["next"]


async def test_pages_together_are_the_list(hub: Hub) -> None:
    """Walked by twos, each list gives every row once and in order; a cursor of elsewhere is refused in words."""
    for number in range(5):
        hub.state.register([born("flow", unit="m^3/h", description=f"words {number}")])
        hub.state.accounts.add_user(f"user-{number}", "viewer", CHEAP_HASH, number)
    hub.put(hub.ids, [1, 2, 3], [1.0, 2.0, 3.0])
    hub.state.ledger.arrived(hub.ids, np.ones(3, np.int64), np.zeros(3, np.int64))
    hub.state.ledger.expected("n", "e", {f"{ASSET}/other-{number}": 7 for number in range(4)}, 1)
    for number in range(7):
        outcome = Outcome(number // 3, ASSET, OutcomeKind.REPAIR)
        hub.state.outcomes.add(outcome, by="x", note="", now=number, source="")
    async with hub.client(Role.ADMIN) as client:
        for number in range(5):
            body = {"name": f"view {number}", "address": "/trend?s=1", "shared": True}
            assert (await client.post(f"{V1}/views", json=body)).status_code == 201
        least = {"/users": 6, "/views": 5, "/ledger": 4, "/outcomes": 7, "/tokens": 1, "/sources": 0, "/changes": 5}
        for path, rows in least.items():
            whole = (await client.get(f"{V1}{path}", params={} if path != "/outcomes" else {"limit": 99})).json()
            assert whole["next"] is None
            assert len(whole["items"]) >= rows, path
            assert await walked(client, path, 2) == whole["items"], path
            strange = await client.get(f"{V1}{path}", params={"cursor": "strange"})
            assert strange.status_code == 422
            assert "cursor" in strange.json()["detail"]
        hub.state.ledger.expected("n", "e", {f"{ASSET}/more-{number}": 7 for number in range(PAGE)}, 1)
        page = (await client.get(f"{V1}/ledger")).json()
        assert (len(page["items"]), page["next"] is not None) == (PAGE, True), "a page also where nobody asked for one"


def test_rows_that_come_and_go_between_pages() -> None:
    """New rows in front repeat nothing; when the last row of a page goes, the next page hides nothing."""
    rows = list("abcdefg")
    page, cursor = paged(rows, str, "", 3)
    assert page == ["a", "b", "c"]
    assert cursor is not None
    assert paged(["x", "y", *rows], str, cursor, 3)[0] == ["d", "e", "f"]
    assert paged([one for one in rows if one != "c"], str, cursor, 3)[0] == ["d", "e", "f"]
    assert paged([one for one in rows if one != "a"], str, cursor, 9) == (["d", "e", "f", "g"], None)
    assert paged(rows[:2], str, cursor, 3) == ([], None)
    assert paged([], str, "", 3) == ([], None)


@pytest.mark.parametrize("cursor", ["%%", "YWJj", "MTIz", "x" * 5])
def test_a_cursor_of_elsewhere(cursor: str) -> None:
    """It is refused, and not taken for the first page."""
    with pytest.raises(DataError, match="not made by this hub"):
        paged([1, 2], str, cursor, 1)
    with pytest.raises(DataError, match="not made by this hub"):
        marked(cursor)
