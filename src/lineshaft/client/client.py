"""The client that people import: `from lineshaft.client import Client`."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from lineshaft.client.http import Http
from lineshaft.client.questions import Questions
from lineshaft.client.times import When, span
from lineshaft.errors import AddressInvalid, DataError
from lineshaft.model.samples import quality_word

_PER_CALL: Final = 100
"""Signals of one call for a decimated series."""
_WRITE_S: Final = 60.0
"""How long it is waited for what became of a write, seconds."""
_QUALITY_WORDS: Final = pd.CategoricalDtype(["good", "uncertain", "stale", "bad"])


class Client(Questions):
    """Reads and writes history of one hub; use it in a `with` block.

    >>> with Client("https://hub.example.com", token="...") as hub:  # doctest: +SKIP
    ...     power = hub.read("acme/north/hall/press/power", "2026-01-01T00:00Z", "2026-01-02T00:00Z")

    A call that the hub puts off (429, 503) is made again for a while. Raises AccessDenied, AddressInvalid, DataError,
    ConnectionFailed, PeerTimeout or StoreUnavailable, each with the hub's words and a hint.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        super().__init__(Http(url, token, timeout))
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
        params = {"signals": ",".join(map(str, ids.values())), **span(start, end), "format": "arrow"}
        return _with_words(self._http.arrow("/export", params).to_pandas())

    def _series(self, signals: str | Iterable[str], start: When, end: When, points: int) -> pd.DataFrame:
        ids = self._resolve(signals)
        names = {number: path for path, number in ids.items()}
        numbers = list(names)
        asked = span(start, end)
        parts = [
            self._http.arrow("/series", {"signals": ",".join(map(str, part)), **asked, "points": points})
            for part in (numbers[at : at + _PER_CALL] for at in range(0, len(numbers), _PER_CALL))
        ]
        frame = pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
        frame.insert(0, "path", frame.pop("signal").map(names))
        moment = pd.to_datetime(asked["start"], unit="us", utc=True)
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

    def aggregate(
        self,
        signals: str | Iterable[str],
        start: When,
        end: When,
        *,
        bucket: str = "1h",
        functions: str = "mean,min,max",
        tz: str = "",
    ) -> pd.DataFrame:
        """Figures by local time from roll-ups, over any length: index start (in the plant's zone, or `tz`), columns
        path and function. bucket: 15min, 1h, 1d, 1w, month, shift or all; whole ones that touch the range. functions:
        mean, min, max, first, last, sum, std, time_mean, integral, increase."""
        ids = self._resolve(signals)
        found = self._aggregates(ids.values(), start, end, {"bucket": bucket, "functions": functions, "tz": tz})
        paths = {number: path for path, number in ids.items()}
        columns = {
            (paths[one["signal"]], name): values for one in found["series"] for name, values in one["values"].items()
        }
        frame = pd.DataFrame(columns, index=_starts(found), dtype=np.float64)
        frame.columns = pd.MultiIndex.from_tuples(list(columns), names=["path", "function"])
        return frame

    def time_in_state(self, signal: str, start: When, end: When, *, bucket: str = "1d", tz: str = "") -> pd.DataFrame:
        """Seconds in each state by local time, exact over any length: index start, one column a state."""
        params = {"bucket": bucket, "functions": "time_in_state", "tz": tz}
        found = self._aggregates(self._resolve(signal).values(), start, end, params)
        rows = found["series"][0]["values"]["time_in_state"] if found["series"] else []
        return pd.DataFrame(rows, index=_starts(found)).fillna(0.0)

    def _aggregates(self, ids: Iterable[int], start: When, end: When, params: dict[str, Any]) -> dict[str, Any]:
        signals = ",".join(map(str, ids))
        found: dict[str, Any] = self._http.json("/aggregate", {"signals": signals, **span(start, end), **params})
        return found

    def write(
        self,
        signal: str,
        value: float | str,
        reason: str,
        *,
        expected: float | str | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Set a value on a device, as far as the plant and the token's owner allow it, and wait for what became of it:
        `outcome` is done, dry-run, refused, failed, unconfirmed or unanswered, with a message."""
        (number,) = self._resolve(signal).values()
        body = {"value": value, "reason": reason, "expected": expected, "dry_run": dry_run}
        found: dict[str, Any] = self._http.post(f"/signals/{number}/writes", body)
        until = time.monotonic() + _WRITE_S
        while found["outcome"] == "sent" and time.monotonic() < until:
            time.sleep(0.1)
            found = self._http.json(f"/writes/{found['id']}")
        return found

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


def _starts(found: dict[str, Any]) -> pd.DatetimeIndex:
    starts = pd.DatetimeIndex(pd.to_datetime(found["start"], unit="us", utc=True), name="start")
    return starts.tz_convert(found["timezone"])


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
