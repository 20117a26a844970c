"""Alarms of a foreign server as events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua

from lineshaft.drivers.opcua.alarms import Alarms
from lineshaft.drivers.opcua.driver import OpcuaDriver
from lineshaft.errors import DataError
from lineshaft.model.events import Event, Severity

from .servers import PEER_URI, FieldServer, Line, Peer, options_of, peer_modules, points
from .test_driver import VALUES, Inbox


def own(events: list[Event], wanted: Callable[[Event], bool]) -> list[Event]:
    """Events of the condition itself: branches, its earlier states, come and go at any moment beside it."""
    return [event for event in events if event.details["branch"] == "" and wanted(event)]


def back(events: list[Event]) -> list[Event]:
    return own(events, lambda event: event.kind == "alarm.inactive")


class Told:
    """Collects events and can be awaited."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, ready: Callable[[list[Event]], Any]) -> None:
        async with asyncio.timeout(30):
            while not ready(self.events):
                self._news.clear()
                await self._news.wait()

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


async def test_an_alarm_comes_escalates_and_goes(tmp_path: Path) -> None:
    """Active, more severe, back, acknowledged; what was retained is told after a cut once, what went is gone."""
    async with Peer(peer_modules(), tmp_path / "pki") as peer, Line(peer.port) as line, Client(peer.url) as operator:
        index = await operator.get_namespace_index(PEER_URI)
        level = operator.get_node(ua.NodeId("Tank.Level", index))
        alarm = operator.get_node(ua.NodeId("Tank.Alarm", 1))

        async def acknowledge(event: Event) -> None:
            method = ua.NodeId(9111)
            await alarm.call_method(method, bytes.fromhex(str(event.details["event_id"])), ua.LocalizedText("seen"))

        told = Told()
        driver = OpcuaDriver(options_of(f"opc.tcp://127.0.0.1:{line.port}", alarms=True))
        driver.emit_events("north/gw/press", told)
        wanted = points("Machine.Pressure", uri=PEER_URI)
        await driver.connect()
        try:
            await driver.subscribe(wanted, Inbox())
            await level.write_value(75.0)
            await told.until(lambda events: events)
            await level.write_value(95.0)
            await told.until(lambda events: len(events) > 1)
            first, second = told.events[:2]
            assert (first.kind, first.subject, first.details["source"]) == ("alarm.active", "north/gw/press", "3:Tank")
            assert str(first.details["condition"]).endswith(";s=Tank.Alarm")
            assert "75.000" in first.message
            assert first.details["active"] is True
            assert first.details["acknowledged"] is False
            assert first.severity in set(Severity) - {Severity.INFO}
            assert second.details["event_id"] != first.details["event_id"]

            count = len(told.events)
            line.cut()
            await asyncio.wait_for(asyncio.gather(driver.wait_closed(), return_exceptions=True), 10)
            await driver.close()
            await level.write_value(50.0)
            line.mend()
            await driver.connect()
            await driver.subscribe(wanted, Inbox())
            await told.until(lambda events: back(events[count:]))
            assert len({event.details["event_id"] for event in told.events}) == len(told.events)
            assert len(told.events) > count

            await acknowledge(back(told.events[count:])[-1])
            await told.until(lambda events: own(events, lambda event: event.details.get("acknowledged") is True))
            await told.until(lambda events: any(event.kind == "alarm.gone" for event in events))
        finally:
            await driver.close()


async def test_a_server_without_alarms_is_used_as_it_is() -> None:
    """The values come; an event says once that there are no alarms."""
    async with FieldServer(VALUES) as server:
        told, inbox = Told(), Inbox()
        driver = OpcuaDriver(options_of(server.url, alarms=True))
        driver.emit_events("north/gw/press", told)
        for _ in range(2):
            await driver.connect()
            try:
                await driver.subscribe(points("a"), inbox)
                await inbox.until(lambda rows: rows)
            finally:
                await driver.close()
    assert set(told.kinds()) <= {"opcua.alarms_refused"}
    assert len(told.events) <= 1


@pytest.mark.parametrize("body", [b"", b"\x01", b"\xff\xff\xff\x7f", b"\x01\x00\x00\x00\x00\x00\x00\x00\x05"])
def test_a_malformed_event_is_a_data_error(body: bytes) -> None:
    """It is dropped and counted, nothing else suffers."""
    with pytest.raises(DataError):
        Alarms(1, lambda event: None, "").take([body], None, 0)  # type: ignore[arg-type]
