"""A CNC for the tests: its data items, and what it observes."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lineshaft.drivers.base import Point
from lineshaft.drivers.mtconnect.options import MtconnectAddress
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentDevice, AgentItem, AgentObservation

AXIS = ("Axes:base", "Linear:X")
SPINDLE = ("Axes:base", "Rotary:C")
PATH = ("Controller:controller", "Path:path")

ITEMS = (
    AgentItem("avail", "EVENT", "AVAILABILITY"),
    AgentItem("Xpos", "SAMPLE", "POSITION", AXIS, "Xposition", "ACTUAL", "MILLIMETER"),
    AgentItem("Xload", "SAMPLE", "LOAD", AXIS, units="PERCENT"),
    AgentItem("Sspeed", "SAMPLE", "ROTARY_VELOCITY", SPINDLE, "Sspeed", "ACTUAL", "REVOLUTION/MINUTE"),
    AgentItem(
        "Svib", "SAMPLE", "ACCELERATION", SPINDLE, units="MILLIMETER/SECOND^2", representation="TIME_SERIES",
        sample_rate=1000,
    ),
    AgentItem("Scond", "CONDITION", "TEMPERATURE", SPINDLE),
    AgentItem("mode", "EVENT", "CONTROLLER_MODE", ("Controller:controller",)),
    AgentItem("system", "CONDITION", "SYSTEM", ("Controller:controller",)),
    AgentItem("execution", "EVENT", "EXECUTION", PATH),
    AgentItem("program", "EVENT", "PROGRAM", PATH),
    AgentItem("pcount", "EVENT", "PART_COUNT", PATH),
    AgentItem("Fovr", "EVENT", "PATH_FEEDRATE_OVERRIDE", PATH, units="PERCENT"),
    AgentItem("message", "EVENT", "MESSAGE", PATH),
    AgentItem("vars", "EVENT", "VARIABLE", PATH, representation="DATA_SET"),
    AgentItem("never", "SAMPLE", "TEMPERATURE", SPINDLE, units="CELSIUS"),
)  # fmt: skip
DEVICE = AgentDevice("cnc", "uuid-0042", ITEMS, "Mill & Sons", 'M<80> "fast"')


def now_us() -> int:
    return time.time_ns() // 1000


def everything(at: int) -> list[AgentObservation]:
    """One observation of each item but `never`."""
    return [
        AgentObservation("avail", at, "AVAILABLE"),
        AgentObservation("Xpos", at, -12.625),
        AgentObservation("Xload", at, 41.5),
        AgentObservation("Sspeed", at, "8.0E3"),
        AgentObservation("Svib", at, (0.25, -0.5, 1.0)),
        AgentObservation("Scond", at, "", level="Normal"),
        AgentObservation("mode", at, "AUTOMATIC"),
        AgentObservation(
            "system", at, "Öl <low> | 5", level="Fault", native_code="E|7", native_severity="2", qualifier="LOW"
        ),
        AgentObservation("execution", at, "ACTIVE"),
        AgentObservation("program", at, "0042"),
        AgentObservation("pcount", at, "9007199254740993"),
        AgentObservation("Fovr", at, "100"),
        AgentObservation("message", at, "Change tool 7", native_code="M7"),
        AgentObservation("vars", at, {"#500": "1.5", "#501": "a<b"}),
    ]  # fmt: skip


class Cnc:
    """An agent whose machine has told all of its values."""

    def __init__(self, **options: object) -> None:
        self.agent = MtconnectAgent("127.0.0.1", 0, DEVICE, **options)  # type: ignore[arg-type]

    async def start(self) -> None:
        await self.agent.start()
        self.agent.observe(everything(now_us()))

    async def stop(self) -> None:
        await self.agent.stop()

    async def __aenter__(self) -> MtconnectAgent:
        await self.start()
        return self.agent

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def points(*items: str, datatype: Datatype = Datatype.DOUBLE) -> tuple[Point, ...]:
    return tuple(Point(row, MtconnectAddress(item=item), datatype) for row, item in enumerate(items))


def rows(batches: Iterable[SampleBatch]) -> list[tuple[int, int, float | str | None, int]]:
    """(handle, time, text or number, quality); None where there is no value."""
    found: list[tuple[int, int, float | str | None, int]] = []
    for batch in batches:
        for row in range(len(batch)):
            text = None if batch.texts is None else batch.texts[row]
            value = float(batch.values[row])
            shown = text if text is not None else value if value == value else None
            found.append((int(batch.signals[row]), int(batch.times[row]), shown, int(batch.qualities[row])))
    return found
