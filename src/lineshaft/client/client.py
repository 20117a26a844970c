"""The client that people import: `from lineshaft.client import Client`."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from lineshaft.client.http import Http
from lineshaft.errors import AddressInvalid, DataError
from lineshaft.model.samples import quality_word

When = datetime | str | int
"""A moment: a datetime or ISO 8601 text with a time zone, or UTC microseconds."""
_PER_CALL: Final = 100
"""Signals of one call for a decimated series."""
_PREDICTION: Final = (
    "time", "asset", "model", "version", "kind", "value", "p10", "p90", "alarm", "shadow", "inputs", "words",
    "verdict", "true", "error",
)  # fmt: skip
_QUALITY_WORDS: Final = pd.CategoricalDtype(["good", "uncertain", "stale", "bad"])


class Client:
    """Reads and writes history of one hub; use it in a `with` block.

    >>> with Client("https://hub.example.com", token="...") as hub:  # doctest: +SKIP
    ...     power = hub.read("acme/north/hall/press/power", "2026-01-01T00:00Z", "2026-01-02T00:00Z")

    A call that the hub puts off (429, 503) is made again for a while. Raises AccessDenied, AddressInvalid, DataError,
    ConnectionFailed, PeerTimeout or StoreUnavailable, each with the hub's words and a hint.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        self._http = Http(url, token, timeout)
        self._ids: dict[str, int] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # --- what there is

    def equipment(self) -> pd.DataFrame:
        """The equipment tree: index path; columns name, level, type, parent, description."""
        return pd.DataFrame(self._http.json("/equipment")["nodes"]).set_index("path")

    def signals(self, asset: str = "", query: str = "") -> pd.DataFrame:
        """Signals of an asset and all below it, or those that `query` finds: index path; columns id, asset, name, kind,
        unit, datatype, low, high, description and more."""
        columns = ["id", "path", "asset", "name", "kind", "unit", "datatype", "low", "high", "description", "states"]
        items = list(self._http.pages("/signals", {"asset": asset, "q": query, "limit": 1000}))
        self._ids |= {item["path"]: item["id"] for item in items}
        return pd.DataFrame(items, columns=columns).set_index("path")

    # --- values

    def latest(self, signals: str | Iterable[str] = (), asset: str = "") -> pd.DataFrame:
        """The newest row of each: index path; columns time (UTC), value, text, quality (word)."""
        ids = self._resolve(signals)
        if asset:
            ids |= {str(path): int(number) for path, number in self.signals(asset)["id"].items()}
        names = {number: path for path, number in ids.items()}
        columns = self._http.json("/latest", {"signals": ",".join(map(str, names))}) if names else {}
        frame = pd.DataFrame(columns, columns=["signal", "time", "value", "text", "quality"])
        frame.insert(0, "path", frame.pop("signal").map(names))
        return _with_words(frame).set_index("path")

    def read(self, signals: str | Iterable[str], start: When, end: When, *, points: int | None = None) -> pd.DataFrame:
        """Numbers over time: index time (UTC), one float64 column a signal, NaN where it has no row or no number.

        Every stored row by default; with `points`, so many pixels a signal, each with its extremes. `end` is excluded.
        Rows of bad quality are NaN; use `rows` for text, quality and everything else.
        """
        table = self.rows(signals, start, end) if points is None else self._series(signals, start, end, points)
        table.loc[~table["quality"].isin(["good", "uncertain"]), "value"] = np.nan
        table = table.drop_duplicates(["path", "time"], keep="last")
        wide = table.pivot(index="time", columns="path", values="value").sort_index()
        return wide.reindex(columns=pd.Index(self._resolve(signals), name="path")).astype(np.float64)

    def rows(self, signals: str | Iterable[str], start: When, end: When) -> pd.DataFrame:
        """Every stored row by signal and time: path, time (UTC), value, unit, text, quality (word)."""
        ids = self._resolve(signals)
        if not ids:
            raise DataError("no signal asked for", hint="a path, or several; hub.signals() lists them")
        params = {"signals": ",".join(map(str, ids.values())), **_range(start, end), "format": "arrow"}
        return _with_words(self._http.arrow("/export", params).to_pandas())

    def _series(self, signals: str | Iterable[str], start: When, end: When, points: int) -> pd.DataFrame:
        ids = self._resolve(signals)
        names = {number: path for path, number in ids.items()}
        numbers = list(names)
        span = _range(start, end)
        parts = [
            self._http.arrow("/series", {"signals": ",".join(map(str, part)), **span, "points": points})
            for part in (numbers[at : at + _PER_CALL] for at in range(0, len(numbers), _PER_CALL))
        ]
        frame = pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
        frame.insert(0, "path", frame.pop("signal").map(names))
        moment = pd.to_datetime(span["start"], unit="us", utc=True)
        return _with_words(frame[frame["time"] >= moment].copy())  # the row before the range is for drawing

    def upload(self, rows: pd.DataFrame) -> dict[str, int]:
        """Store rows: columns path, time (with a zone), value, and if you like text and quality (byte or word).

        The same rows again are stored once. Gives the counts rows, stored, repeated, signals, new_signals.
        """
        missing = {"path", "time", "value"} - set(rows.columns)
        if missing:
            raise DataError(
                f"columns are missing: {', '.join(sorted(missing))}", hint="path, time and value are needed"
            )
        if not isinstance(rows["time"].dtype, pd.DatetimeTZDtype):
            raise DataError("the column time has no time zone", hint='rows["time"].dt.tz_localize("Europe/Berlin")')
        columns: dict[str, Any] = {
            "path": pa.array(rows["path"].astype(str), pa.string()),
            "time": pa.array(rows["time"].dt.tz_convert("UTC"), pa.timestamp("us", tz="UTC")),
            "value": pa.array(rows["value"], pa.float64(), from_pandas=True),
        }
        if "text" in rows:
            columns["text"] = pa.array(rows["text"], pa.string(), from_pandas=True)
        if "quality" in rows:
            columns["quality"] = pa.array(_bytes(rows["quality"]), pa.uint8())
        counts: dict[str, int] = self._http.send_arrow("/import", pa.table(columns))
        return counts

    # --- what happened

    def events(self, since: When | None = None, subject: str = "", limit: int = 1000) -> pd.DataFrame:
        """The newest events first, at most `limit`: time (UTC), kind, severity, subject, message, details."""
        params = {"subject": subject, "since": None if since is None else _microseconds(since)}
        found: list[dict[str, Any]] = []
        for item in self._http.pages("/events", {**params, "limit": min(limit, 1000)}):
            if len(found) == limit:
                break
            found.append(item)
        frame = pd.DataFrame(found, columns=["time", "kind", "severity", "subject", "message", "details"])
        frame["time"] = pd.to_datetime(frame["time"], unit="us", utc=True)
        return frame

    def predictions(
        self, asset: str = "", model: str = "", since: When | None = None, limit: int = 1000
    ) -> pd.DataFrame:
        """What models foretold, newest first: time (UTC), asset, model, version, kind, value, p10, p90 (hours for a
        remaining life), alarm, shadow, inputs, words, and verdict: what became of it; true and error in hours."""
        params = {"asset": asset, "model": model, "since": None if since is None else _microseconds(since)}
        found = itertools.islice(self._http.pages("/predictions", {**params, "limit": min(limit, 1000)}), limit)
        frame = pd.DataFrame(list(found), columns=[*_PREDICTION])
        frame["time"] = pd.to_datetime(frame["time"], unit="us", utc=True)
        return frame

    def scores(self, asset: str = "", model: str = "") -> pd.DataFrame:
        """How good predictions were, one row per model, version, kind and asset type; figures of faults and of lives
        are columns like faults.false_per_month, faults.missed, life.coverage."""
        items = self._http.json("/predictions/scores", {"asset": asset, "model": model})["items"]
        return pd.json_normalize([{key: value for key, value in item.items() if value is not None} for item in items])

    def models(self) -> pd.DataFrame:
        """Versions of trained models: index id; name, version, type, state, features, ranges (UTC), metrics."""
        frame = pd.DataFrame(self._http.json("/models")["items"])
        for column in {"start", "end", "held_start", "held_end", "created"} & set(frame.columns):
            frame[column] = pd.to_datetime(frame[column], unit="us", utc=True)
        return frame.set_index("id") if len(frame) else frame

    def ledger(self, asset: str = "") -> pd.DataFrame:
        """The gap ledger: index signal; columns expected, arrived, duplicates, dropped, pending, unexplained."""
        items = self._http.json("/ledger", {"asset": asset})["items"]
        columns = ["signal", "expected", "arrived", "duplicates", "dropped", "pending", "unexplained"]
        return pd.DataFrame(items, columns=columns).set_index("signal")

    # --- helpers

    def _resolve(self, signals: str | Iterable[str]) -> dict[str, int]:
        """Path -> id in the asked order. Raises AddressInvalid that proposes what may have been meant."""
        paths = list(dict.fromkeys([signals] if isinstance(signals, str) else signals))
        if any(path not in self._ids for path in paths):
            self.signals()
        for path in paths:
            if path not in self._ids:
                near = difflib.get_close_matches(path, self._ids, 3)
                raise AddressInvalid(
                    f"there is no signal {path!r}", hint=f"did you mean {', '.join(near)}" if near else ""
                )
        return {path: self._ids[path] for path in paths}


