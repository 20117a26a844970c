"""Commands to write values: judged by the gateway's own plan, carried out one after the other per device, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from lineshaft.clock import Clock
from lineshaft.drivers.base import Point
from lineshaft.errors import LineshaftError, RetryableError
from lineshaft.gateway.plan import Plan, PlannedDevice
from lineshaft.gateway.writes.journal import WriteJournal
from lineshaft.gateway.writes.rule import WriteRule, shown
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import GOOD_CLASS
from lineshaft.wire.notes import WriteNote, WriteOutcome
from lineshaft.wire.writes import SetValue, WriteCommand

log = structlog.get_logger(__name__)

LONGEST_AHEAD: Final = 600
"""Seconds that a deadline may lie ahead; more means that clocks differ."""
WAITING: Final = 32
"""Commands that may wait for a device; more are refused."""
FOREIGN_TELL: Final = 10.0
"""Seconds between two notes about refused commands of other hosts for one signal."""
READ_BACK: Final = 0.2
"""Seconds between two looks at what a device made of a value."""
_SEVERITY: Final[dict[WriteOutcome, Severity]] = {
    "done": Severity.LOW,
    "dry-run": Severity.INFO,
    "refused": Severity.LOW,
    "failed": Severity.MEDIUM,
    "unconfirmed": Severity.HIGH,
}
_VERBS: Final[dict[WriteOutcome, str]] = {
    "done": "was set",
    "dry-run": "could be set",
    "refused": "was not set",
    "failed": "could not be set",
    "unconfirmed": "was set but does not hold the value",
}


class Devices(Protocol):
    """What the desk needs of the engine."""

    async def read_point(self, device: str, point: Point) -> tuple[float, str | None, int]:
        """(number, text, quality) that the device has now. Raises RetryableError."""
        ...

    async def write_point(self, device: str, point: Point, value: SetValue) -> None:
        """Write a raw value. Raises as drivers.base.Writes."""
        ...


class _Stop(Exception):
    """The command ends here."""

    def __init__(self, outcome: WriteOutcome, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.outcome, self.hint = outcome, hint


@dataclass(slots=True)
class _Values:
    """What was seen on the device while a command was carried out."""

    before: SetValue | None = None
    after: SetValue | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    device: PlannedDevice
    point: Point
    rule: WriteRule
    path: str


class WriteDesk:
    """`submit` takes a command from an uplink; `run` carries commands out until it is cancelled."""

    def __init__(
        self,
        plan: Plan,
        devices: Devices,
        journal: WriteJournal,
        tell: Callable[[WriteNote, Event], None],
        clock: Clock,
        *,
        foreign: bool = False,
    ) -> None:
        """`foreign`: plain Sparkplug commands of other hosts are taken, too."""
        self._foreign = foreign
        self._foreign_told: dict[str, float] = {}
        self._targets = dict(_targets(plan))
        self._devices = devices
        self._journal = journal
        self._tell = tell
        self._clock = clock
        self._queue: asyncio.Queue[tuple[WriteCommand, str]] = asyncio.Queue(WAITING)
        self._locks = {device.id: asyncio.Lock() for device in plan.devices}
        self._waiting = 0

    def submit(self, command: WriteCommand, via: str = "hub") -> None:
        """Take a command; one that was taken before is dropped. The answer is a note."""
        if self._journal.knows(command.id):
            log.info("write.repeated", id=command.id, signal=command.signal)
            return
        now = self._clock.now_us()
        self._journal.seen(command.id, min(command.deadline, now + LONGEST_AHEAD * 1_000_000), now)
        if via != "hub" and not self._foreign:
            self._refuse_foreign(command, via)
            return
        if self._waiting >= WAITING:
            self._answer(command, via, _Stop("refused", "too many commands wait"), _Values())
            return
        self._waiting += 1
        self._queue.put_nowait((command, via))

    def _refuse_foreign(self, command: WriteCommand, via: str) -> None:
        """Say so, but not each time of many."""
        now = self._clock.monotonic()
        if now - self._foreign_told.get(command.signal, -FOREIGN_TELL) >= FOREIGN_TELL:
            self._foreign_told[command.signal] = now
            words = "plain Sparkplug commands of other hosts are not taken"
            self._answer(command, via, _Stop("refused", words, "see gateway.foreign_commands"), _Values())

    async def run(self) -> None:
        """Carry commands out, those of one device one after the other."""
        async with asyncio.TaskGroup() as group:
            while True:
                command, via = await self._queue.get()
                group.create_task(self._handle(command, via), name=f"write {command.signal}")

    async def _handle(self, command: WriteCommand, via: str) -> None:
        seen = _Values()
        try:
            target = self._target(command)
            async with self._locks[target.device.id]:
                end = await self._carry_out(command, target, seen)
        except _Stop as stop:
            end = stop
        except LineshaftError as error:
            end = _Stop("failed", str(error), error.hint)
        except asyncio.CancelledError:
            self._answer(command, via, _Stop("failed", "the gateway was stopped; it may have been written"), seen)
            raise
        except Exception as error:  # the boundary: a driver's fault stays with its command
            log.exception("write.driver_fault", signal=command.signal)
            end = _Stop("failed", f"the driver made a mistake, so that it may have been written: {error!r}")
        finally:
            self._waiting -= 1
        self._answer(command, via, end, seen)

    def _target(self, command: WriteCommand) -> _Target:
        target = self._targets.get(command.signal)
        if target is None:
            hint = "it needs `write` in the plant file, and gateway.allow_writes: true"
            raise _Stop("refused", "this signal cannot be set on this gateway", hint)
        if words := target.rule.refusal(command.value):
            raise _Stop("refused", words)
        return target

    async def _carry_out(self, command: WriteCommand, target: _Target, seen: _Values) -> _Stop:
        self._check_time(command, target)
        try:
            raw = target.rule.raw(command.value)
            seen.before = await self._present(target)
        except RetryableError as error:
            raise _Stop("refused", f"the device does not answer: {error}", error.hint) from error
        except LineshaftError as error:
            raise _Stop("refused", str(error), error.hint) from error
        self._check_present(command, target, seen.before)
        self._check_time(command, target)  # reading took its time
        if command.dry_run:
            return _Stop("dry-run", f"nothing was written; the device would get {shown(raw)}")
        self._journal.writing(target.path, self._clock.now_us())
        try:
            await self._devices.write_point(target.device.id, target.point, raw)
        except RetryableError as error:
            words = f"the device did not confirm, so that it may have been written: {error}"
            raise _Stop("failed", words, error.hint) from error
        return await self._confirm(command, target, seen)

    def _check_time(self, command: WriteCommand, target: _Target) -> None:
        now = self._clock.now_us()
        late = (now - command.deadline) / 1e6
        if late > 0:
            hint = "was the line cut, or do the clocks of hub and gateway differ?"
            raise _Stop("refused", f"the command came {late:.1f} s after its deadline", hint)
        if -late > LONGEST_AHEAD:
            raise _Stop("refused", f"the deadline is {-late:.0f} s ahead", "do the clocks of hub and gateway differ?")
        wait = self._journal.last(target.path) / 1e6 + target.rule.every - now / 1e6
        if 0 < wait <= target.rule.every:  # more: the clock was set back
            raise _Stop("refused", f"it was set a moment ago; wait {wait:.1f} s")

    def _check_present(self, command: WriteCommand, target: _Target, before: SetValue) -> None:
        rule = target.rule
        seen = max(rule.tolerance, rule.reported)
        if command.expected is not None and not rule.same(before, command.expected, seen):
            words = f"it is {shown(before)} now and not {shown(command.expected)} any more"
            raise _Stop("refused", words, "look at the value and decide anew")
        if words := rule.step_refusal(before, command.value):
            raise _Stop("refused", words, "go there in several steps")

    async def _present(self, target: _Target) -> SetValue:
        number, text, quality = await self._devices.read_point(target.device.id, target.point)
        value = target.rule.value(number, text) if quality & GOOD_CLASS == GOOD_CLASS else None
        if value is None:
            raise _Stop("refused", "its present value cannot be read, so that a write could not be confirmed")
        return value

    async def _confirm(self, command: WriteCommand, target: _Target, seen: _Values) -> _Stop:
        """Read back until the value is there or its time is over."""
        rule, clock = target.rule, self._clock
        deadline = clock.monotonic() + rule.within
        words = ""
        while True:
            try:
                seen.after = await self._present(target)
                words = f"it reads {shown(seen.after)}"
                if rule.same(seen.after, command.value, rule.tolerance):
                    return _Stop("done", f"set from {shown(seen.before)} to {shown(seen.after)}, and read back")
            except _Stop as stop:
                words = str(stop)
            except LineshaftError as error:
                words = f"it cannot be read back: {error}"
            if clock.monotonic() >= deadline:
                return _Stop(
                    "unconfirmed",
                    f"the device took the value, but {rule.within:g} s later {words}",
                    "does the controller's program overwrite it?",
                )
            await clock.sleep_until(min(deadline, clock.monotonic() + READ_BACK))

    def _answer(self, command: WriteCommand, via: str, end: _Stop, seen: _Values) -> None:
        now = self._clock.now_us()
        note = WriteNote(
            command.id, now, command.signal, end.outcome, str(end), command.value, command.user, command.reason,
            end.hint, seen.before, seen.after, command.dry_run, via,
        )  # fmt: skip
        words = f"{command.signal.rpartition('/')[2]} {_VERBS[end.outcome]} to {shown(command.value)} by {command.user}"
        details: Mapping[str, str | float | None] = {
            "write": command.id,
            "value": command.value,
            "before": seen.before,
            "after": seen.after,
            "by": command.user,
            "reason": command.reason,
            "mend": end.hint,
        }
        event = Event(
            now, f"write.{end.outcome}", command.signal, f"{words}: {end}", _SEVERITY[end.outcome], details
        )  # fmt: skip
        log.info("write", outcome=end.outcome, signal=command.signal, user=command.user, message=str(end))
        self._tell(note, event)


def _targets(plan: Plan) -> list[tuple[str, _Target]]:
    return [
        (item.signal.path, _Target(device, point, item.write, item.signal.path))
        for device in plan.devices
        for point in device.points
        if device.enabled and (item := plan.signals[point.handle]).write is not None
    ]
