"""What an uplink is: connect, send, close. The forwarder owns order, window, repetition and reconnection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from lineshaft.clock import Clock
from lineshaft.errors import DataError, RetryableError
from lineshaft.gateway.frames import Frame
from lineshaft.gateway.plan import Plan
from lineshaft.gateway.requests import Requests
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.wire.notes import PipelineNote, StatusNote
from lineshaft.wire.writes import WriteCommand


class Throttled(RetryableError):
    """The other side wants a pause of at least `seconds`."""

    def __init__(self, message: str, seconds: float, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


class Renewal(RetryableError):
    """The uplink ends its session on purpose and wants the next one at once; nothing is wrong."""


class Refused(DataError):
    """The other side took the frames apart and will never want them; the message is the reason for a drop note."""


class Uplink(Protocol):
    """One way out. Constructing it does nothing; after a lost connection `connect` is called again."""

    id: str
    deliveries: Deliveries
    """Set before the first connect."""
    waiting: bool
    """Connected, but the other side is not there yet."""

    async def connect(self) -> int:
        """Come to where frames can be sent; returns the id of the newest frame that is not live any more.

        Frames after that are live, the ones up to it are history. Raises RetryableError or AccessDenied.
        """
        ...

    async def send(self, frames: Sequence[Frame], *, historical: bool) -> None:
        """Hand consecutive frames of one device, or one note, to the connection; waits while it is full.

        Raises RetryableError when the connection is gone and DataError when these frames can never be sent.
        """
        ...

    def idle(self) -> None:
        """Called when nothing is left to send."""
        ...

    def device_changed(self, device: str) -> None:
        """A device came online or went offline."""
        ...

    def tell(self, status: StatusNote) -> None:
        """Pass a status on, if there is a connection; it is neither kept nor repeated."""
        ...

    async def wait_closed(self) -> None:
        """Wait until the connection is lost, then raise the RetryableError that says why."""
        ...

    async def close(self) -> None:
        """Say good-bye where the protocol has a word for it; never raises, may be called twice."""
        ...


@runtime_checkable
class TellsPipeline(Protocol):
    """An uplink whose other side wants to know what the steps did to each signal."""

    def tell_pipeline(self, note: PipelineNote) -> None:
        """Pass figures on, if there is a connection; they are neither kept nor repeated."""
        ...


class Deliveries(Protocol):
    """What an uplink tells the forwarder."""

    def delivered(self, frames: Iterable[int]) -> None:
        """The other side has these frames for good."""
        ...

    def refused(self, frame: int, rows: Sequence[int], reason: str) -> None:
        """These rows of a frame can never be delivered; the others are."""
        ...

    def reborn(self, live_after: int) -> None:
        """The other side lost what it knew: everything undelivered is to be sent again, see `Uplink.connect`."""
        ...


class GatewayView(Protocol):
    """What an uplink may ask about the gateway when it announces signals."""

    def last(self, handles: UInt32Array) -> SampleBatch:
        """The last reported row of each signal; see Pipeline.last."""
        ...

    def device_state(self, device: str) -> Literal["starting", "online", "offline"]:
        """How a device does; a disabled or retired one is offline."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class NodeContext:
    """What the gateway is, apart from one connection.

    epoch    16 bytes that name the disk buffer
    handles  int64 by the buffer's signal id: handle in the plan, -1 for none
    last_frame  gives the id of the buffer's newest frame
    requests    does what the hub asks for
    write    takes a command to write a value, and the word where it came from
    """

    plan: Plan
    view: GatewayView
    clock: Clock
    epoch: bytes
    handles: Int64Array
    last_frame: Callable[[], int]
    requests: Requests
    write: Callable[[WriteCommand, str], None]

    @property
    def place(self) -> str:
        """Where the gateway is in the equipment tree: the path that topics and batches name it by."""
        return f"{self.plan.enterprise}/{self.plan.node_path}"

    def handles_of(self, frame: Frame, batch: SampleBatch) -> Int64Array:
        """int64 handle in the plan of each row. Raises DataError for a signal that the plan does not know."""
        handles: Int64Array = self.handles[batch.signals]
        if bool((handles < 0).any()):
            raise DataError(f"frame {frame.id} holds signals that were never announced")
        return handles
