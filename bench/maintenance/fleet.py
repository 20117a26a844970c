"""The whole way of bursts of a fleet: gateway, buffer, historian, health, diagnosis, case; what it costs and keeps."""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.report import Report
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, healthy_wave
from lineshaft.apps.maintenance.app import make
from lineshaft.apps.maintenance.parts import Maintenance
from lineshaft.clock import VirtualClock
from lineshaft.config.operators import OperatorConfig
from lineshaft.config.reference import bearings
from lineshaft.config.vibration_sheet import Sheet
from lineshaft.gateway.frames import decode, encode_samples
from lineshaft.gateway.steps.bursts import Burst, BurstFeature, Bursts
from lineshaft.gateway.steps.diagnosis import Diagnosing, Watch
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import planned
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Signal, SignalKind
from lineshaft.model.samples import Int64Array, SampleBatch
from lineshaft.model.waveforms import Waveform

RATE, TURN, SCALE = 25_600.0, 25.0, 0.005
BEARING = "SKF 6205-2RS"
SITE = "acme/north"
EVERY_S, EVERY_US = 600, 600_000_000
SENSORS = 50  # of one gateway
LEARNED = 40  # windows of the healthy time
DAMAGED = 0.02
STEPS = EVERY_S / 0.35  # looks of the hub for rows in that time; see hub/operators/lane.py
FEATURES: tuple[tuple[str, str], ...] = (("vibration", "velocity_rms"), ("acceleration", "rms"))
HEALTH = {"learn": f"{LEARNED * EVERY_S}s", "persistence": 6, "smooth": 5}


@dataclass(frozen=True, slots=True)
class Gateway:
    """The steps of one gateway, and the hub's ids of its handles."""

    name: str
    bursts: Bursts
    judge: Diagnosing
    ids: Int64Array


@dataclass(frozen=True, slots=True)
class Hub:
    """What a hub runs for maintenance."""

    services: Services
    live: Operators
    maintenance: Maintenance
    clock: VirtualClock

    def settle(self) -> None:
        """Until everything that was committed is worked in."""
        while self.live.main.step() or self.live.apart.step():
            pass
        while self.maintenance.diagnoser.step():
            pass
        while self.maintenance.recorder.step():
            pass


def measure(report: Report, small: bool) -> None:
    """A healthy fleet learned, then rounds of bursts in which a few bearings go."""
    machines, rounds = (50, 8) if small else (1000, 11)
    with tempfile.TemporaryDirectory() as folder, State(f"sqlite:///{folder}/state.db") as state:
        historian = ClickHouseHistorian(f"chdb://{Path(folder)}/history")
        historian.open()
        hub, gateways = _started(historian, state, machines)
        try:
            _learned(hub, gateways)
            _rounds(report, hub, gateways, rounds, machines)
        finally:
            hub.live.stop()
            historian.close()


