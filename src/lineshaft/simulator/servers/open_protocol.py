"""A tightening controller that speaks Open Protocol: results with acknowledgement, old results, alarms and curves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from lineshaft.drivers.open_protocol.fields import LAYOUTS, SHORT, encode_fields
from lineshaft.drivers.open_protocol.times import from_us
from lineshaft.drivers.open_protocol.wire import Framer, Message, encode
from lineshaft.model.samples import Float64Array
from lineshaft.simulator.servers.tcp import TcpServer
from lineshaft.simulator.servers.tightening import Model, Tightening

_SILENCE = 15.0
"""Seconds after which a client that says nothing is dropped."""
_KEPT = 5000
_ANGLE, _TORQUE = 1, 2
_ZEROS = (
    "selftap-min", "selftap-max", "selftap-torque", "prevail-torque-min", "prevail-torque-max", "prevail-torque",
    "prevail-compensate", "rundown-angle", "rundown-angle-min", "errors-2", "sync-id", "current-min",
    "compensated-angle",
)  # fmt: skip
_PASSED = (
    "rundown-angle-status", "current-status", "selftap-status", "prevail-torque-status", "prevail-compensate-status",
)  # fmt: skip
_EMPTY = ("customer-error", "station-name", "identifier-2", "identifier-3", "identifier-4")


@dataclass(frozen=True, slots=True)
class Alarm:
    """An active alarm."""

    code: str
    text: str
    time_us: int
    controller_ready: bool = True
    tool_ready: bool = True


@dataclass(slots=True, eq=False)
class _Client:
    """One connection: what it subscribed, and the result whose acknowledgement it owes."""

    writer: asyncio.StreamWriter
    started: bool = False
    results: int = 0  # revision that was subscribed, 0 for none
    alarms: int = 0
    traces: tuple[int, ...] = ()
    owed: int | None = None  # number of the result that is not acknowledged
    next: int = 0  # number of the next result to send
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)


class TorqueController(TcpServer):
    """One controller with one tool. It keeps its results over stop and start, as one that loses its network."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        model: Model | None = None,
        name: str = "screw-302",
        timezone: str = "UTC",
        newest: Mapping[int, int] | None = None,
        clients: int = 1,
        first_id: int = 1,
        resend_after: float = 2.0,
        silence: float = _SILENCE,
    ) -> None:
        """`newest`: highest revision of a MID that it knows, 0 for none; `resend_after`, `silence`: seconds."""
        super().__init__(host, port)
        self.name = name
        self.acknowledged: list[int] = []  # numbers of results, in the order of their acknowledgement
        self.received: list[Message] = []
        self._model = model
        self._zone = ZoneInfo(timezone)
        self._newest = {mid: max(known) for mid, known in LAYOUTS.items()} | dict(newest or {})
        self._most_clients = clients
        self._resend_after = resend_after
        self._silence = silence
        self._results: dict[int, Tightening] = {}
        self._next_id = first_id
        self._alarm: Alarm | None = None
        self._progress = asyncio.Event()
        self._clients: set[_Client] = set()

    def advance(self, now_us: int) -> None:
        """Ask the model which tightenings ended up to `now_us`."""
        if self._model is not None:
            self.add(self._model(now_us))

    def number_from(self, first_id: int) -> None:
        """The next tightening gets this number, as when a controller was replaced."""
        self._next_id = first_id

    def add(self, tightenings: Iterable[Tightening]) -> None:
        """Tightenings have ended: keep them and tell who subscribed."""
        for one in tightenings:
            self._results[self._next_id] = one
            self._results.pop(self._next_id - _KEPT, None)
            self._next_id += 1
        for client in self._clients:
            self._send_next(client)

    def raise_alarm(self, alarm: Alarm | None) -> None:
        """An alarm begins, or the last one ends."""
        before, self._alarm = self._alarm, alarm
        for client in self._clients:
            if client.alarms and alarm is not None:
                self._send(client, 71, min(client.alarms, self._newest[71]), self._alarm_fields(alarm))
            elif client.alarms and before is not None:
                self._send_alarm_status(client, before)

    async def until_acknowledged(self, count: int) -> None:
        """Wait until so many results were acknowledged."""
        while len(self.acknowledged) < count:
            self._progress.clear()
            await self._progress.wait()

    def forget(self, *numbers: int) -> None:
        """Results that it no longer has when it is asked for them."""
        for number in numbers:
            self._results.pop(number, None)

    def repeat(self, number: int) -> None:
        """Send a result again, as if its acknowledgement had been lost."""
        for client in self._clients:
            self._send_result(client, number)

    def inject(self, data: bytes) -> None:
        """Send these bytes as they are."""
        for client in self._clients:
            client.writer.write(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer."""
        client, framer = _Client(writer), Framer()
        resending = asyncio.create_task(self._resend(client))
        try:
            while True:
                async with asyncio.timeout(self._silence):
                    data = await reader.read(4096)
                if not data:
                    return
                for message in framer.feed(data):
                    self.received.append(message)
                    self._answer(client, message)
                await writer.drain()
        finally:
            resending.cancel()
            self._clients.discard(client)

    async def _resend(self, client: _Client) -> None:
        """A result that is not acknowledged is sent again."""
        while True:
            client.acknowledged.clear()
            owed = client.owed
            with suppress(TimeoutError):
                async with asyncio.timeout(self._resend_after):
                    await client.acknowledged.wait()
            if owed is not None and client.owed == owed:
                self._send_result(client, owed)

    def _answer(self, client: _Client, message: Message) -> None:
        mid = message.mid
        if mid == 9999:
            client.writer.write(encode(Message(9999, 1)))
        elif mid == 1:
            self._start(client, message)
        elif not client.started:
            self._refuse(client, mid, 92)
        elif mid in (60, 70, 8):
            self._subscribe(client, message)
        elif mid in (63, 73):
            client.results, client.alarms = (0, client.alarms) if mid == 63 else (client.results, 0)
            self._accept(client, mid)
        elif mid == 62:
            self._acknowledge(client)
        elif mid == 64:
            self._old(client, message)
        elif mid == 10:
            sets = sorted({one.limits.number for one in self._results.values()})
            client.writer.write(
                encode(Message(11, 1, (f"{len(sets):03}" + "".join(f"{number:03}" for number in sets)).encode()))
            )
        elif mid == 3:
            self._clients.discard(client)
            client.started = False
            self._accept(client, mid)
        elif mid not in (5, 72, 75, 77):
            self._refuse(client, mid, 99)

    def _start(self, client: _Client, message: Message) -> None:
        if message.revision > self._newest[2]:
            self._refuse(client, 1, 97)
        elif client.started or len(self._clients) >= self._most_clients:
            self._refuse(client, 1, 96)
        else:
            client.started = True
            self._clients.add(client)
            values: dict[str, str | int] = {
                "cell": 1, "channel": 1, "controller": self.name, "supplier": "LSH",
                "protocol-version": "R 2.8.0", "controller-version": "1.0.0", "tool-version": "1.0.0",
                "controller-type": "Simulated", "controller-serial": "0000000042",
            }  # fmt: skip
            self._send(client, 2, message.revision, values)

    def _subscribe(self, client: _Client, message: Message) -> None:
        mid, revision = message.mid, message.revision
        newest = {60: self._newest[61], 70: self._newest[71], 8: self._newest.get(900, 1)}[mid]
        if newest == 0:
            self._refuse(client, mid, 99)
        elif revision > newest and not (mid == 60 and revision == SHORT):
            self._refuse(client, mid, 97)
        elif (mid == 60 and client.results) or (mid == 70 and client.alarms):
            self._refuse(client, mid, 9 if mid == 60 else 11)
        else:
            self._accept(client, mid)
            if mid == 60:
                client.results, client.next = revision, self._next_id
            elif mid == 70:
                client.alarms = revision
                if self._alarm is not None:
                    self._send_alarm_status(client, self._alarm)
            else:
                kinds = message.text[9 + 32 :]
                client.traces = tuple(int(kinds[place : place + 3]) for place in range(0, len(kinds), 3))

    def _acknowledge(self, client: _Client) -> None:
        if client.owed is None:
            return
        self.acknowledged.append(client.owed)
        self._progress.set()
        one = self._results.get(client.owed)
        if one is not None:
            for kind in client.traces:
                curve = {_ANGLE: one.angle_curve, _TORQUE: one.torque_curve}.get(kind)
                if curve is not None:
                    client.writer.write(self._trace(client.owed, one, kind, curve))
        client.owed = None
        client.acknowledged.set()
        self._send_next(client)

    def _send_next(self, client: _Client) -> None:
        if client.results and client.owed is None and client.next in self._results:
            client.owed = client.next
            client.next += 1
            client.acknowledged.set()
            self._send_result(client, client.owed)

    def _send_result(self, client: _Client, number: int) -> None:
        if number in self._results:
            self._send(client, 61, client.results, self._fields(number, self._results[number]))

    def _old(self, client: _Client, message: Message) -> None:
        text = message.text.strip()
        number = int(text) if text.isdecimal() else -1
        number = number or self._next_id - 1
        if self._newest[65] == 0:
            self._refuse(client, 64, 99)
        elif message.revision > self._newest[65]:
            self._refuse(client, 64, 97)
        elif number not in self._results:
            self._refuse(client, 64, 15)
        else:
            self._send(client, 65, message.revision, self._fields(number, self._results[number]))

    def _send(self, client: _Client, mid: int, revision: int, values: Mapping[str, str | int]) -> None:
        client.writer.write(encode(Message(mid, revision, encode_fields(mid, revision, values))))

    def _send_alarm_status(self, client: _Client, alarm: Alarm) -> None:
        values = {**self._alarm_fields(alarm), "alarm-active": int(self._alarm is not None), "tool-health": 1}
        self._send(client, 76, min(client.alarms, self._newest[76]), values)

    def _alarm_fields(self, alarm: Alarm) -> dict[str, str | int]:
        return {
            "alarm-code": alarm.code[:4],
            "alarm-text": alarm.text[:50],
            "controller-ready": int(alarm.controller_ready),
            "tool-ready": int(alarm.tool_ready),
            "alarm-time": from_us(alarm.time_us, self._zone),
        }

    @staticmethod
    def _accept(client: _Client, mid: int) -> None:
        client.writer.write(encode(Message(5, 1, f"{mid:04}".encode())))

    @staticmethod
    def _refuse(client: _Client, mid: int, code: int) -> None:
        client.writer.write(encode(Message(4, 1, f"{mid:04}{code:02}".encode())))

    def _fields(self, number: int, one: Tightening) -> dict[str, str | int]:
        limits, time = one.limits, from_us(one.time_us, self._zone)
        torques = {
            "torque": one.torque, "torque-min": limits.torque_min, "torque-max": limits.torque_max,
            "torque-target": limits.torque_target, "final-angle": one.angle,
        }  # fmt: skip
        numbers = {
            "cell": 1, "channel": 1, "job": one.job, "parameter-set": limits.number, "batch-size": one.batch_size,
            "batch-counter": one.batch_counter, "strategy": 2, "strategy-options": 3, "status": int(one.ok),
            "torque-status": one.torque_status, "angle-status": one.angle_status,
            "batch-status": int(one.batch_counter >= one.batch_size), "errors": one.errors, "tightening-id": number,
            "job-sequence": 1, "current": round(one.current), "current-max": 100, "torque-unit": 1, "result-type": 1,
            "station": 1, "angle": round(one.angle), "angle-min": round(limits.angle_min),
            "angle-max": round(limits.angle_max), "angle-target": round(limits.angle_target), "rundown-angle-max": 9999,
        }  # fmt: skip
        texts = {
            "vin": one.vin, "controller": self.name, "time": time, "parameter-set-changed": time,
            "tool-serial": "C0761275", "parameter-set-name": limits.name,
        }  # fmt: skip
        return (
            dict.fromkeys(_ZEROS, 0)
            | dict.fromkeys(_PASSED, 1)
            | dict.fromkeys(_EMPTY, "")
            | {name: round(100 * value) for name, value in torques.items()}
            | numbers
            | texts
        )

    def _trace(self, number: int, one: Tightening, kind: int, curve: Float64Array) -> bytes:
        """MID 0900: samples are the values times a coefficient, as 16-bit integers after a NUL."""
        divisor = 100.0 if kind == _TORQUE else 10.0
        coefficient = f"{divisor:.1f}"
        step = f"{one.step_us / 1000:g}"
        lead = (
            f"{number:010}{from_us(one.time_us, self._zone)}000{kind:02}01{1 if kind == _TORQUE else 50:03}"
            f"00102213{len(coefficient):03}030000000{coefficient}"
            f"00100000{len(curve) - 1:05}{len(step):03}03202{step}{len(curve):05}\0"
        )
        samples = (curve * divisor).round().clip(-32768, 32767).astype(">i2").tobytes()
        return encode(Message(900, 1, lead.encode() + samples))
