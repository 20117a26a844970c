"""Playing: pace, position, what is not named and what is not there."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.drivers.replay import SPEC, ReplayConnection
from lineshaft.drivers.replay.pace import Pace
from lineshaft.drivers.replay.recording import Recording
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.samples import Quality, SampleBatch

from . import recordings
from .recordings import points, rows

SECOND = 1_000_000


def _log(path: Path, lines: list[tuple[float, str, str]]) -> Path:
    """A log whose times are seconds after 2020-01-01."""
    text = ""
    for at, item, value in lines:
        text += f"2020-01-01T00:{int(at) // 60:02d}:{at % 60:09.6f}Z|{item}|{value}\n"
    path.write_text(text)
    return path


LINES = [(n * 0.25, "abc"[n % 3], str(n)) for n in range(60)]


async def test_times_values_and_order_are_those_of_the_file(tmp_path: Path) -> None:
    """Backward time stamps are delivered as they are, where they are."""
    path = _log(tmp_path / "x.txt", [(5, "a", "1"), (3, "a", "2"), (3, "b", "ON"), (9.000001, "a", "3")])
    played = await recordings.play(recordings.driver(path), points(["a", "b"]))
    start = 1_577_836_800 * SECOND
    assert [row[:3] for row in rows([batch for _, batch in played])] == [
        (0, start + 5 * SECOND, 1.0),
        (0, start + 3 * SECOND, 2.0),
        (1, start + 3 * SECOND, 0.0),
        (0, start + 9 * SECOND + 1, 3.0),
    ]


async def test_resume_after_any_record_equals_one_pass(tmp_path: Path) -> None:
    """What was delivered before a kill and what is delivered after it are together exactly the recording."""
    path = _log(tmp_path / "x.txt", LINES)
    wanted = points(["a", "c"])
    whole = rows([batch for _, batch in await recordings.play(recordings.driver(path), wanted)])
    for record in range(len(LINES) + 1):
        first = recordings.driver(path)
        await first.connect()
        position = json.dumps({**json.loads(first.position()), "record": record})
        await first.close()
        second = recordings.driver(path)
        second.resume(position)
        after = rows([batch for _, batch in await recordings.play(second, wanted)])
        before = [row for row in whole if row[2] < record]
        assert before + after == whole


async def test_position_stands_after_the_batch_that_the_sink_gets(tmp_path: Path) -> None:
    """A replay that is cut after any batch goes on with the next record."""
    path = _log(tmp_path / "x.txt", LINES)
    wanted = points(["a", "b", "c"])
    whole = rows([batch for _, batch in await recordings.play(recordings.driver(path), wanted)])
    for count in (1, 3, 7):
        got = await recordings.play(recordings.driver(path, speed=40), wanted, stop_after=count)
        second = recordings.driver(path)
        second.resume(got[-1][0])
        rest = await recordings.play(second, wanted)
        assert rows([batch for _, batch in [*got, *rest]]) == whole


async def test_a_position_of_another_recording_is_not_used(tmp_path: Path) -> None:
    """When the file was replaced the new one is played from its beginning."""
    path = _log(tmp_path / "x.txt", LINES[:10])
    played = await recordings.play(recordings.driver(path), points(["a"]))
    _log(path, LINES)
    second = recordings.driver(path)
    second.resume(played[-1][0])
    again = await recordings.play(second, points(["a"]))
    assert len(rows([batch for _, batch in again])) == 20


@pytest.mark.parametrize(
    "position", ["", "7", "[]", "{}", '{"record": -1, "file": "x"}', '{"record": "1", "file": "x"}']
)
def test_a_malformed_position_is_refused(tmp_path: Path, position: str) -> None:
    """It raises instead of playing everything twice."""
    with pytest.raises(DataError):
        recordings.driver(tmp_path / "x.txt").resume(position)


async def test_it_keeps_the_pace(tmp_path: Path) -> None:
    """Ten recorded seconds at speed 10 last a second, and the first record does not wait."""
    path = _log(tmp_path / "x.txt", [(0, "a", "0"), (0, "a", "1"), (5, "a", "2"), (10, "a", "3")])
    driver = recordings.driver(path, speed=10)
    moments: list[tuple[float, float]] = []
    await driver.connect()
    begin = time.monotonic()
    await driver.subscribe(points(["a"]), lambda batch: moments.append((time.monotonic() - begin, batch.values[-1])))
    await driver.statistics.finished.wait()
    await driver.close()
    assert moments[0][0] < 0.5
    assert moments[-1][0] >= 1.0
    assert [value for _, value in moments] == [1.0, 2.0, 3.0]


async def test_shifted_times_look_live_and_survive_a_restart(tmp_path: Path) -> None:
    """The recording's start becomes now, and a second run goes on with the same shift."""
    path = _log(tmp_path / "x.txt", [(n * 0.5, "a", str(n)) for n in range(41)])
    got = await recordings.play(recordings.driver(path, speed=20, times="shifted"), points(["a"]), stop_after=3)
    second = recordings.driver(path, speed=20, times="shifted")
    second.resume(got[-1][0])
    rest = await recordings.play(second, points(["a"]))
    times = [row[1] for row in rows([batch for _, batch in [*got, *rest]])]
    assert len(times) == 41
    steps = {b - a for a, b in pairwise(times)}
    assert steps <= {24_999, 25_000, 25_001}  # 0.5 s at speed 20
    assert abs(times[-1] - time.time_ns() // 1000) < 60 * SECOND


def test_shifted_as_fast_as_possible_is_refused() -> None:
    """Times that follow the clock need a pace."""
    with pytest.raises(ValueError, match="shifted"):
        ReplayConnection(path="x", speed="max", times="shifted")


async def test_what_is_not_named_or_not_there_is_said(tmp_path: Path) -> None:
    """An item without a signal is counted; a signal without an item gets one BAD_ADDRESS row."""
    path = _log(tmp_path / "x.txt", LINES)
    driver = recordings.driver(path)
    played = await recordings.play(driver, points(["a", "nothing"]))
    got = rows([batch for _, batch in played])
    assert [(row[0], row[3]) for row in got if row[3] != Quality.GOOD] == [(1, Quality.BAD_ADDRESS)]
    assert driver.statistics.unnamed == {"b": 20, "c": 20}
    assert driver.statistics.delivered == 20


async def test_numbers_of_a_text_signal_stay_as_written(tmp_path: Path) -> None:
    """A program called 007 is not the number 7."""
    path = _log(tmp_path / "x.txt", [(0, "program", "007"), (1, "program", "UNAVAILABLE"), (2, "program", "O12")])
    played = await recordings.play(recordings.driver(path), points(["program"], texts=["program"]))
    assert [(row[2], row[4]) for row in rows([batch for _, batch in played])] == [
        (0.0, "007"),
        (0.0, None),
        (0.0, "O12"),
    ]


async def test_one_item_may_feed_two_signals(tmp_path: Path) -> None:
    """Each signal gets every record."""
    path = _log(tmp_path / "x.txt", LINES[:9])
    wanted = points(["a", "a"])
    got = rows([batch for _, batch in await recordings.play(recordings.driver(path), wanted)])
    assert [row[0] for row in got] == [0, 1] * 3


async def test_it_can_be_browsed_and_tested(tmp_path: Path) -> None:
    """The items with their counts, and the malformed lines by number."""
    path = _log(tmp_path / "x.txt", LINES)
    with path.open("a") as file:
        file.write("rubbish\n")
    driver = recordings.driver(path)
    await driver.connect()
    assert [(found.address, found.description) for found in await driver.browse()] == [
        ("a", "20 records"), ("b", "20 records"), ("c", "20 records"),
    ]  # fmt: skip
    await driver.close()
    read, lines = await driver.test_connection()
    assert read.passed
    assert (lines.passed, lines.detail) == (False, "1 malformed, line 61")


async def test_environment_variables_in_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} and ${NAME:-default} are replaced; a name that is not set is said."""
    _log(tmp_path / "x.txt", LINES[:3])
    monkeypatch.setenv("REPLAY_FOLDER", str(tmp_path))
    for path in ("${REPLAY_FOLDER}/x.txt", f"${{REPLAY_NOT_SET:-{tmp_path}}}/x.txt"):
        driver = recordings.driver(Path(path))
        await driver.connect()
        await driver.close()
    with pytest.raises(ConnectionFailed, match="REPLAY_NOT_SET is not set"):
        await recordings.driver(Path("${REPLAY_NOT_SET}/x.txt")).connect()
    with pytest.raises(ConnectionFailed, match="No such file"):
        await recordings.driver(tmp_path / "absent.txt").connect()


async def test_a_played_recording_stays_open(tmp_path: Path) -> None:
    """The end of the file is no lost connection."""
    driver = recordings.driver(_log(tmp_path / "x.txt", LINES))
    seen: list[SampleBatch] = []
    await driver.connect()
    await driver.subscribe(points(["a"]), seen.append)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await driver.wait_closed()
    assert driver.statistics.finished.is_set()
    await driver.close()


async def test_a_recording_too_long_to_look_through_is_known_by_its_beginning(tmp_path: Path) -> None:
    """Looking stops at its time limit, and what was found until then is right."""
    path = _log(tmp_path / "x.txt", LINES)
    path.write_text(path.read_text() * 2000)
    overview = Recording(ReplayConnection(path=str(path))).overview(0.05)
    assert not overview.complete
    assert 0 < overview.records < 120_000
    assert overview.opening == 3


@given(st.lists(st.integers(-(10**9), 10**9), max_size=50), st.integers(0, 60), st.integers(1, 10**8))
def test_the_pace_never_runs_back_and_never_waits_longer_than_the_longest_gap(
    times: list[int], opening: int, gap: int
) -> None:
    """Whatever the clock of the recording does."""
    pace = Pace(times[opening] if opening < len(times) else 0, opening, gap)
    offsets = pace.offsets(times)
    assert offsets == sorted(offsets)
    assert all(offset == 0 for offset in offsets[:opening])
    assert all(b - a <= gap for a, b in pairwise(offsets))


def test_a_wild_time_stamp_does_not_end_the_pace() -> None:
    """After one record from the year 2099 the replay goes on at its pace."""
    times = [0, SECOND, 2_500_000_000 * SECOND, 2 * SECOND, 3 * SECOND]
    assert Pace(0, 0, 60 * SECOND).offsets(times) == [0, SECOND, 61 * SECOND, 61 * SECOND, 62 * SECOND]


def test_the_spec_names_a_push_driver() -> None:
    """The engine subscribes."""
    assert (SPEC.name, SPEC.push) == ("replay", True)
