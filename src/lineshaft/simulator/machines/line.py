"""A production line unit by unit: stations in a row with small buffers, stops, change-overs, scrap and shifts."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np

from lineshaft.simulator.faults import Faults
from lineshaft.simulator.machines.base import BLOCKED, IDLE, OFF, RUNNING, SETUP, STARVED, STOPPED
from lineshaft.simulator.tracks import Track
from lineshaft.simulator.worktime import WorkTime

_BLOCK = 256  # units for which random numbers are drawn at once
_DRAWS = 10  # random numbers per unit and station
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Product:
    """What a line makes: name, cycle-time factor, and the usual lot."""

    name: str
    pace: float
    lot: int


@dataclass(frozen=True, slots=True)
class StationPlan:
    """How one station works; durations in seconds, rates per unit."""

    path: str
    cycle_s: float
    micro_rate: float = 0.02
    micro_s: float = 45.0
    micro_causes: tuple[str, ...] = ("part not seated",)
    breakdown_rate: float = 0.0012
    breakdown_s: float = 1500.0
    breakdown_causes: tuple[str, ...] = ("drive fault",)
    changeover_s: float = 900.0
    tool_units: int = 0  # units that a tool lasts; 0: no tools
    tool_change_s: float = 150.0
    scrap_rate: float = 0.008
    warm_up_s: float = 300.0
    program: str = ""  # name of the program, with {product}


@dataclass(slots=True)
class Lot:
    """Units of one product, made one after the other. Times are UTC microseconds; they may lie ahead."""

    number: int
    product: int
    size: int
    began: int | None = None  # the first station turned to it
    left: int = 0  # the last unit so far was done, or thrown away
    whole: bool = False  # no unit of it is to come


@dataclass(slots=True)
class Station:
    """What a station did and does."""

    plan: StationPlan
    tracks: dict[str, Track]
    ready: int  # when it can take the next unit, if the shift is on
    covered: int  # up to here its states are known
    product: int = -1
    tool_used: int = 0
    starts: deque[int] = field(default_factory=lambda: deque(maxlen=8))

    def set(self, time: int, state: int, reason: str = "") -> None:
        """The state from `time` on."""
        self.tracks["state"].add(time, state)
        self.tracks["stop-reason"].add(time, reason)


class Line:
    """Stations in a row. `run_to` computes units until every station's states are known up to an instant."""

    def __init__(
        self, path: str, seed: int, work: WorkTime, products: tuple[Product, ...], plans: tuple[StationPlan, ...],
        begin: int, buffer: int = 3,
    ) -> None:  # fmt: skip
        self.path = path
        self.work = work
        self.products = products
        self.buffer = buffer
        self._seed = seed
        self._block: tuple[int, list[Any]] = (-1, [])
        crc = zlib.crc32(path.encode())
        self.unit = 0
        self.first_serial = 20_000 + crc % 60_000
        self.product = crc % len(products)
        self.lot_left = products[self.product].lot // 2
        self.lots = [Lot(1, self.product, self.lot_left, begin)]  # the newest last; who has read them takes them away
        self.stations = [self._station(plan, begin) for plan in plans]

    def _station(self, plan: StationPlan, begin: int) -> Station:
        start = 3000 + zlib.crc32(plan.path.encode()) % 90_000
        numbers = {"state": OFF, "door": 1, "tool-life": 100.0, "unit": 0, "start": begin, "cycle": plan.cycle_s * _US}
        numbers |= {
            "product-index": self.product,
            "parts-good": start,
            "parts-bad": start // 70,
            "ok": 1,
            "done": begin,
        }
        tracks = {name: Track(begin, float(value)) for name, value in numbers.items()}
        tracks["cycle-time"] = Track(begin, plan.cycle_s)
        for name in ("stop-reason", "serial"):
            tracks[name] = Track(begin, "")
        tracks["product"] = Track(begin, self.products[self.product].name)
        tracks["program"] = Track(begin, plan.program.format(product=self.products[self.product].name))
        return Station(plan, tracks, begin, begin, self.product)

    def _draws(self, unit: int) -> list[list[float]]:
        """Random numbers in [0, 1) of one unit: one row per station and one for the line."""
        block = unit // _BLOCK
        if self._block[0] != block:
            rng = np.random.default_rng([self._seed, zlib.crc32(self.path.encode()), block])
            self._block = block, rng.random((_BLOCK, len(self.stations) + 1, _DRAWS)).tolist()
        rows: list[list[float]] = self._block[1][unit % _BLOCK]
        return rows

    def run_to(self, time: int, faults: Faults) -> None:
        """Make units until the states of every station are known beyond `time` (UTC microseconds)."""
        while min(station.covered for station in self.stations) <= time:
            self._make_unit(faults)

    def _make_unit(self, faults: Faults) -> None:
        rows = self._draws(self.unit)
        line = rows[-1]
        if self.lot_left <= 0:
            self.product, self.lot_left = self._next_lot(self.product, line)
            self.lots.append(Lot(self.lots[-1].number + 1, self.product, self.lot_left))
        self.lot_left -= 1
        arrive = self.stations[0].ready
        if line[2] < 0.006:  # raw material is late
            arrive += round((60 + 900 * line[3] ** 2) * _US)
        serial = f"{self.first_serial + self.unit:08d}"
        self.unit += 1
        lot = self.lots[-1]
        lot.left, lot.whole = max(lot.left, self._pass_through(arrive, serial, rows, faults)), self.lot_left <= 0

    def _next_lot(self, product: int, line: list[float]) -> tuple[int, int]:
        """Product and size of the lot after one of `product`."""
        product = (product + 1 + int(line[0] * (len(self.products) - 1))) % len(self.products)
        return product, max(8, round(self.products[product].lot * (0.6 + 0.8 * line[1])))

    def coming(self) -> Iterator[Lot]:
        """The lots after the newest one, without end."""
        number, product, unit = self.lots[-1].number, self.product, self.unit + self.lot_left
        while True:
            number += 1
            product, size = self._next_lot(product, self._draws(unit)[-1])
            yield Lot(number, product, size)
            unit += size

    def _pass_through(self, arrive: int, serial: str, rows: list[list[float]], faults: Faults) -> int:
        """A unit at all stations; gives the instant at which it is done or thrown away."""
        for index, station in enumerate(self.stations):
            finish = self._process(station, arrive, serial, rows[index], faults)
            good = rows[index][5] >= self._scrap_rate(station, faults, finish)
            depart = finish
            if good and index + 1 < len(self.stations):
                after = self.stations[index + 1]
                if len(after.starts) >= self.buffer:  # room in the buffer only when an earlier unit has left it
                    depart = max(finish, after.starts[-self.buffer])
            self._leave(station, finish, depart, good, rows[index], faults)
            if not good:
                return finish
            arrive = depart + 8 * _US
        return depart

    def _scrap_rate(self, station: Station, faults: Faults, time: int) -> float:
        path = station.plan.path
        extra = 0.08 * faults.at("tool-wear", path, time) + 0.25 * faults.at("loose-fasteners", path, time)
        return min(0.5, station.plan.scrap_rate + extra)

    def _process(self, station: Station, arrive: int, serial: str, row: list[float], faults: Faults) -> int:
        """One unit at one station: wait, change over, run. Gives the instant at which the work is done."""
        start = self._wait(station, arrive)
        if self.lots[-1].began is None:
            self.lots[-1].began = start
        if station.product != self.product:
            start = self._change_over(station, start, row)
        product = self.products[self.product]
        slower = 1 + 0.12 * faults.at("tool-wear", station.plan.path, start)
        cycle = station.plan.cycle_s * product.pace * slower * (0.985 + 0.03 * row[0] + 0.12 * max(0.0, row[1] - 0.95))
        finish = start + round(cycle * _US)
        station.set(start, RUNNING)
        tracks = station.tracks
        tracks["serial"].add(start, serial)
        tracks["unit"].add(start, float(self.unit))
        tracks["start"].add(start, float(start))
        tracks["cycle"].add(start, cycle * _US)
        tracks["door"].add(start + 2 * _US, 0.0)
        tracks["door"].add(finish, 1.0)
        tracks["cycle-time"].add(finish, round(cycle, 1))
        station.starts.append(start)
        station.covered = start
        return finish

    def _wait(self, station: Station, arrive: int) -> int:
        """States from when the station is ready until the unit is there and people work; gives the start."""
        return self._hold(station, station.ready, max(station.ready, arrive), STARVED, "no part")

    def _hold(self, station: Station, now: int, until: int, state: int, reason: str) -> int:
        """Stay in `state` from `now` to `until`, but idle, off and warming up while nobody works.

        Gives `until`, or the instant after it at which the station is warm again.
        """
        while True:
            if not self.work.is_open(now):
                now = self._closed(station, now)
                until = max(until, now)
            closing = self.work.next_edge(now)
            if until > now or until >= closing:
                station.set(now, state, reason)
            if until < closing:
                return until
            now = closing

    def _closed(self, station: Station, now: int) -> int:
        """States while nobody works; gives the instant at which the station is warm after the next opening."""
        opening = self.work.next_open(now)
        if opening - now < 3600 * _US:
            station.set(now, IDLE, "break")
            return opening
        lag = 240 + zlib.crc32(f"{station.plan.path}/{opening}".encode()) % 600
        station.set(now, IDLE, "end of shift")
        if zlib.crc32(f"{opening}/{station.plan.path}".encode()) % 100 >= 6:  # now and then it is left on
            off = min(now + lag * _US, opening)
            station.set(off, OFF, "")
        station.set(opening, SETUP, "warm-up")
        return opening + round(station.plan.warm_up_s * (0.8 + 0.4 * (lag % 97) / 97) * _US)

    def _change_over(self, station: Station, start: int, row: list[float]) -> int:
        station.product = self.product
        name = self.products[self.product].name
        done = start + round(station.plan.changeover_s * (0.7 + 0.8 * row[9]) * _US)
        station.set(start, SETUP, f"change-over to {name}")
        station.tracks["product"].add(done, name)
        station.tracks["product-index"].add(done, float(self.product))
        station.tracks["program"].add(done, station.plan.program.format(product=name))
        return done

    def _leave(
        self, station: Station, finish: int, depart: int, good: bool, row: list[float], faults: Faults
    ) -> None:  # fmt: skip
        """The unit is done: count it, be blocked until it is gone, and stop if this is the moment for it."""
        tracks, plan = station.tracks, station.plan
        counter = tracks["parts-good" if good else "parts-bad"]
        counter.add(finish, counter.value_at(2**62) + 1.0)
        tracks["ok"].add(finish, 1.0 if good else 0.0)
        tracks["done"].add(finish, float(finish))
        if depart > finish:
            depart = self._hold(station, finish, depart, BLOCKED, "buffer full")
        now = depart
        if plan.tool_units:
            station.tool_used += 1
            tracks["tool-life"].add(finish, max(0.0, 100.0 * (1 - station.tool_used / plan.tool_units)))
            if station.tool_used >= plan.tool_units:
                station.set(now, SETUP, "tool change")
                now += round(plan.tool_change_s * (0.8 + 0.5 * row[6]) * _US)
                station.tool_used = 0
                tracks["tool-life"].add(now, 100.0)
        wear = faults.at("tool-wear", plan.path, depart) + faults.at("bearing-wear", plan.path, depart)
        if row[2] < plan.breakdown_rate * (1 + 4 * wear):
            station.set(now, STOPPED, plan.breakdown_causes[int(row[3] * len(plan.breakdown_causes))])
            now += round(plan.breakdown_s * 0.35 * (1 + 5 * row[4] ** 2.5) * _US)
        elif row[2] > 1 - plan.micro_rate * (1 + wear):
            station.set(now, STOPPED, plan.micro_causes[int(row[3] * len(plan.micro_causes))])
            now += round(plan.micro_s * (0.4 + 2.2 * row[4] ** 2) * _US)
        station.set(now, STARVED, "no part")
        station.ready = station.covered = now

    def forget_before(self, time: int) -> None:
        """Drop what is over at `time`."""
        for station in self.stations:
            for track in station.tracks.values():
                track.forget_before(time)

    def snapshot(self) -> dict[str, Any]:
        """As JSON values."""
        stations = [
            {
                "tracks": {name: track.snapshot() for name, track in s.tracks.items()},
                "numbers": [s.ready, s.covered, s.product, s.tool_used],
                "starts": list(s.starts),
            }
            for s in self.stations
        ]
        lots = [astuple(lot) for lot in self.lots]
        return {"numbers": [self.unit, self.product, self.lot_left], "lots": lots, "stations": stations}

    def restore(self, saved: dict[str, Any]) -> None:
        """From `snapshot`."""
        self.unit, self.product, self.lot_left = saved["numbers"]
        lots = saved.get("lots") or [(1, self.product, self.lot_left, saved["stations"][0]["numbers"][0])]
        self.lots = [Lot(*lot) for lot in lots]
        for station, item in zip(self.stations, saved["stations"], strict=True):
            for name, track in item["tracks"].items():
                station.tracks[name].restore(track)
            station.ready, station.covered, station.product, station.tool_used = item["numbers"]
            station.starts = deque(item["starts"], maxlen=8)
