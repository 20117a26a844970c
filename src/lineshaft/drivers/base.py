"""What a driver is: the contract, its optional abilities, and the points that it reads.

The engine (gateway/engine.py) owns schedule, timeout, retry with back-off, reconnection, naming, RBE and statistics.
A driver only speaks its protocol. It raises the typed errors of lineshaft.errors:

* RetryableError    the connection is gone or slow: the engine marks all points of the device
                    BAD_COMMUNICATION / stale, closes, backs off, connects again
* AccessDenied      wrong password or certificate: the engine waits long before it tries again
* a bad single point is *not* an exception: the driver returns that row with value NaN and quality
  BAD_ADDRESS (no such register/node), BAD_NO_VALUE or BAD_DEVICE, and every other point is right
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray
from pydantic import BaseModel

from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype
from lineshaft.model.events import Event
from lineshaft.model.samples import Int64Array, SampleBatch
from lineshaft.model.waveforms import Waveform


@dataclass(frozen=True, slots=True)
class Point:
    """One signal as a driver sees it: where it is on the device and what its row in a batch is called."""

    handle: int  # goes into SampleBatch.signals
    address: Any  # an instance of DriverSpec.address
    datatype: Datatype = Datatype.DOUBLE  # the type that the engine announces; drivers deliver doubles or text
    interval: float = 1.0  # seconds between polls, or the wanted sampling interval of a subscription


@dataclass(frozen=True, slots=True)
class WavePoint:
    """One waveform as a driver sees it; where the plant says nothing, the burst itself has to."""

    handle: int  # goes into SampleBatch.signals
    address: Any  # an instance of DriverSpec.address
    interval: float = 600.0  # seconds between two bursts
    rate: float | None = None  # Hz
    rate_address: Any = None  # an instance of DriverSpec.address
    samples: int | None = None  # of a whole burst
    speed: float | None = None  # 1/min
    speed_address: Any = None  # an instance of DriverSpec.address
    scale: float = 1.0  # value = raw * scale, in the signal's unit

    def row(
        self,
        samples: Sequence[Any] | NDArray[Any],
        time: int | None,
        now: int,
        rate: float | None = None,
        speed: float | None = None,
    ) -> SampleBatch:
        """The one row of a burst. time: UTC microseconds of its first sample; taken from `now`, its end, when None.

        rate, speed: what the device says; the plant's own word wins. Raises DataError when it is no burst.
        """
        rate = self.rate if self.rate is not None else rate
        speed = self.speed if self.speed is not None else speed
        if rate is None:
            raise DataError("a waveform without its sample rate", hint="Set rate or rate_address.")
        try:
            wave = Waveform.of(samples, rate, speed, scale=self.scale, expected=self.samples)
        except ValueError as error:
            raise DataError(str(error)) from error
        begin = now - round(len(wave) / rate * 1e6) if time is None else time
        return SampleBatch.of_waves([self.handle], [begin], [wave])


class Driver(Protocol):
    """Reads points from one device. Constructing it does nothing; one instance serves one connection at a time.

    The engine keeps the instance over reconnects, so a driver may remember what it left behind at the device.
    """

    async def connect(self) -> None:
        """Open the connection. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        ...

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """Read `points` once; one row per point, times from the source or the moment of the reply.

        The engine passes the identical tuple object on every cycle, so a driver may keep what it compiled for it.
        Raises RetryableError when the device as a whole failed.
        """
        ...

    async def close(self) -> None:
        """Close the connection; never raises, may be called twice and before connect."""
        ...


Sink = Callable[[SampleBatch], None]


