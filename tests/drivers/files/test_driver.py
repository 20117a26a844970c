"""What the file drop driver does with files that come, grow, repeat and are broken, and over restarts."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lineshaft.drivers.base import Point
from lineshaft.drivers.files.driver import FilesDriver
from lineshaft.drivers.files.folder import Position
from lineshaft.drivers.files.options import FilesAddress, FilesConnection
from lineshaft.drivers.records import Malformed, rows_of, targets_of
from lineshaft.drivers.tables import read_csv
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch

POINTS = (Point(0, FilesAddress(item="v")), Point(1, FilesAddress(item="id"), Datatype.STRING))


class Sink:
    """Collects values, and the driver's position after each batch."""

    def __init__(self, driver: FilesDriver) -> None:
        self.values: list[float | str] = []
        self.positions: list[tuple[int, str]] = []
        self._driver = driver
        self._more = asyncio.Event()

    def __call__(self, batch: SampleBatch) -> None:
        for row in range(len(batch)):
            text = None if batch.texts is None else batch.texts[row]
            self.values.append(float(batch.values[row]) if text is None else text)
        self.positions.append((len(self.values), self._driver.position()))
        self._more.set()

    async def wait(self, values: int, positions: int = 0) -> None:
        async with asyncio.timeout(30):
            while len(self.values) < values or len(self.positions) < positions:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def reading(
    folder: Path, points: tuple[Point, ...] = POINTS, position: str = "", **options: object
) -> AsyncIterator[tuple[FilesDriver, Sink]]:
    more = {"folder": str(folder), "scan": "10ms", "settle": "20ms", **options}
    driver = FilesDriver(FilesConnection.model_validate(more))
    if position:
        driver.resume(position)
    sink = Sink(driver)
    await driver.connect()
    try:
        await driver.subscribe(points, sink)
        yield driver, sink
    finally:
        await driver.close()


def table(values: Iterable[float]) -> str:
    return "time,v\n" + "".join(f"{1_700_000_000 + n},{value}\n" for n, value in enumerate(values))


def put(folder: Path, name: str, content: str, at: int) -> None:
    """Write a file beside, then move it in, with the time `at`."""
    beside = folder.parent / name
    beside.write_text(content)
    os.utime(beside, (at, at))
    beside.rename(folder / name)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


async def test_files_come_once_and_in_order(drop: Path) -> None:
    """Files are read in the order of their times, each once, also those that come later."""
    put(drop, "b.csv", table([1, 2]), 1000)
    put(drop, "a.csv", table([3]), 2000)
    async with reading(drop) as (driver, sink):
        await sink.wait(3)
        put(drop, "c.csv", table([4]), 3000)
        await sink.wait(4, 6)
        assert sink.values == [1, 2, 3, 4]
        assert driver.statistics.files == 3


async def test_restart_at_every_position(drop: Path) -> None:
    """Whatever position was stored, what follows it is read after a restart, and nothing twice."""
    put(drop, "a.csv", table(range(25_000)), 1000)
    put(drop, "b.csv", table(range(25_000, 25_010)), 2000)
    async with reading(drop) as (_, sink):
        await sink.wait(25_010, 5)
        whole, positions = sink.values, sink.positions
    assert whole == list(range(25_010))
    assert len(positions) == 5  # two parts of a, the end of a, b, the end of b
    for count, position in positions:
        async with reading(drop, position=position) as (_, sink):
            await sink.wait(25_010 - count)
            assert sink.values == whole[count:]


async def test_a_growing_file_goes_on(drop: Path) -> None:
    """Rows that are appended to the last file are read; the rows before them are not read again."""
    put(drop, "log.csv", table([1, 2]), 1000)
    async with reading(drop) as (_, sink):
        await sink.wait(2, 2)
        with (drop / "log.csv").open("a") as file:
            file.write("1700000009,3\n")
        await sink.wait(3, 4)
        position = sink.positions[-1][1]
    with (drop / "log.csv").open("a") as file:
        file.write("1700000010,4\n")
    async with reading(drop, position=position) as (_, sink):
        await sink.wait(1)
        assert sink.values == [4]


async def test_read_files_are_moved(drop: Path) -> None:
    """With finished: move a read file goes to done, a second one of its name beside it, a broken one to failed."""
    async with reading(drop, finished="move") as (driver, sink):
        put(drop, "a.csv", table([1]), 2000)
        await sink.wait(1, 2)
        put(drop, "a.csv", table([2]), 1000)
        await sink.wait(2, 4)
        put(drop, "broken.csv", "no,header\n1,2\n", 3000)
        put(drop, "broken.parquet", "PAR1", 3000)
        await sink.wait(2, 6)
        assert driver.statistics.failed == 2
    assert sorted(path.name for path in (drop / "done").iterdir()) == ["a-2.csv", "a.csv"]
    assert sorted(path.name for path in (drop / "failed").iterdir()) == ["broken.csv", "broken.parquet"]
    assert sink.values == [1, 2]


