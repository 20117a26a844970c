"""What a hub can be asked beside its values: what happened, what was found, what is planned; each a table."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from lineshaft.client.http import Http
from lineshaft.client.times import When, microseconds, with_moments
from lineshaft.errors import DataError, PeerTimeout

_PREDICTION: Final = (
    "time", "asset", "model", "version", "kind", "value", "p10", "p90", "alarm", "shadow", "inputs", "words",
    "verdict", "true", "error",
)  # fmt: skip
_EVENT: Final = ("time", "kind", "severity", "subject", "message", "details")
_RANKED: Final = ("path", "name", "value", "low", "high", "spread", "hours", "hours_known", "verdict", "probability")
_OUTCOME: Final = ("id", "time", "asset", "kind", "note", "by", "source")
_OPERATOR: Final = (
    "operator", "asset", "title", "state", "error", "hint", "failing_since", "failures", "next_try", "position",
    "waiting", "rows", "events", "rewinds", "mean_ms",
)  # fmt: skip


class Questions:
    """The part of `Client` that needs no catalogue."""

    def __init__(self, http: Http) -> None:
        self._http = http

    # --- what happened

    def events(
        self, since: When | None = None, subject: str = "", limit: int = 1000, *, kind: str = ""
    ) -> pd.DataFrame:
        """The newest events first, at most `limit`, of a subject and what is below it, whose kind begins like `kind`
        (operator.): time (UTC), kind, severity, subject, message, details."""
        params = {"subject": subject, "kind": kind, "since": _moment(since)}
        return self._newest("/events", params, limit, _EVENT)

    def ledger(self, asset: str = "") -> pd.DataFrame:
        """The gap ledger: index signal; columns expected, arrived, duplicates, dropped, pending, unexplained."""
        columns = ["signal", "expected", "arrived", "duplicates", "dropped", "pending", "unexplained"]
        return self._table("/ledger", {"asset": asset}, columns).set_index("signal")

    def sources(self) -> pd.DataFrame:
        """Gateways and devices: node, device, state, since (UTC) and more."""
        return self._table("/sources", {})

    # --- what was foretold, and what became of it

    def predictions(
        self, asset: str = "", model: str = "", since: When | None = None, limit: int = 1000
    ) -> pd.DataFrame:
        """What models foretold, newest first: time (UTC), asset, model, version, kind, value, p10, p90 (hours for a
        remaining life), alarm, shadow, inputs, words, and verdict: what became of it; true and error in hours."""
        params = {"asset": asset, "model": model, "since": _moment(since)}
        return self._newest("/predictions", params, limit, _PREDICTION)

    def scores(self, asset: str = "", model: str = "") -> pd.DataFrame:
        """How good predictions were, one row per model, version, kind and asset type; figures of faults and of lives
        are columns like faults.false_per_month, faults.missed, life.coverage."""
        items = self._http.json("/predictions/scores", {"asset": asset, "model": model})["items"]
        return pd.json_normalize([{key: value for key, value in item.items() if value is not None} for item in items])

    def models(self) -> pd.DataFrame:
        """Versions of trained models: index id; name, version, type, state, features, ranges (UTC), metrics."""
        frame = self._table("/models", {})
        return frame.set_index("id") if len(frame) else frame

    def outcomes(self, asset: str = "", limit: int = 1000) -> pd.DataFrame:
        """What happened to assets, newest first: index id; time (UTC), asset, kind, note, by, source."""
        return self._newest("/outcomes", {"asset": asset}, limit, _OUTCOME).set_index("id")

    def say(self, asset: str, kind: str, when: When, note: str, source: str = "") -> int:
        """Say what happened to an asset (operators): failure, confirmed_fault, no_fault_found or repair. Gives its id;
        scores follow at once. The same from the same `source` (a work order) is stored once."""
        body = {"asset": asset, "kind": kind, "time": microseconds(when), "note": note, "source": source}
        return int(self._http.post("/outcomes", body)["id"])

    # --- what runs, and what it would have found

    def operators(self) -> pd.DataFrame:
        """Each operator on each asset: state, error with a hint, failures, failing_since and next_try (UTC),
        position (UTC), rows that wait, rows, events, mean_ms a batch."""
        return self._table("/operators", {}, _OPERATOR)

    def backtest(
        self, operator: str, start: When, end: When, asset: str = "", *, timeout: float = 3600.0
    ) -> pd.DataFrame:
        """Run an operator of the plant, or a version of a model (pumps-2), over the past (engineers), and wait for it:
        the events that it would have made, oldest first. Raises DataError when it fails."""
        wanted = {"operator": operator, "asset": asset, "start": microseconds(start), "end": microseconds(end)}
        job = self._http.post("/backtests", wanted)
        until = time.monotonic() + timeout
        while job["state"] in ("waiting", "running"):
            if time.monotonic() > until:
                raise PeerTimeout(f"the backtest {job['id']} is not done after {timeout:g} s")
            time.sleep(0.2)
            job = self._http.json(f"/backtests/{job['id']}")
        if job["state"] != "done":
            raise DataError(f"the backtest was {job['state']}: {job['error']}")
        return with_moments(pd.DataFrame(job["events"], columns=[*_EVENT]))

    def compare(
        self,
        metric: str,
        start: When,
        end: When,
        *,
        type: str = "",  # noqa: A002 - the word of the API
        assets: Iterable[str] = (),
        by: str = "asset",
        product: str = "",
        load: str = "",
    ) -> pd.DataFrame:
        """Assets (or line, area, site) ranked by a metric over the time in which they made the same under the same
        load: index path; value with its interval low to high, spread, hours, verdict. `attrs["settings"]` of the table
        is what differs at the best one."""
        params = {"metric": metric, "start": microseconds(start), "end": microseconds(end), "type": type,
                  "assets": ",".join(assets), "by": by, "product": product, "load": load}  # fmt: skip
        found = self._http.json("/compare", params)
        frame = pd.DataFrame(found["rows"], columns=[*_RANKED]).set_index("path")
        frame.attrs["settings"] = found["settings"]
        return frame

    # --- work

    def cases(self, asset: str = "", *, only_open: bool = False) -> pd.DataFrame:
        """Maintenance cases, the most urgent first: index id; asset, fault, severity, opened (UTC) and more."""
        frame = self._table("/maintenance/cases", {"asset": asset, "open": "true" if only_open else ""})
        return frame.set_index("id") if len(frame) else frame

    def orders(self, path: str = "", start: When | None = None, end: When | None = None) -> pd.DataFrame:
        """Production orders with their plan, actual times and parts: index id."""
        params = {"path": path, "start": _moment(start), "end": _moment(end)}
        frame = self._table("/oee/orders", params)
        return frame.set_index("id") if len(frame) else frame

    def kpis(self, path: str, start: When, end: When) -> dict[str, Any]:
        """OEE and its parts of a machine or line over a range, as the hub tells them."""
        params = {"path": path, "start": microseconds(start), "end": microseconds(end)}
        found: dict[str, Any] = self._http.json("/oee/kpis", params)
        return found

    def writes(self, signal: str = "", limit: int = 1000) -> pd.DataFrame:
        """The audit log of values set on devices, newest first: index id; who, when, what, why, what became of it."""
        frame = self._newest("/writes", {"signal": signal}, limit)
        return frame.set_index("id") if len(frame) else frame

    # --- helpers

    def _table(self, path: str, params: dict[str, Any], columns: Iterable[str] | None = None) -> pd.DataFrame:
        """A whole list."""
        items = list(self._http.pages(path, {**params, "limit": 1000}))
        return with_moments(pd.DataFrame(items, columns=None if columns is None else [*columns]))

    def _newest(
        self, path: str, params: dict[str, Any], limit: int, columns: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """The first rows of a list."""
        items = list(itertools.islice(self._http.pages(path, {**params, "limit": min(limit, 1000)}), limit))
        return with_moments(pd.DataFrame(items, columns=None if columns is None else [*columns]))


def _moment(when: When | None) -> int | None:
    return None if when is None else microseconds(when)
