"""An OPC UA server in a process of its own whose one array node holds a new burst of vibration twice a second."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import numpy as np
from asyncua import ua
from tests.drivers.opcua.space import new_server

from lineshaft.analytics.bearings.kinematics import find_bearing
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, in_noise
from lineshaft.config.reference import bearings

URI = "urn:lineshaft:vibration"
RATE = 12_800.0
SPEED = 1_480.0
SAMPLES = 60_000
BEARING = "SKF 6205-2RS"


def burst(number: int) -> np.ndarray:
    """int16[SAMPLES]: shaft, its second harmonic and noise; different for each number, the same in every process."""
    time = np.arange(SAMPLES) / RATE
    turn = 2 * np.pi * SPEED / 60 * time
    noise = np.random.default_rng(number).normal(0, 40, SAMPLES)
    return np.rint(400 * np.sin(turn) + 120 * np.sin(2 * turn) + noise + number).astype(np.int16)


def damaged(number: int) -> np.ndarray:
    """int16[12800]: one second of a bearing whose outer race is damaged, in 0.01 m/s2."""
    random = np.random.default_rng(1000 + number)
    damage = Damage("outer", SPEED / 60, find_bearing(bearings(), BEARING).orders, resonance=3000.0)
    wave = in_noise(damaged_wave(damage, RATE, 1.0, random), 3, random)
    return np.rint(200 * wave).astype(np.int16)


async def main(port: int) -> None:
    server = await new_server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/test")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    objects = server.nodes.objects
    node = await objects.add_variable(ua.NodeId("burst", index), "burst", [0], ua.VariantType.Int16)
    await objects.add_variable(ua.NodeId("rate", index), "rate", RATE)
    worn = await objects.add_variable(ua.NodeId("damaged", index), "damaged", [0], ua.VariantType.Int16)
    speed = await objects.add_variable(ua.NodeId("speed", index), "speed", SPEED)
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        number = 0
        while True:
            for place, samples in ((node, burst(number)), (worn, damaged(number))):
                value = ua.Variant(samples.tolist(), ua.VariantType.Int16)
                await place.write_value(ua.DataValue(value, SourceTimestamp=datetime.now(UTC).replace(tzinfo=None)))
            await speed.write_value(SPEED + number)
            number += 1
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
