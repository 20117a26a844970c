"""MTConnect adapter logs (SHDR): `time|item|value`, several pairs in a line, conditions, messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from itertools import islice
from math import isfinite

from lineshaft.drivers.records import CHUNK, Chunks, Malformed, Records, iso_time
from lineshaft.model.samples import Quality

_LEVELS = frozenset({"NORMAL", "WARNING", "FAULT", "UNAVAILABLE"})
_CONDITION_FIELDS = 7
_MESSAGE_FIELDS = 4
_SERIES_FIELDS = 5
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")


def read_shdr(lines: Iterable[str], malformed: Malformed, series: Set[str] = frozenset()) -> Chunks:
    """Parse a log in chunks. What is no data (assets, adapter commands, empty lines) is passed over.

    series: items that are time series, `time|item|count|rate|numbers`; a line alone does not tell them from two pairs.
    """
    parser = _Parser(malformed, series)
    rest = iter(lines)
    number = 0
    while part := list(islice(rest, CHUNK)):
        records = Records()
        for line in part:
            number += 1
            parser.line(line.rstrip("\r\n"), number, records)
            if records.full:
                yield records
                records = Records()
        yield records


class _Parser:
    """Remembers the last time and which items are conditions, because a line alone can be ambiguous."""

    def __init__(self, malformed: Malformed, series: Set[str]) -> None:
        self._malformed = malformed
        self._series = series
        self._conditions: set[str] = set()
        self._time_text = ""
        self._time = 0

    def line(self, line: str, number: int, records: Records) -> None:
        if not line or line[0] == "*":
            return
        fields = line.split("|") if '"' not in line else _quoted(line)
        if len(fields) > 1 and fields[1].startswith("@"):
            return
        if fields[0] != self._time_text:
            try:
                self._time = iso_time(fields[0].partition("@")[0])
            except ValueError:
                self._malformed.add(number, line)
                return
            self._time_text = fields[0]
        if len(fields) == 3 and fields[1]:
            records.add(fields[1], self._time, fields[2])
        elif not self._long(fields, records):
            self._malformed.add(number, line)

    def _long(self, fields: list[str], records: Records) -> bool:
        """A line with more or fewer than one pair; False when it is malformed."""
        count = len(fields)
        if count < 3 or not fields[1]:
            return False
        if count == _SERIES_FIELDS and fields[1] in self._series:
            return self._burst(fields, records)
        if count == _CONDITION_FIELDS and self._is_condition(fields):
            self._conditions.add(fields[1])
            text = "|".join(fields[2:]).rstrip("|")
            records.add(fields[1], self._time, text)
            if fields[2].upper() == "UNAVAILABLE" and text.upper() != "UNAVAILABLE":
                records.qualities[-1] = Quality.BAD_NO_VALUE  # no value, yet its words are kept
            return True
        if count == _MESSAGE_FIELDS:
            records.add(fields[1], self._time, f"{fields[2]}|{fields[3]}")
            return True
        if count % 2 == 0 or not all(fields[1::2]):
            return False
        for item, raw in zip(fields[1::2], fields[2::2], strict=True):
            records.add(item, self._time, raw)
        return True

    def _burst(self, fields: list[str], records: Records) -> bool:
        """A time series; False when it has other than as many numbers as it says, or its rate is none."""
        try:
            count, rate = int(fields[2]), float(fields[3] or 0)
        except ValueError:
            return False
        if count != len(fields[4].split()) or not isfinite(rate):
            return False
        if rate > 0:
            records.rates[len(records)] = rate
        records.add(fields[1], self._time, fields[4])
        return True

    def _is_condition(self, fields: list[str]) -> bool:
        level = fields[2].upper()
        if level not in _LEVELS:
            return False
        return level != "UNAVAILABLE" or not any(fields[3:]) or fields[1] in self._conditions


def _quoted(line: str) -> list[str]:
    r"""Split at bars; a value in quotes may hold \| for a bar."""
    return [
        field[1:-1].replace("\\|", "|") if len(field) > 1 and field[0] == field[-1] == '"' else field
        for field in _UNESCAPED_BAR.split(line)
    ]
