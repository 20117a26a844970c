"""Lesson e: elsewhere one bad slave stops all others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.drivers.modbus.device import FieldDevice
from tests.field_lessons.place import at_work
from tests.gateway.helpers import until
from tests.hub.mqtt import Mosquitto

from lineshaft.clock import SystemClock
from lineshaft.config.models import DeviceConfig, PipelineConfig, Plant, PlantConfig, SignalConfig
from lineshaft.drivers.modbus import TCP
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.model.samples import Quality

SLAVES = range(1, 11)
DEAD = 4


def gateway_of(port: int, broker: Mosquitto, folder: Path) -> Gateway:
    """A gateway with one converter, behind which there are ten slaves with one signal each."""
    signals = tuple(
        SignalConfig(name=f"s{unit}", address=ModbusAddress.model_validate(f"{unit}@holding:0")) for unit in SLAVES
    )
    connection = TCP.connection.model_validate(
        {"host": "127.0.0.1", "port": port, "timeout": "200ms", "retry_unit": "1s"}
    )
    device = DeviceConfig(
        id="bus", driver="modbus-tcp", connection=connection, signals=signals, poll=0.02, timeout=5.0, asset="hall"
    )
    about = PlantConfig(enterprise="acme", site="north", name="North", timezone="UTC")
    site = Plant(plant=about, devices=(device,), pipeline=PipelineConfig(report="all"))
    options = GatewayOptions(site.gateway, folder, BrokerAccess("127.0.0.1", broker.port), SystemClock())
    return Gateway(make_plan(site), {"modbus-tcp": TCP}, options)


async def test_one_dead_slave_among_ten_marks_only_its_own_signal(broker: Mosquitto, folder: Path) -> None:
    """Nine slaves of a bus go on being read while the tenth is silent, which is asked only now and then; and it is
    back by itself."""
    async with FieldDevice(silent={DEAD}) as device:
        for unit in SLAVES:
            device.put("holding", 0, [100 + unit], unit)
        handles = np.arange(len(SLAVES), dtype=np.uint32)
        alive = [unit - 1 for unit in SLAVES if unit != DEAD]
        async with at_work(gateway_of(device.port, broker, folder)) as gateway:

            def values() -> list[float]:
                return gateway.last(handles).values[alive].tolist()

            await until(lambda: values() == [100.0 + unit for unit in SLAVES if unit != DEAD])
            for turn in range(5):
                for unit in SLAVES:
                    device.put("holding", 0, [1000 * turn + unit], unit)
                wanted = [1000.0 * turn + unit for unit in SLAVES if unit != DEAD]
                await until(lambda wanted=wanted: values() == wanted)
            last = gateway.last(handles)
            assert last.qualities[alive].tolist() == [Quality.GOOD] * 9
            assert last.qualities[DEAD - 1] == Quality.BAD_COMMUNICATION
            assert gateway.status().devices[0].state == "degraded"
            asked = [unit for unit, *_ in device.requests]
            assert asked.count(DEAD) < asked.count(DEAD + 1) / 2
            device.silent.clear()
            await until(lambda: gateway.last(handles).qualities[DEAD - 1] == Quality.GOOD, 60)
