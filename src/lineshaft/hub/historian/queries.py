"""SQL of the historian's reads; times are UTC microseconds, names are fixed, numbers are integers."""

# ruff: noqa: S608 - only integers and fixed names are put into the text

from __future__ import annotations

from collections.abc import Iterable, Sequence

COLUMNS = "signal, reinterpretAsInt64(time) AS t, value, quality, text, is_text"
"""A row as the reader takes it."""
MAX_TIME = 2**62


def moment(time: int) -> str:
    """A time constant that the index understands; bounded to what the column holds."""
    return f"fromUnixTimestamp64Micro(toInt64({max(-MAX_TIME, min(time, MAX_TIME))}), 'UTC')"


def among(signals: Iterable[int]) -> str:
    """Condition on signals."""
    return f"signal IN ({','.join(str(int(signal)) for signal in signals)})"


def within(signals: Iterable[int], start: int, end: int) -> str:
    """Condition on signals and start <= time < end."""
    return f"{among(signals)} AND time >= {moment(start)} AND time < {moment(end)}"


def census(signals: Iterable[int], start: int, end: int) -> str:
    """Per signal: rows, and how many of them are texts that are no digits of a large integer."""
    return (
        "SELECT signal, count() AS rows, countIf(is_text AND isNaN(value)) AS texts"
        f" FROM samples WHERE {within(signals, start, end)} GROUP BY signal"
    )


def raw(signals: Iterable[int], start: int, end: int, limit: int | None = None) -> str:
    """Every row in time order."""
    tail = "" if limit is None else f" LIMIT {limit}"
    return f"SELECT {COLUMNS} FROM samples WHERE {within(signals, start, end)} ORDER BY signal, time{tail}"


def raw_in(signals: Iterable[int], condition: str) -> str:
    """Every row for which a condition on `time` holds."""
    return f"SELECT {COLUMNS} FROM samples WHERE {among(signals)} AND {condition} ORDER BY signal, time"


def raw_at(signals: Sequence[int], times: Sequence[int]) -> str:
    """Rows that have the signal and time of one of the pairs; `signals` and `times` are parallel."""
    pairs = f"arrayZip([{','.join(map(str, signals))}], [{','.join(map(str, times))}])"
    return (  # a list of constants in place of the subquery takes six times as long
        f"SELECT {COLUMNS} FROM samples WHERE {within(set(signals), min(times), max(times) + 1)}"
        f" AND (signal, reinterpretAsInt64(time)) IN (SELECT arrayJoin({pairs}))"
    )


def counted(signals: Iterable[int], condition: str) -> str:
    """Rows per signal for which a condition on `time` holds."""
    return (
        f"SELECT signal, toInt64(count()) AS rows FROM samples WHERE {among(signals)} AND {condition}"
        " GROUP BY signal ORDER BY signal"
    )


def before(signals: Iterable[int], start: int) -> str:
    """The last row of each signal before `start`; one short search from the end per signal."""
    one = (
        f"SELECT {COLUMNS} FROM (SELECT * FROM samples WHERE signal = {{}} AND time < {moment(start)}"
        " ORDER BY signal DESC, time DESC LIMIT 1)"
    )
    return " UNION ALL ".join(one.format(int(signal)) for signal in signals)


def extremes(signals: Iterable[int], start: int, end: int, width: int) -> str:
    """Per signal and bucket of `width` µs: smallest and largest value, each with its time and quality.

    Time and quality travel as one number (t * 256 + quality), so that both belong to the same row. A bucket without any
    number gives NaN at its first time.
    """
    stamp = "(reinterpretAsInt64(time) * 256 + quality)"
    number = "NOT isNaN(value)"
    return (
        f"SELECT signal, intDiv(reinterpretAsInt64(time) - ({start}), {width}) AS bucket, countIf({number}) AS numbers,"
        f" minIf(value, {number}) AS low, argMinIf({stamp}, value, {number}) AS low_at,"
        f" maxIf(value, {number}) AS high, argMaxIf({stamp}, value, {number}) AS high_at, min({stamp}) AS first_at"
        f" FROM samples WHERE {within(signals, start, end)} GROUP BY signal, bucket ORDER BY signal, bucket"
    )


