"""Thirty days of the demo's pumps in a hub of this process: simulated physics, the real operator and diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tests.simulator.helpers import demo

from lineshaft.apps.maintenance.parts import Maintenance
from lineshaft.config.models import Plant
from lineshaft.hub.api.services import Services
from lineshaft.hub.ports import BornSignal
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Signal, SignalKind
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform
from lineshaft.operators.base import Asset
from lineshaft.operators.builtin import OPERATORS
from lineshaft.simulator.bursts import RATE, taken
from lineshaft.simulator.factory import Factory, Frame

DAY = 86_400_000_000
STEP = 300_000_000
WATER = "utilities/cooling-water"
SITE = f"brennweg/weiler/{WATER}"
NAMES = ("bearing-de/vibration", "bearing-de/acceleration", "bearing-de/temperature", "motor/speed")


def tell(services: Services, maintenance: Maintenance) -> None:
    """The past of both pumps up to now, judged as the hub would have done it; then the cases."""
    plant = demo()
    now = services.clock.now_us() // STEP * STEP
    factory = Factory(plant, now - 30 * DAY)
    frame = factory.advance(np.arange(factory.begin_us + STEP, now + 1, STEP, dtype=np.int64))
    for number in (1, 2):
        _pump(services, plant, factory, frame, f"pump-{number}")
    for deed in factory.deeds:
        kind, subject = f"maintenance.case.{deed.action}", f"brennweg/weiler/{deed.subject}"
        services.state.events.add(
            [Event(deed.time, kind, subject, deed.words, details={"by": deed.by, **deed.details})]
        )
    while maintenance.diagnoser.step():
        pass
    maintenance.recorder.step()


def _pump(services: Services, plant: Plant, factory: Factory, frame: Frame, name: str) -> None:
    path = f"{SITE}/{name}"
    costs = (Attribute("failure_cost", 9600.0), Attribute("repair_cost", 1200.0))
    pump = Equipment(path, f"Cooling-water {name.replace('-', ' ')}", Level.ASSET, "pump", attributes=costs)
    sheet = (Attribute("designation", "Timken 209K"),)
    bearing = Equipment(f"{path}/bearing-de", "Bearing driven end", Level.COMPONENT, "bearing", attributes=sheet)
    services.state.register_equipment([pump, bearing, Equipment(f"{path}/motor", "Motor", Level.COMPONENT, "motor")])
    signals = [Signal(f"{path}/{one}".rpartition("/")[0], one.rpartition("/")[2], unit=_unit(one)) for one in NAMES]
    spec = OPERATORS["machine-health"]
    operator = spec.create(spec.options(), Asset(pump, tuple(signals)))
    assert operator is not None
    columns = np.stack([_column(frame, one, path) for one in operator.inputs], axis=1)
    rows = SampleBatch.of(np.tile(np.arange(columns.shape[1]), len(columns)), np.repeat(frame.times, columns.shape[1]),
                          columns.ravel())  # fmt: skip
    _store(services, path, operator.inputs, rows, "gateway-1")
    found = operator.update(rows)
    _store(services, path, operator.outputs, found.samples, "operators")
    services.state.events.add(found.events)
    services.state.predictions.add("health", "pump", found.predictions, services.clock.now_us())
    _bursts(services, factory, frame, f"{WATER}/{name}/bearing-de/burst")


def _unit(name: str) -> str:
    return {"vibration": "mm/s", "acceleration": "m/s2", "temperature": "degC"}.get(name.rpartition("/")[2], "1/min")


def _column(frame: Frame, signal: Signal, path: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(frame.values[signal.path.removeprefix("brennweg/weiler/")], np.float64)


def _store(services: Services, path: str, signals: Sequence[Signal], rows: SampleBatch, node: str) -> None:
    ids = np.asarray(services.state.register([BornSignal(one, node, "x") for one in signals]))
    services.historian.append(
        SampleBatch.of(ids[rows.signals], rows.times, rows.values, rows.qualities), f"{path} {node}"
    )


def _bursts(services: Services, factory: Factory, frame: Frame, path: str) -> None:
    """One every twelve hours."""
    channel = next(one for one in factory.waves if one.path == path)
    asset, _, name = f"brennweg/weiler/{path}".rpartition("/")
    signal = Signal(asset, name, SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2")
    number = int(services.state.register([BornSignal(signal, "gateway-1", "monitor")])[0])
    found = [taken(channel, factory.seed, frame, row) for row in range(143, len(frame.times), 144)]
    waves = [Waveform.of(one.samples, RATE, one.speed, scale=channel.signal.scale) for one in found]
    services.historian.append(SampleBatch.of_waves([number] * len(waves), [one.time for one in found], waves), path)
