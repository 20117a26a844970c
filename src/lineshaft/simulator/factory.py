"""The simulated factory: all machines moved together, the faults in it, and its state as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lineshaft.config.models import Plant, SimulatorConfig
from lineshaft.errors import ConfigError, DataError
from lineshaft.model.samples import Float64Array, Int64Array, TextArray
from lineshaft.simulator.channels import Channel, channels_of, waves_of
from lineshaft.simulator.devices import PORTS, left_alone
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.layout import build, fault_targets
from lineshaft.simulator.machines.base import Step, vibration_key
from lineshaft.simulator.noise import key_of, white
from lineshaft.simulator.orders import LotOrder, OrderBook
from lineshaft.simulator.tracks import Track

STATE_VERSION = 2
_FINE_US = 1_000_000
_COARSE_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """What all sensors show at some instants.

    values  path below the site -> float64[n], as a driver delivers it (rounded to the register, scaled back)
    tracks  path -> exact changes, for states, texts and results of single units; the factory's own, so to be read
            before it moves on
    hidden  quantities without a sensor, such as 'base-load' in kW
    """

    times: Int64Array
    before: int
    values: dict[str, Float64Array]
    tracks: dict[str, Track]
    hidden: dict[str, Float64Array]

    def __getitem__(self, path: str) -> Float64Array | TextArray:
        """float64[n] or object[n] of one signal."""
        found = self.values.get(path)
        return found if found is not None else self.tracks[path].at(self.times)


def _mend(plant: Plant) -> str:
    beside = left_alone(plant)
    if not beside:
        return "its devices have host 127.0.0.1 and ports from simulator.modbus_port, opcua_port or machine_port on"
    return f"on this computer but at other ports: {'; '.join(beside[:5])}; {PORTS} ports from the key's on are served"


class Factory:
    """The machines of a plant, from `begin_us` on. The same plant, seed and begin give the same story."""

    def __init__(self, plant: Plant, begin_us: int) -> None:
        settings = plant.simulator or SimulatorConfig()
        self.plant = plant
        self.begin_us = begin_us
        self.now_us = begin_us
        self.latest: Frame | None = None  # the last frame that was made
        self.channels: tuple[Channel, ...] = channels_of(plant)
        self.waves: tuple[Channel, ...] = waves_of(plant)
        if not self.channels:
            raise ConfigError("the simulator has nothing to serve: no device is at its ports", hint=_mend(plant))
        self.faults = Faults(fault_targets(plant, [channel.path for channel in self.channels]))
        self.seed = settings.seed
        self._layout = build(plant, begin_us, settings.seed)
        self.deeds = self._layout.deeds  # what people did in the past
        self._books = [OrderBook(line) for line in self._layout.lines]
        self.setpoints: dict[str, float] = {}  # path -> what somebody set on a device, in the signal's unit
        self._stuck: dict[str, float] = {}
        self._checked = False

    def advance(self, times: Int64Array) -> Frame:
        """Move on through `times` (ascending UTC microseconds, after `now_us`) and tell what the sensors show.

        Raises ConfigError when a plant's signal is none that this factory has.
        """
        if not len(times) or times[0] <= self.now_us:
            raise ValueError("instants ascend and begin after now_us")
        step = Step(times, self.now_us, self.faults, self.begin_us, self.setpoints)
        for line in self._layout.lines:
            line.forget_before(self.now_us)
        for machine in self._layout.machines:
            machine.advance(step)
        self._check(step)
        frame = Frame(times, self.now_us, self._seen(step), step.tracks, step.shared)
        self.now_us = int(times[-1])
        self.latest = frame
        self.faults.forget_before(self.now_us)
        return frame

    def advance_to(self, time_us: int) -> Frame:
        """Move to `time_us`: in one step up to two seconds, else every ten seconds; the frame holds these instants."""
        if time_us - self.now_us <= 2 * _FINE_US:
            return self.advance(np.array([time_us], np.int64))
        inner = np.arange(self.now_us // _COARSE_US + 1, (time_us - 1) // _COARSE_US + 1, dtype=np.int64) * _COARSE_US
        return self.advance(np.append(inner, np.int64(time_us)))

    def order_news(self) -> tuple[LotOrder, ...]:
        """Orders that were planned, began or ended up to now, and were not told yet."""
        return tuple(order for book in self._books for order in book.news(self.now_us))

    def _check(self, step: Step) -> None:
        if self._checked:
            return
        known = step.values.keys() | step.tracks.keys()
        missing = [channel.path for channel in self.channels if channel.path not in known]
        places = ((channel, vibration_key(channel.path.rpartition("/")[0], "speed")) for channel in self.waves)
        missing += [channel.path for channel, key in places if key not in step.shared]
        if missing:
            raise ConfigError(
                f"the simulated factory has no signal {', '.join(missing[:5])}",
                hint="the simulator plays the factory of plants/demo; a plant may use any part of its signals",
            )
        self._checked = True

    def _seen(self, step: Step) -> dict[str, Float64Array]:
        """Values after sensor faults, rounding and scaling. Text signals stay tracks."""
        seen: dict[str, Float64Array] = {}
        faulty = {fault.asset for fault in self.faults if fault.kind in ("stuck-sensor", "sensor-noise")}
        for path in self._stuck.keys() - faulty:
            del self._stuck[path]
        for channel in self.channels:
            values = step.values.get(channel.path)
            if values is None:
                track = step.tracks[channel.path]
                if track.is_text:
                    continue
                values = track.at(step.times)
            if channel.path in faulty:
                values = self._disturbed(channel, values, step)
            seen[channel.path] = channel.seen(channel.raw(values))
        return seen

    def _disturbed(self, channel: Channel, values: Float64Array, step: Step) -> Float64Array:
        low, high = channel.signal.range or (0.0, max(abs(float(values[-1])), 1.0))
        strength = self.faults.severity("sensor-noise", channel.path, step.times)
        values = values + 0.1 * (high - low) * strength * white(key_of(self.seed, channel.path), step.times)
        if self.faults.at("stuck-sensor", channel.path, int(step.times[-1])) > 0:
            values = np.full(len(values), self._stuck.setdefault(channel.path, float(values[0])))
        return values

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON values."""
        return {
            "version": STATE_VERSION,
            "seed": self.seed,
            "begin": self.begin_us,
            "now": self.now_us,
            "faults": self.faults.snapshot(),
            "stuck": self._stuck,
            "setpoints": self.setpoints,
            "orders": [book.snapshot() for book in self._books],
            "lines": [line.snapshot() for line in self._layout.lines],
            "machines": [machine.snapshot() for machine in self._layout.machines],
        }

    @staticmethod
    def from_snapshot(plant: Plant, saved: dict[str, Any]) -> Factory:
        """Go on from `snapshot`. Raises DataError when it belongs to another factory or version."""
        seed = (plant.simulator or SimulatorConfig()).seed
        if saved.get("version") != STATE_VERSION or saved.get("seed") != seed:
            raise DataError(
                "the saved state is of another version or seed of the simulated factory",
                hint="start with another data folder (--data); the story begins anew there",
            )
        factory = Factory(plant, saved["begin"])
        factory.now_us = saved["now"]
        factory.faults.restore(saved["faults"])
        factory._stuck = dict(saved["stuck"])
        factory.setpoints = dict(saved.get("setpoints", {}))
        for line, item in zip(factory._layout.lines, saved["lines"], strict=True):
            line.restore(item)
        for book, item in zip(factory._books, saved.get("orders", ()), strict=False):
            book.restore(item)
        for machine, item in zip(factory._layout.machines, saved["machines"], strict=True):
            machine.restore(item)
        return factory