async def test_broken_files_and_lines_are_counted(drop: Path) -> None:
    """A file without the time column fails alone; a malformed line is left out alone."""
    put(drop, "a.csv", "nothing,here\n1,2\n", 1000)
    put(drop, "b.csv", "time,v\n1700000000,1\nyesterday,2\n1700000002\n99999999999999999999,3\n1700000003,4\n", 2000)
    async with reading(drop) as (driver, sink):
        await sink.wait(2, 3)
        assert sink.values == [1, 4]
        assert (driver.statistics.failed, driver.statistics.malformed) == (1, 3)
        assert "no column 'time'" in driver.statistics.last_error


async def test_an_unfinished_file_waits(drop: Path) -> None:
    """A file that is still written is not read, and neither is one that came after it."""
    async with reading(drop, settle="1500ms") as (_, sink):
        growing = drop / "a.csv"
        growing.write_text(table([]))
        os.utime(growing, (1000, 1000))
        for n in range(5):
            with growing.open("a") as file:
                file.write(f"{1_700_000_000 + n},{n}\n")
            await asyncio.sleep(0.1)  # the pace of the writer
            assert sink.values == []
        await sink.wait(5)
        assert sink.values == [0, 1, 2, 3, 4]


async def test_formats_and_patterns(drop: Path) -> None:
    """Semicolons and decimal commas, a byte order mark, packed files and addresses for some files only."""
    (drop / "x-1.csv.gz").write_bytes(gzip.compress("\ufefftime;v;id\n1700000000;1,5;0042\n".encode()))
    (drop / "y-1.csv").write_text("time;v;id\n1700000000;2,5;0043\n")
    (drop / "notes.txt").write_text("nothing to read")
    points = (Point(0, FilesAddress(item="v", file="x-*")), Point(1, FilesAddress(item="id"), Datatype.STRING))
    async with reading(drop, points, delimiter=";", decimal=",") as (driver, sink):
        await sink.wait(3)
        assert sorted(map(str, sink.values)) == ["0042", "0043", "1.5"]
        assert [one.address for one in await driver.browse()] == ["v", "id"]
        assert all(finding.passed for finding in await driver.test_connection())


async def test_a_folder_that_goes_away(drop: Path) -> None:
    """A lost share is said, and after it is back a new connection reads what came."""
    async with reading(drop) as (driver, sink):
        await asyncio.to_thread(drop.rmdir)
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionFailed, match="drop"):
                await driver.wait_closed()
        with pytest.raises(ConnectionFailed):
            await driver.connect()
        assert not (await driver.test_connection())[0].passed
        await asyncio.to_thread(drop.mkdir)
        put(drop, "a.csv", table([1]), 1000)
        await driver.connect()
        await driver.subscribe(POINTS, sink)
        await sink.wait(1)


@given(st.text(max_size=60))
def test_any_text_is_a_position_or_refused(text: str) -> None:
    """A position comes back as it was; anything else is refused with DataError."""
    assert Position.of(str(Position("a.csv", "00", 5, 7, (9, "b")))) == Position("a.csv", "00", 5, 7, (9, "b"))
    try:
        Position.of(text)
    except DataError:
        return


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200), st.sampled_from((",", ";", "\t")), st.sampled_from((".", ",")))
def test_any_table_is_records_or_an_error(text: str, delimiter: str, decimal: str) -> None:
    """No CSV crashes the reader: it gives records, counts lines, or says what is wrong."""
    options = FilesConnection(folder="x", delimiter=delimiter, decimal="." if delimiter == decimal else decimal)
    for content in (text, f"time{delimiter}v\n{text}"):
        try:
            for records in read_csv(content.split("\n"), options, Malformed(), delimiter, options.decimal):
                rows_of(records, 0, targets_of(POINTS), Counter())
        except DataError:
            continue


@pytest.mark.parametrize(
    "wrong", [{"delimiter": "ab"}, {"delimiter": ",", "decimal": ","}, {"done_folder": "../x"}, {"pattern": "a/*"}]
)
def test_wrong_options(wrong: dict[str, object]) -> None:
    """What cannot work is refused when the plant is loaded."""
    with pytest.raises(ValidationError):
        FilesConnection.model_validate({"folder": "x", **wrong})
