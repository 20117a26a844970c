"""What the OPC UA driver makes of array nodes, at a real server."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from asyncua import ua
from tests.drivers.opcua.space import new_server
from tests.ports import free_port

from lineshaft.drivers.base import WavePoint
from lineshaft.drivers.opcua.driver import OpcuaPollingDriver
from lineshaft.drivers.opcua.options import OpcuaAddress, OpcuaConnection
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality


def at(name: str) -> OpcuaAddress:
    return OpcuaAddress(node=f"ns=1;s={name}")


async def test_arrays_of_every_kind_and_what_is_none() -> None:
    """Integers and floats come exactly with rate, speed and source time; the rest is bad or refused in words."""
    port = free_port()
    server = await new_server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    objects = server.nodes.objects
    arrays = {
        "counts": ([1, -2, 32767], ua.VariantType.Int16),
        "floats": ([0.1, -0.3333333, 7.0], ua.VariantType.Float),
        "one": (5.0, ua.VariantType.Double),
        "nan": ([1.0, float("nan")], ua.VariantType.Double),
        "rate": (25600.0, ua.VariantType.Double),
        "speed": (1480, ua.VariantType.UInt16),
        "word": ("fast", ua.VariantType.String),
    }
    nodes = {
        name: await objects.add_variable(ua.NodeId(name, 1), name, value, kind)
        for name, (value, kind) in arrays.items()
    }
    stamp = ua.DataValue(
        ua.Variant([1, -2, 32767], ua.VariantType.Int16),
        SourceTimestamp=datetime(2026, 1, 2, 3, 4, 5, 6, UTC).replace(tzinfo=None),
    )
    async with server:
        await nodes["counts"].write_value(stamp)
        driver = OpcuaPollingDriver(OpcuaConnection(url=f"opc.tcp://127.0.0.1:{port}/", security="none"))
        await driver.connect()
        try:
            known = {"rate_address": at("rate"), "speed_address": at("speed")}
            batch = await driver.read_waveform(WavePoint(3, at("counts"), scale=0.5, **known))
            assert batch.waves is not None
            wave = batch.waves[0]
            assert (wave.samples.dtype, wave.values().tolist()) == (np.int16, [0.5, -1.0, 16383.5])
            assert (wave.rate, wave.speed, batch.times.tolist()) == (25600.0, 1480.0, [1_767_323_045_000_006])
            floats = (await driver.read_waveform(WavePoint(3, at("floats"), rate=10.0))).waves
            np.testing.assert_allclose(floats[0].values(), np.float32([0.1, -0.3333333, 7.0]), rtol=1e-7)
            missing = await driver.read_waveform(WavePoint(3, at("ghost"), rate=10.0))
            assert missing.qualities.tolist() == [Quality.BAD_ADDRESS]
            for point, words in (
                (WavePoint(3, at("one"), rate=10.0), "not an array"),
                (WavePoint(3, at("nan"), rate=10.0), "no numbers"),
                (WavePoint(3, at("counts")), "without its sample rate"),
                (WavePoint(3, at("counts"), rate_address=at("word")), "not a number"),
                (WavePoint(3, at("counts"), rate=10.0, samples=4096), "half a waveform: 3 of 4096"),
            ):
                with pytest.raises(DataError, match=words):
                    await driver.read_waveform(point)
        finally:
            await driver.close()
