"""Commands to write, judged and carried out with a clock that the test moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.gateway.helpers import plan_of

from lineshaft.clock import VirtualClock
from lineshaft.drivers.base import Point
from lineshaft.errors import ConnectionFailed, OutOfRange, PeerTimeout
from lineshaft.gateway.writes.desk import WriteDesk
from lineshaft.gateway.writes.journal import WriteJournal
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality
from lineshaft.testing import FieldDevice
from lineshaft.wire.notes import WriteNote
from lineshaft.wire.writes import WriteCommand

PATH = "acme/north/hall/press/force"
SIGNALS = [
    {
        "name": "force",
        "scale": 0.5,
        "write": {"low": 0, "high": 50, "max_step": 20, "every": "10s", "within": "5s", "tolerance": 0.1},
    },
    {"name": "speed", "deadband": 0.5, "write": {"low": 0, "high": 9}},
    "fixed",
]


class Field:
    """The devices of the engine, all of them one field device."""

    def __init__(self, device: FieldDevice) -> None:
        self.device = device

    async def read_point(self, device: str, point: Point) -> tuple[float, str | None, int]:
        if self.device.fault is not None:
            raise self.device.fault
        value = self.device.values.get(point.address.name)
        quality = Quality.BAD_ADDRESS if value is None else Quality.GOOD
        return (float("nan"), value, quality) if isinstance(value, str) else (value or 0.0, None, quality)

    async def write_point(self, device: str, point: Point, value: float | str) -> None:
        if self.device.refusal is not None:
            raise self.device.refusal
        self.device.written.append((point.address.name, value))
        if not self.device.deaf:
            self.device.values[point.address.name] = value


class Desk:
    """A desk at work; `do` sends a command and waits for its answer."""

    def __init__(self, folder: Path, clock: VirtualClock, device: FieldDevice, *, foreign: bool = False) -> None:
        self.clock = clock
        self.told: asyncio.Queue[tuple[WriteNote, Event]] = asyncio.Queue()
        self.journal = WriteJournal(folder / "writes.json")
        self.journal.open()
        plan = plan_of({"press": SIGNALS}, gateway={"allow_writes": True})
        tell = self.told.put_nowait
        self.desk = WriteDesk(
            plan, Field(device), self.journal, lambda note, event: tell((note, event)), clock, foreign=foreign
        )
        self.count = 0

    def command(self, value: float | str = 20.0, **changes: Any) -> WriteCommand:
        self.count += 1
        deadline = self.clock.now_us() + 30_000_000
        given = {"id": f"c{self.count}", "signal": PATH, "value": value, "deadline": deadline, "user": "ada",
                 "reason": "trial"}  # fmt: skip
        return WriteCommand(**{**given, **changes})

    async def do(self, value: float | str = 20.0, **changes: Any) -> WriteNote:
        self.desk.submit(self.command(value, **changes))
        async with asyncio.timeout(30):
            note, event = await self.told.get()
        assert event.kind == f"write.{note.outcome}"
        assert event.details["reason"] == note.reason
        return note


@asynccontextmanager
async def desk(folder: Path, device: FieldDevice, *, foreign: bool = False) -> AsyncIterator[Desk]:
    made = Desk(folder, VirtualClock(start_us=1_700_000_000_000_000), device, foreign=foreign)
    task = asyncio.create_task(made.desk.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_value_is_scaled_back_written_and_read_back(tmp_path: Path) -> None:
    """The raw value goes to the device, and the answer says what was before and what is now."""
    device = FieldDevice(force=30.0)
    async with desk(tmp_path, device) as at:
        note = await at.do(20.0)
    assert (note.outcome, note.before, note.after, note.user, note.reason) == ("done", 15.0, 20.0, "ada", "trial")
    assert device.written == [("force", 40.0)]


async def test_a_dry_run_goes_the_whole_way_but_for_the_write(tmp_path: Path) -> None:
    """It reads the device, says what it would get, and neither writes nor uses up the rate."""
    device = FieldDevice(force=30.0)
    async with desk(tmp_path, device) as at:
        note = await at.do(20.0, dry_run=True)
        assert (note.outcome, note.before, note.after) == ("dry-run", 15.0, None)
        assert "the device would get 40" in note.message
        assert not device.written
        assert (await at.do(20.0)).outcome == "done"


async def test_a_value_within_the_deadband_is_the_one_that_people_saw(tmp_path: Path) -> None:
    """What is expected may be as far from the present value as an unreported change."""
    device = FieldDevice(speed=1.0)
    async with desk(tmp_path, device) as at:
        signal = "acme/north/hall/press/speed"
        assert (await at.do(5.0, signal=signal, expected=1.4, dry_run=True)).outcome == "dry-run"
        assert (await at.do(5.0, signal=signal, expected=1.6, dry_run=True)).outcome == "refused"


async def test_what_is_out_of_bounds_never_reaches_the_device(tmp_path: Path) -> None:
    """Limits, step, unknown and read-only signals, a changed value and a late command are refused with words."""
    device = FieldDevice(force=30.0, speed=1.0)
    async with desk(tmp_path, device) as at:
        now = at.clock.now_us()
        for words, value, changes in (
            ("51 is not within 0 and 50", 51.0, {}),
            ("the step from 15 to 36 is greater than 20", 36.0, {}),
            ("cannot be set on this gateway", 1.0, {"signal": "acme/north/hall/press/fixed"}),
            ("cannot be set on this gateway", 1.0, {"signal": "acme/north/hall/press/none"}),
            ("it is 15 now and not 14 any more", 20.0, {"expected": 14.0}),
            ("2.0 s after its deadline", 20.0, {"deadline": now - 2_000_000}),
            ("the deadline is 601 s ahead", 20.0, {"deadline": now + 601_000_000}),
            ("'x' is not a number", "x", {}),
        ):
            note = await at.do(value, **changes)
            assert note.outcome == "refused"
            assert words in note.message
        assert not device.written


async def test_a_command_is_carried_out_once(tmp_path: Path) -> None:
    """The same command again, also after a restart of the gateway, is not carried out again."""
    device = FieldDevice(speed=1.0)
    signal = "acme/north/hall/press/speed"
    async with desk(tmp_path, device) as at:
        command = at.command(5.0, signal=signal)
        at.desk.submit(command)
        at.desk.submit(command)
        await at.told.get()
        assert (await at.do(6.0)).outcome == "refused"  # the queue is in order: the second was dropped
    async with desk(tmp_path, device) as at:
        at.desk.submit(command)
        assert (await at.do(99.0, id="other")).outcome == "refused"
    assert device.written == [("speed", 5.0)]


async def test_writes_keep_their_distance(tmp_path: Path) -> None:
    """One write within `every`, also over a restart of the gateway."""
    device = FieldDevice(force=30.0)
    async with desk(tmp_path, device) as at:
        assert (await at.do(20.0)).outcome == "done"
        note = await at.do(21.0)
        assert (note.outcome, note.message) == ("refused", "it was set a moment ago; wait 10.0 s")
    async with desk(tmp_path, device) as at:
        assert (await at.do(21.0, id="again")).outcome == "refused"
        await at.clock.advance(10.0)
        assert (await at.do(21.0)).outcome == "done"
    assert json.loads((tmp_path / "writes.json").read_text())["last"].keys() == {PATH}


async def test_a_device_that_keeps_its_value_is_told(tmp_path: Path) -> None:
    """A write that is confirmed but does not show in time is unconfirmed."""
    device = FieldDevice(force=30.0)
    device.deaf = True
    async with desk(tmp_path, device) as at:
        at.desk.submit(at.command(20.0))
        while at.told.empty():
            await asyncio.sleep(0)
            await at.clock.advance(1.0)
        note, event = at.told.get_nowait()
    assert (note.outcome, note.before, note.after) == ("unconfirmed", 15.0, 15.0)
    assert "5 s later it reads 15" in note.message
    assert event.severity == "high"


async def test_a_device_that_says_no_or_nothing(tmp_path: Path) -> None:
    """The device's own words are in the answer; a lost line or a driver's fault may have written."""
    device = FieldDevice(force=30.0)
    async with desk(tmp_path, device) as at:
        device.refusal = OutOfRange("the device does not take this value")
        note = await at.do(20.0)
        assert (note.outcome, note.message) == ("failed", "the device does not take this value")
        await at.clock.advance(10.0)
        device.refusal = PeerTimeout("no answer")
        assert "may have been written" in (await at.do(20.0)).message
        await at.clock.advance(10.0)
        device.refusal = ZeroDivisionError("a driver's own mistake")
        note = await at.do(20.0)
        assert note.outcome == "failed"
        assert "the driver made a mistake" in note.message
        await at.clock.advance(10.0)
        device.fault = ConnectionFailed("press is not connected")
        note = await at.do(20.0)
        assert (note.outcome, note.message) == ("refused", "the device does not answer: press is not connected")


async def test_commands_of_other_hosts_need_their_own_switch(tmp_path: Path) -> None:
    """A plain Sparkplug command is refused and told, not too often; with the switch the same bounds hold for it."""
    device = FieldDevice(force=30.0)
    async with desk(tmp_path, device) as at:
        for number in range(5):
            at.desk.submit(at.command(20.0, id=f"f{number}"), "sparkplug")
        note, _ = await at.told.get()
        assert (note.outcome, note.via) == ("refused", "sparkplug")
        assert at.told.empty()
    async with desk(tmp_path, device, foreign=True) as at:
        at.desk.submit(at.command(51.0), "sparkplug")
        assert (await at.told.get())[0].outcome == "refused"
        at.desk.submit(at.command(20.0), "sparkplug")
        assert (await at.told.get())[0].outcome == "done"
    assert device.written == [("force", 40.0)]


async def test_too_many_commands_are_refused_at_once(tmp_path: Path) -> None:
    """More commands than may wait are answered, and none is forgotten."""
    device = FieldDevice(force=30.0)
    async with desk(tmp_path, device) as at:
        for _ in range(40):
            at.desk.submit(at.command(20.0, dry_run=True))
        notes = [(await at.told.get())[0] for _ in range(40)]
    assert sum(note.message == "too many commands wait" for note in notes) == 8