def _started(historian: ClickHouseHistorian, state: State, machines: int) -> tuple[Hub, list[Gateway]]:
    gateways = [_gateway(state, first, min(SENSORS, machines - first)) for first in range(0, machines, SENSORS)]
    clock = VirtualClock(1_750_000_200_000_000 // EVERY_US * EVERY_US)
    services = Services(historian, state, LiveStream(clock), PlantInfo("bench", "UTC"), clock)
    plan = [planned(OperatorConfig(id="health", operator="machine-health", types=("pump",), options=HEALTH), SITE)]
    live = Operators(plan, historian, state, clock, delay=0.0)
    live.open()
    maintenance = make(services)
    historian.listen(live.feed.told)
    historian.listen(maintenance.diagnoser.committed)
    return Hub(services, live, maintenance, clock), gateways


def _gateway(state: State, first: int, count: int) -> Gateway:
    specs, watches, signals = [], [], []
    sheet = Sheet(bearing=BEARING, orders=bearings()[BEARING].orders)
    costs = (Attribute("failure_cost", 9600.0), Attribute("repair_cost", 1200.0))
    nodes = []
    for place in range(count):
        pump = f"{SITE}/hall/pump-{first + place}"
        part = f"{pump}/bearing-de"
        nodes.append(Equipment(pump, f"Pump {first + place}", Level.ASSET, "pump", attributes=costs))
        nodes.append(
            Equipment(part, "Bearing", Level.COMPONENT, "bearing", attributes=(Attribute("designation", BEARING),))
        )
        handles = [place, *(count + len(FEATURES) * place + at for at in range(len(FEATURES)))]
        kinds = tuple(BurstFeature(handle, kind) for handle, (_, kind) in zip(handles[1:], FEATURES, strict=True))  # type: ignore[arg-type]
        specs.append(Burst(place, part, f"{part}/burst", kinds, "acceleration"))
        watches.append(Watch(place, part, f"{part}/burst", sheet))
        signals.append((place, Signal(part, "burst", SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2")))
        signals += [(handle, Signal(part, name)) for handle, (name, _) in zip(handles[1:], FEATURES, strict=True)]
    state.register_equipment(nodes)
    name = f"gateway-{first}"
    found = state.register(
        [BornSignal(signal, name, "monitor") for _, signal in sorted(signals, key=lambda one: one[0])]
    )
    return Gateway(name, Bursts(specs, 8), Diagnosing(watches), np.asarray(found))


def _learned(hub: Hub, gateways: list[Gateway]) -> None:
    """Features of the healthy time, from the same pool of bursts, without their waveforms."""
    healthy = [_features(wave) for wave in _healthy()]
    random = np.random.default_rng(5)
    for _ in range(LEARNED):
        asyncio.run(hub.clock.advance(EVERY_S))
        for one in gateways:
            ids = one.ids[len(one.ids) // (1 + len(FEATURES)) :]
            values = np.concatenate([healthy[random.integers(len(healthy))] for _ in range(len(ids) // len(FEATURES))])
            batch = SampleBatch.of(ids, np.full(len(ids), hub.clock.now_us()), values)
            hub.services.historian.append(batch, f"{one.name} {hub.clock.now_us()}")
    hub.settle()


def _features(wave: Waveform) -> np.ndarray:
    kinds = tuple(BurstFeature(1 + at, kind) for at, (_, kind) in enumerate(FEATURES))  # type: ignore[arg-type]
    step = Bursts([Burst(0, "a", "a/burst", kinds, "acceleration")], 1)
    _, rows, _ = step.features(SampleBatch.of_waves([0], [1], [wave]), lambda _: None)
    return rows.values


def _counts(values: np.ndarray) -> Waveform:
    return Waveform.of(np.rint(values / SCALE).astype(np.int16), RATE, 60 * TURN, scale=SCALE)


def _healthy() -> list[Waveform]:
    random = np.random.default_rng(3)
    return [_counts(healthy_wave(TURN, RATE, 1.0, random, teeth=17)) for _ in range(16)]


def _worn(rounds: int) -> list[Waveform]:
    """A bearing that goes: the strikes grow from round to round."""
    random = np.random.default_rng(4)
    orders = bearings()[BEARING].orders
    strikes = damaged_wave(Damage("outer", TURN, orders), RATE, 1.0, random)
    return [_counts(healthy_wave(TURN, RATE, 1.0, random, teeth=17) + 0.5 * (2 + at) * strikes) for at in range(rounds)]


def _rounds(report: Report, hub: Hub, gateways: list[Gateway], rounds: int, machines: int) -> None:
    healthy, worn = _healthy(), _worn(rounds)
    spent = dict.fromkeys(("gateway", "stored", "health, diagnosis, cases"), 0.0)
    kept: list[float] = []
    for number in range(rounds):
        asyncio.run(hub.clock.advance(EVERY_S))
        for one in gateways:
            count = len(one.ids) // (1 + len(FEATURES))
            waves = [
                worn[number] if place < round(DAMAGED * count) else healthy[(number + place) % len(healthy)]
                for place in range(count)
            ]
            batch = SampleBatch.of_waves(list(range(count)), [hub.clock.now_us()] * count, waves)
            began = _cpu()
            frame = _at_the_gateway(hub, one, batch)
            spent["gateway"] += (ended := _cpu()) - began
            sent = decode(frame).batch
            assert sent is not None
            hub.services.historian.append(replace(sent, signals=one.ids[sent.signals]), f"{one.name} {number}")
            spent["stored"] += (began := _cpu()) - ended
            hub.settle()
            spent["health, diagnosis, cases"] += _cpu() - began
        kept.append(_memory_mb())
        print(
            f"  round {number + 1} of {rounds}: {sum(spent.values()):.1f} s of processor time, {kept[-1]:.0f} MB",
            flush=True,
        )
    _figures(report, hub, spent, kept, rounds, machines)


def _at_the_gateway(hub: Hub, one: Gateway, batch: SampleBatch) -> bytes:
    """Features, diagnosis, and what is sent, as a frame of the disk buffer; findings go to the hub as notes do."""
    bursts, rows, events = one.bursts.features(batch, lambda _: None)
    found = one.judge.update(bursts)
    hub.services.state.events.add([*events, *found])
    sent = SampleBatch.concat([one.bursts.keep(bursts, found), rows])
    return encode_samples(1, 0, "monitor", sent, None)


def _figures(report: Report, hub: Hub, spent: dict[str, float], kept: list[float], rounds: int, machines: int) -> None:
    began = time.process_time()
    for _ in range(20):
        hub.live.main.step()
    idle = (time.process_time() - began) / 20 * STEPS
    each = {name: 100 * seconds / rounds * 1000 / machines / EVERY_S for name, seconds in spent.items()}
    each["looking for rows"] = 100 * idle * 1000 / machines / EVERY_S
    note = ", ".join(f"{name} {share:.2f}" for name, share in each.items())
    report.add("fleet of 1,000, burst to case, every burst stored", sum(each.values()), "% of a core", target=10.0,
               better="lower", note=note)  # fmt: skip
    bursts = machines * (rounds - 1)
    grown = kept[-1] - kept[0]
    note = f"{kept[0]:.0f} MB after the first round, hub with historian and operators; rounds: " + ", ".join(
        f"{one:.0f}" for one in kept
    )
    report.add(f"fleet, memory grown over {bursts:,} bursts", 100 * grown / kept[0], "%", target=10.0, better="lower",
               note=note)  # fmt: skip
    cases = hub.maintenance.store.find(open_only=True, limit=None)
    worn = {one.case.asset for one in cases if one.case.fault == "outer_race"}
    right = sum(round(DAMAGED * min(SENSORS, machines - first)) for first in range(0, machines, SENSORS))
    staged = sum(one.case.worst != "normal" for one in cases)
    note = f"{len(worn)} of {right}; {staged} with a stage of health as well"
    report.add("fleet, worn bearings whose case names the race", 100 * len(worn) / right, "%", target=100.0, note=note)
    report.add("fleet, cases of healthy machines", len({one.case.asset for one in cases}) - len(worn), "", target=0,
               better="lower")  # fmt: skip


def _processes() -> Iterator[int]:
    """This process and those that it has started."""
    yield os.getpid()
    for task in Path("/proc/self/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def _cpu() -> float:
    """Seconds of processor time of this process and those that it has started."""
    ticks = 0
    for pid in _processes():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_mb() -> float:
    """Resident memory of the same."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in _processes())
    return pages * resource.getpagesize() / 2**20
