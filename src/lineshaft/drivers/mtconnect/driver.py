"""The MTConnect driver: reads what a CNC's agent has, and follows what it observes without skipping anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, Sink
from lineshaft.drivers.following import Following
from lineshaft.drivers.mtconnect.agent import Agent
from lineshaft.drivers.mtconnect.browse import browse
from lineshaft.drivers.mtconnect.diagnose import diagnose
from lineshaft.drivers.mtconnect.documents import AgentError, DataItem, Observations, Probe
from lineshaft.drivers.mtconnect.follow import Follower, Position, Statistics
from lineshaft.drivers.mtconnect.options import MtconnectConnection
from lineshaft.drivers.mtconnect.rows import Converter, Rows, worst
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.samples import Quality, SampleBatch


class MtconnectDriver:
    """One agent. `position()` is `instanceId:nextSequence` and stands after a batch when the sink gets it."""

    def __init__(self, options: MtconnectConnection, clock: Clock | None = None) -> None:
        self.options = options
        self.statistics = Statistics()
        self._clock: Clock = clock or SystemClock()
        self._agent: Agent | None = None
        self._probe: Probe | None = None
        self._items: Mapping[str, DataItem] = {}
        self._position: Position | None = None
        self._following = Following()

    async def connect(self) -> None:
        """Ask for the device model. Raises RetryableError, AccessDenied or AddressInvalid (no such device)."""
        await self.close()
        agent = Agent(self.options)
        agent.open()
        try:
            self._probe = await agent.probe()
        except DataError as error:
            await agent.close()
            raise ConnectionFailed(
                f"{self.options.url}: {error}", hint="check that an MTConnect agent answers at this address"
            ) from error
        except BaseException:
            await agent.close()
            raise
        self._items = {item.id: item for item in self._probe.items}
        self._agent = agent

    async def _probe_again(self, agent: Agent) -> None:
        """A restarted agent may have another device model."""
        self._probe = await agent.probe()
        self._items = {item.id: item for item in self._probe.items}

    async def close(self) -> None:
        """Stop and drop the connections; never raises."""
        agent, self._agent = self._agent, None
        await self._following.stop()
        if agent is not None:
            await agent.close()

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The current value of each point; several active conditions of one item come as one text."""
        agent = self._opened()
        converter = Converter(self._items, points, self.options.time_series == "last")
        try:
            document = await agent.current(converter.targets)
            if isinstance(document, AgentError):
                raise ConnectionFailed(f"{self.options.url}: {document}")
            if self._probe is None or document.header.instance != self._probe.header.instance:
                await self._probe_again(agent)
                converter = Converter(self._items, points, self.options.time_series == "last")
        except DataError as error:
            raise ConnectionFailed(f"{self.options.url}: {error}") from error
        found: dict[int, Rows] = {}
        rows = Rows()
        for row in _one_each(document.observations):
            converter.add(rows, document.observations, row)
        for place, handle in enumerate(rows.signals):  # of a time series the last value stays
            one = found[handle] = Rows()
            one.add(handle, rows.times[place], rows.values[place], rows.qualities[place], rows.texts[place])
        answer = Rows()
        for point in points:
            if point.handle in found:
                one = found[point.handle]
                answer.add(point.handle, one.times[0], one.values[0], one.qualities[0], one.texts[0])
            else:
                quality = Quality.BAD_NO_VALUE if point.address.item in self._items else Quality.BAD_ADDRESS
                answer.add(point.handle, self._clock.now_us(), math.nan, quality)
        return answer.batch()

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Deliver what the agent has and then all that it observes; after `resume`, what came since."""
        converter = Converter(self._items, points, self.options.time_series == "last")
        follower = Follower(self._opened(), converter, sink, self._moved, self.statistics, self._clock)
        missing = converter.missing()
        if missing:
            sink(SampleBatch.of([p.handle for p in missing], self._clock.now_us(), math.nan, Quality.BAD_ADDRESS))
        try:
            await follower.start(self._position)
        except DataError as error:
            raise ConnectionFailed(f"{self.options.url}: {error}") from error
        self._following.start(follower.run(), "mtconnect")

    async def wait_closed(self) -> None:
        """Wait until the connection is lost, then raise the reason."""
        await self._following.wait_closed(self.options.url)

    def position(self) -> str:
        """`instanceId:nextSequence`; '' before anything was delivered."""
        return "" if self._position is None else str(self._position)

    def resume(self, position: str) -> None:
        """Go on after `position`. Raises DataError when it is none of this driver."""
        self._position = Position.of(position) if position else None

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """Components and data items below a component; '' gives the devices."""
        self._opened()
        return browse(self._probe, parent) if self._probe else ()

    async def test_connection(self) -> Sequence[Finding]:
        """Say step by step why the agent cannot be reached or read."""
        return await diagnose(self.options)

    def _moved(self, position: Position) -> None:
        self._position = position

    def _opened(self) -> Agent:
        if self._agent is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        return self._agent


def _one_each(observations: Observations) -> Sequence[int]:
    """One row per data item; where several conditions are active at once the first stands for all, with their texts."""
    first: dict[str, int] = {}
    together: dict[int, list[str]] = {}
    for row, item in enumerate(observations.items):
        stands = first.setdefault(item, row)
        together.setdefault(stands, []).append(observations.texts[row] or "")
        observations.times[stands] = max(observations.times[stands], observations.times[row])
    for row, texts in together.items():
        if len(texts) > 1:
            observations.texts[row] = worst(texts)
    return tuple(first.values())