def rolled_extremes(level: str, signals: Iterable[int], origin: int, width: int, rolled: str, raw: str) -> str:
    """The columns of `extremes` from roll-ups where the condition `rolled` on `start` holds, from rows where `raw` on
    `time` does. Times of extremes are exact."""
    wanted = among(signals)
    base = "reinterpretAsInt64(start)"
    return (
        f"SELECT signal, intDiv(t - ({origin}), {width}) AS bucket, sum(n) AS numbers, minIf(lo, n > 0) AS low,"
        " argMinIf(lo_at, lo, n > 0) AS low_at, maxIf(hi, n > 0) AS high, argMaxIf(hi_at, hi, n > 0) AS high_at,"
        " min(opened) AS first_at FROM ("
        f"SELECT signal, {base} AS t, numbers AS n, low AS lo, ({base} + low_at) * 256 + low_quality AS lo_at,"
        f" high AS hi, ({base} + high_at) * 256 + high_quality AS hi_at,"
        f" ({base} + opens_at) * 256 + if(count > 0, 192, 0) AS opened"
        f" FROM rollup_{level} FINAL WHERE {wanted} AND {rolled} AND rows > 0"
        " UNION ALL "
        "SELECT signal, reinterpretAsInt64(time) AS t, toInt64(NOT isNaN(value)) AS n, value AS lo,"
        " t * 256 + quality AS lo_at, value AS hi, lo_at AS hi_at, lo_at AS opened"
        f" FROM samples WHERE {wanted} AND {raw}"
        ") GROUP BY signal, bucket ORDER BY signal, bucket"
    )


def rolled_census(signals: Iterable[int], start: int, end: int) -> str:
    """Per signal: rows of any quality and how many of them are texts, as far as hours are rolled up."""
    return (
        "SELECT signal, sum(rows) AS rows, sum(count) - sum(numbers) AS texts FROM rollup_hour FINAL"
        f" WHERE {among(signals)} AND start >= {moment(start)} AND start < {moment(end)} GROUP BY signal"
    )


def after(signals: Iterable[int], end: int) -> str:
    """The first row of each signal at or after `end`."""
    one = (
        f"SELECT {COLUMNS} FROM (SELECT * FROM samples WHERE signal = {{}} AND time >= {moment(end)}"
        " ORDER BY signal, time LIMIT 1)"
    )
    return " UNION ALL ".join(one.format(int(signal)) for signal in signals)


def changes(signals: Iterable[int], start: int, end: int, limit: int) -> str:
    """Rows that differ from the one before in text, value or quality; at most `limit` per signal."""
    previous = "lagInFrame({0}) OVER sequence AS last_{0}"
    return (
        f"SELECT {COLUMNS} FROM (SELECT *, row_number() OVER sequence AS position,"
        f" {previous.format('text')}, {previous.format('is_text')}, {previous.format('value')},"
        f" {previous.format('quality')} FROM samples WHERE {within(signals, start, end)}"
        " WINDOW sequence AS (PARTITION BY signal ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))"
        " WHERE position = 1 OR text != last_text OR is_text != last_is_text OR quality != last_quality"
        " OR (value != last_value AND NOT (isNaN(value) AND isNaN(last_value)))"
        f" ORDER BY signal, time LIMIT {limit} BY signal"
    )


def latest(signals: Iterable[int] | None) -> str:
    """The newest row of each signal, from the small table that a view keeps."""
    where = "" if signals is None else f" WHERE {among(signals)}"
    return f"SELECT {COLUMNS} FROM latest FINAL{where} ORDER BY signal"


def renew_latest(signals: Iterable[int]) -> str:
    """Statement that notes the newest rows again, after rows were removed."""
    return (
        "INSERT INTO latest SELECT signal, time, value, quality, text, is_text FROM samples"
        f" WHERE {among(signals)} ORDER BY signal, time DESC LIMIT 1 BY signal"
    )


def totals() -> str:
    """Rows per signal."""
    return (
        "SELECT signal, toInt64(count()) AS rows FROM samples GROUP BY signal ORDER BY signal"
        " SETTINGS optimize_aggregation_in_order = 1"
    )


def counts(signals: Iterable[int] | None, start: int | None, end: int | None) -> str:
    """Rows, first and last time per signal."""
    conditions = [] if signals is None else [among(signals)]
    conditions += [] if start is None else [f"time >= {moment(start)}"]
    conditions += [] if end is None else [f"time < {moment(end)}"]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        "SELECT signal, toInt64(count()) AS rows, reinterpretAsInt64(min(time)) AS first,"
        f" reinterpretAsInt64(max(time)) AS last FROM samples{where} GROUP BY signal ORDER BY signal"
    )


def months_before(table: str, time: int) -> str:
    """Partitions (yyyymm) that hold only rows older than `time`."""
    return (
        "SELECT DISTINCT toUInt32(partition) AS month FROM system.parts WHERE active"
        f" AND database = currentDatabase() AND table = '{table}' AND month < toYYYYMM({moment(time)})"
    )


def size(table: str) -> str:
    """Bytes on disk of a table's living parts."""
    return (
        "SELECT toInt64(sum(bytes_on_disk)) AS bytes FROM system.parts"
        f" WHERE active AND database = currentDatabase() AND table = '{table}'"
    )