def _range(start: When, end: When) -> dict[str, int]:
    first, last = _microseconds(start), _microseconds(end)
    if first >= last:
        raise DataError(f"start {start} is not before end {end}")
    return {"start": first, "end": last}


def _microseconds(when: When) -> int:
    if isinstance(when, int) and not isinstance(when, bool):
        return when
    try:
        moment = pd.Timestamp(when)
    except (ValueError, TypeError) as error:
        raise DataError(f"{when!r} is no time", hint="ISO 8601 with a zone, like 2026-01-31T06:00:00+01:00") from error
    if moment.tzinfo is None:
        raise DataError(f"{when!r} has no time zone", hint="add one: ...Z for UTC, or +01:00")
    return int(moment.tz_convert("UTC").as_unit("us").to_numpy().astype(np.int64))


def _with_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Times as UTC, qualities as words."""
    if not isinstance(frame["time"].dtype, pd.DatetimeTZDtype):
        frame["time"] = pd.to_datetime(frame["time"], unit="us", utc=True)
    codes = frame["quality"].to_numpy(np.uint8, na_value=0)
    words = np.array([quality_word(code) for code in range(256)], object)
    frame["quality"] = pd.Series(words[codes], index=frame.index).astype(_QUALITY_WORDS)
    frame["value"] = frame["value"].astype(np.float64)
    return frame


def _bytes(quality: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Quality bytes of words or numbers. Raises DataError."""
    codes = {"good": 192, "uncertain": 64, "stale": 8, "bad": 0}
    mapped = quality.map(lambda one: codes.get(one, one) if isinstance(one, str) else one)
    numbers = pd.to_numeric(mapped, errors="coerce")
    if numbers.isna().any() or ((numbers < 0) | (numbers > 255)).any():
        raise DataError("quality has values that are neither a byte nor good, uncertain, stale or bad")
    return numbers.to_numpy(np.uint8)
