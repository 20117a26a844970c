"""Lessons j and k: serial numbers that look like numbers become numbers, and -12 is read as 4294967284."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto
from tests.profiles.served import addresses_of, served

from lineshaft.config.models import ProfileConfig
from lineshaft.drivers.base import Driver, Point
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch
from lineshaft.testing import FieldDevice

IDENTIFIERS = ("0042", "1e5", "007.50", "+49", "0x1F", "12345678901234567890")
PLACES = {
    "modbus-tcp": "holding:{n}0:string10",
    "s7": "DB1.DBB{n}00:string40",
    "ethernet-ip": "Serial_{n}",
    "mtconnect": "serial{n}",
    "http": "part{n} /serial",
}
SIGNED = {
    "modbus-tcp": ("holding:1:int16", "holding:2:int32", "holding:4:int64", "holding:8:float64", "input:9:int32:CDAB"),
    "s7": ("DB1.DBB0:sint", "DB1.DBW2:int", "DB1.DBD4:dint", "DB1.DBB8:lint", "DB1.DBD16:real", "MD4:dint"),
    "ethernet-ip": ("Small", "Press.Count"),
    "mtconnect": ("Xpos", "Ypos"),
    "http": ("a /v", "b /v"),
}  # fmt: skip


async def _read(driver: str, addresses: list[str], raw: list[float | str], datatype: str | None) -> SampleBatch:
    """Let a device of the driver hold `raw` at the addresses, and read them."""
    signals = [
        {"name": f"s{n}", "address": address, "datatype": datatype, "decimals": 0}
        for n, address in enumerate(addresses)
    ]
    profile = ProfileConfig.model_validate(
        {"id": "made-up", "title": "x", "drivers": [driver], "source": "made up", "signals": signals}
    )
    held = {f"s{n}": value for n, value in enumerate(raw)}
    async with served(profile, held) as options:
        spec = DRIVERS[driver]
        made: Driver = spec.create(spec.connection.model_validate(options))
        await made.connect()
        try:
            points = tuple(
                Point(n, address, Datatype(datatype) if datatype else Datatype.DOUBLE)
                for n, address in enumerate(addresses_of(profile))
            )
            return await made.read(points)
        finally:
            await made.close()


@pytest.mark.parametrize("driver", PLACES)
async def test_identifiers_stay_text(driver: str) -> None:
    """A text that looks like a number, with its leading zeros, comes off the device as it is there."""
    addresses = [PLACES[driver].format(n=n) for n in range(len(IDENTIFIERS))]
    batch = await _read(driver, addresses, list(IDENTIFIERS), "String")
    texts = dict(zip(batch.signals.tolist(), batch.texts if batch.texts is not None else (), strict=True))
    assert [texts[n] for n in range(len(IDENTIFIERS))] == list(IDENTIFIERS)


@pytest.mark.parametrize("driver", SIGNED)
async def test_every_signed_type_keeps_its_sign(driver: str) -> None:
    """-12 comes off the device as -12 in every signed type that the protocol has."""
    addresses = list(SIGNED[driver])
    batch = await _read(driver, addresses, [-12.0] * len(addresses), None)
    assert sorted(batch.signals.tolist()) == list(range(len(addresses)))
    assert set(batch.values.tolist()) == {-12.0}


async def test_signs_and_identifiers_reach_the_host(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Each signed datatype and each text arrives over Sparkplug as it left the device."""
    numbers = ("Int8", "Int16", "Int32", "Int64", "Float", "Double")
    signals = [{"name": name.lower(), "datatype": name} for name in numbers]
    texts = [{"name": f"id{n}", "datatype": "String"} for n in range(len(IDENTIFIERS))]
    device = FieldDevice()
    device.values |= {name.lower(): -12.0 for name in numbers}
    device.values |= {f"id{n}": text for n, text in enumerate(IDENTIFIERS)}
    async with running(plant({"press": [*signals, *texts]}), {"press": device}, broker.port, folder):
        await until(lambda: all(host.samples(name["name"]) for name in (*signals, *texts)))
    assert {host.samples(name.lower())[0][2] for name in numbers} == {-12.0}
    assert [host.samples(f"id{n}")[0][4] for n in range(len(IDENTIFIERS))] == list(IDENTIFIERS)
