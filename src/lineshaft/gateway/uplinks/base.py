"""What an uplink is: connect, send, close. The forwarder owns order, window, repetition and reconnection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from lineshaft.gateway.frames import Frame
from lineshaft.model.samples import SampleBatch, UInt32Array
from lineshaft.wire.notes import StatusNote


class Uplink(Protocol):
    """One way out. Constructing it does nothing; after a lost connection `connect` is called again."""

    id: str
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


class Deliveries(Protocol):
    """What an uplink tells the forwarder."""

    def delivered(self, frames: Iterable[int]) -> None:
        """The other side has these frames for good."""
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
