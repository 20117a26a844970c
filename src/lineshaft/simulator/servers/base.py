"""What every server of the fleet is: it is started and stopped, shows instants, and can be taken away by faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lineshaft.simulator.channels import Channel
from lineshaft.simulator.factory import Frame


@dataclass(frozen=True, slots=True)
class Shown:
    """One instant, by path of the signal.

    raw    what the device holds: the unscaled number or the text
    times  source timestamps, UTC microseconds: the exact change of a state or result, else the instant
    """

    frame: Frame
    raw: Mapping[str, float | str]
    times: Mapping[str, int]
    seed: int = 0  # of the factory


class FleetServer(Protocol):
    """One server, which answers for one device or for several."""

    @property
    def devices(self) -> tuple[str, ...]:
        """Ids of the devices that it answers for."""
        ...

    @property
    def running(self) -> bool:
        """True between start and stop."""
        ...

    async def start(self) -> None:
        """Answer. Raises ConnectionFailed when the port is taken."""
        ...

    async def stop(self) -> None:
        """Do not answer any more, and end every connection."""
        ...

    async def show(self, shown: Shown) -> None:
        """Show an instant; what is shown while it does not run holds when it starts."""
        ...

    def outage(self, offline: Set[str], restarting: Set[str]) -> bool:
        """Let these devices be away, and no others; True when the whole server has to be stopped for that."""
        ...


@runtime_checkable
class TakesWrites(Protocol):
    """A server on which clients can set the signals that the plant lets be written."""

    on_write: Callable[[Channel, float], None]
    """Called with the raw number that a client wrote."""


def ignore_write(channel: Channel, raw: float) -> None:
    """Nobody wants to know."""


class Startable(Protocol):
    """A server that knows nothing of the plant."""

    @property
    def running(self) -> bool:
        """True between start and stop."""
        ...

    async def start(self) -> None:
        """Answer. Raises ConnectionFailed when the port is taken."""
        ...

    async def stop(self) -> None:
        """Do not answer any more."""
        ...


def device_ids(channels: Sequence[Channel]) -> tuple[str, ...]:
    """Ids of the devices of some signals."""
    return tuple(dict.fromkeys(channel.device.id for channel in channels))


class OneMachine:
    """A server of its own for one device. `write` puts an instant into the server; called when that runs."""

    def __init__(self, channels: Sequence[Channel], server: Startable, write: Callable[[Shown], None]) -> None:
        self.devices = device_ids(channels)
        self.server = server
        self._write = write
        self._last: Shown | None = None

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self.server.running

    async def start(self) -> None:
        """See FleetServer."""
        await self.server.start()
        if self._last is not None:
            self._write(self._last)

    async def stop(self) -> None:
        """See FleetServer."""
        await self.server.stop()

    async def show(self, shown: Shown) -> None:
        """See FleetServer."""
        self._last = shown
        if self.running:
            self._write(shown)

    def outage(self, offline: Set[str], restarting: Set[str]) -> bool:
        """See FleetServer."""
        return not (offline | restarting).isdisjoint(self.devices)