@runtime_checkable
class Subscribes(Protocol):
    """The device pushes changes."""

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Ask the device to push changes; first values arrive as well. Returns when the device has agreed.

        `sink` is called from the event loop with each batch, in the order in which the device sent them. Before the
        return only values come that the device kept since an earlier connection.
        """
        ...

    async def wait_closed(self) -> None:
        """Wait until the connection is lost, then raise the RetryableError that says why."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """The source can be read again from a position (a file, a recording, a numbered stream).

    The engine stores `position()` in the disk buffer in one write with the samples, and calls `resume` before
    `connect` after a restart, so that a kill -9 neither loses nor repeats a sample.
    """

    def position(self) -> str:
        """Where the last delivered batch ended."""
        ...

    def resume(self, position: str) -> None:
        """Go on after `position`; called before connect."""
        ...


@runtime_checkable
class ReadsHistory(Protocol):
    """The device records values itself, so that the gap which an outage left can be filled."""

    async def read_history(self, points: Sequence[Point], since: Int64Array, until: Int64Array, sink: Sink) -> None:
        """Give what the device recorded for points[i] after since[i] and before until[i], both excluded.

        Times are UTC microseconds; nothing is wanted of a point whose until is not after its since. Called while
        a subscription runs. `sink` gets the rows of one point in the order of their times. Points of which nothing
        is recorded are passed over. Raises RetryableError when the device failed and Unsupported when it
        records nothing at all.
        """
        ...


@runtime_checkable
class ReadsWaveforms(Protocol):
    """The device gives a burst of fast samples when it is asked."""

    async def read_waveform(self, point: WavePoint) -> SampleBatch:
        """One row with the newest burst, times from the source; a bad row without a burst where there is none, and no
        row where nothing is new.

        The engine calls it every `point.interval` seconds, never beside `read`, and passes over a burst that it has
        had already. On a shared line (TakesTurns) the driver takes the turns itself, so that others speak meanwhile.
        Raises RetryableError when the device failed, DataError when what came is no burst.
        """
        ...


@runtime_checkable
class Writes(Protocol):
    """Values can be written to the device."""

    async def write(self, point: Point, value: float | str) -> None:
        """Write one raw value, as `read` would give it; digits of an integer beyond 2**53 come as text.

        Returns when the device has confirmed it. The value is written as it is or not at all: nothing is rounded or
        cut. Raises OutOfRange before anything is sent when it does not fit, NotWritable when nothing can be written
        there, WriteRefused when the device says no, AddressInvalid when it has no such place, and RetryableError when
        the connection failed: then the value may have been written.
        """
        ...


RefusedBurst = Callable[[WavePoint, DataError], None]
"""Is told of each burst that is none, beside its bad row."""


def unheard(point: WavePoint, error: DataError) -> None:
    """A RefusedBurst for nobody."""


@runtime_checkable
class BringsWaveforms(Protocol):
    """Bursts come by themselves, through `read` or the sink of `subscribe`."""

    def expect_waveforms(self, points: Sequence[WavePoint], refused: RefusedBurst = unheard) -> None:
        """Called once, before the first connect: rows of `points` carry bursts, and `refused` hears of what is none."""
        ...


@runtime_checkable
class TakesTurns(Protocol):
    """Several devices share a line on which one speaks at a time."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait until the line is free, and have it until the block ends; `read` is called inside of it.

        The wait is no part of the device's timeout, so that a device which does not answer costs the others its
        own timeout and not theirs.
        """
        ...


EventSink = Callable[[Event], None]


@runtime_checkable
class EmitsEvents(Protocol):
    """The device has events of its own (alarms), or the driver has something to tell a person."""

    def emit_events(self, subject: str, sink: EventSink) -> None:
        """Called once, before the first connect: events about the device have `subject` and go to `sink`."""
        ...


@runtime_checkable
class KeepsFiles(Protocol):
    """The driver needs files that last, such as certificates."""

    def keep_files(self, folder: Path) -> None:
        """Called once, before the first connect, with the data folder that all drivers of a gateway share."""
        ...


@dataclass(frozen=True, slots=True)
class Browsed:
    """One thing found on a device."""

    address: str
    name: str
    datatype: Datatype | None = None
    unit: str = ""
    has_children: bool = False
    description: str = ""
    array: bool = False  # a row of values: a waveform, where it is of numbers


@runtime_checkable
class Browses(Protocol):
    """The device can list what it has."""

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """Children of `parent` ('' is the root)."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a connection test: what was tried, whether it worked, and how to mend it."""

    check: str
    passed: bool
    detail: str = ""
    mend: str = ""


@runtime_checkable
class TestsConnection(Protocol):
    """The driver can say step by step why a device cannot be reached."""

    async def test_connection(self) -> Sequence[Finding]:
        """Try reachability, session, rights and one read; never raises for a failing device."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says that it is."""

    maker: str = ""
    product: str = ""
    version: str = ""
    blocks: Mapping[str, int] = field(default_factory=dict)
    """Standard register maps that it has, like `sunspec-203`, and the register at which each begins."""


@runtime_checkable
class Identifies(Protocol):
    """The device can be asked what it is."""

    async def identify(self) -> Identity:
        """Called while connected; what the device does not say is empty. Raises RetryableError."""
        ...


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """How a driver is named, configured and made; one per protocol, listed in drivers/builtin.py."""

    name: str  # what plant files say: 'modbus-tcp'
    title: str  # what people read: 'Modbus TCP'
    connection: type[BaseModel]  # options under `connection:`
    address: type[BaseModel]  # options under a signal's `address:`; a text shorthand is taken by a 'before' validator
    create: Callable[[Any], Driver]  # takes a `connection` instance
    push: bool = False  # True: subscribe() is used instead of polling where the made driver has it
    writes: bool = False  # True: the made driver has `write`, see Writes
    docs: str = ""  # page in docs/guide
    silence: float = 0.0  # seconds without a value after which a sender counts as silent, where the plant says nothing
    waveforms: Literal["no", "counted", "bare", "told"] = "no"
    """Gives bursts: as many samples as the plant says, samples alone, or with their rate."""
