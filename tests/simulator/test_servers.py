"""What plain clients read is what the models say."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Client, Node
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from tests.simulator.helpers import HOUR, MONDAY, demo_elsewhere

from lineshaft.config.models import DeviceConfig, Plant, SignalConfig
from lineshaft.drivers.base import Point
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.errors import ConnectionFailed
from lineshaft.gateway.plan_waves import wave_point
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.samples import Quality
from lineshaft.simulator.bursts import EVERY_US, RATE, SAMPLES
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.servers.fleet import RESTART_US, Fleet

NOW = MONDAY + 8 * HOUR
SECOND = 1_000_000
FORMATS = {"int16": "h", "uint16": "H", "enum": "H", "int32": "i", "uint32": "I", "acc32": "I", "int64": "q",
           "uint64": "Q", "float32": "f", "float64": "d"}  # fmt: skip


@dataclass
class Served:
    """A factory behind its servers."""

    plant: Plant
    factory: Factory
    fleet: Fleet

    async def step(self, seconds: int = 1) -> Any:
        """Move on and show it."""
        frame = self.factory.advance_to(self.factory.now_us + seconds * SECOND)
        await self.fleet.show(frame)
        return frame

    def device(self, name: str) -> DeviceConfig:
        return next(device for device in self.plant.devices if device.id == name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    plant = demo_elsewhere(tmp_path_factory.mktemp("data"))
    factory = Factory(plant, MONDAY)
    factory.advance_to(NOW)
    async with Fleet(factory) as fleet:
        yield Served(plant, factory, fleet)


pytestmark = pytest.mark.asyncio(loop_scope="module")


def decoded(address: ModbusAddress, words: list[int], order: str) -> float | str:
    """Registers to a value, written down a second time from the protocol's documents."""
    order = address.order or order
    data = [struct.pack("<H" if order in ("BADC", "DCBA") else ">H", word) for word in words]
    if order in ("CDAB", "DCBA") and address.coding != "string":
        data.reverse()
    raw = b"".join(data)
    if address.coding == "string":
        return raw.rstrip(b"\0").decode()
    if address.bit is not None:
        width = (address.last_bit or address.bit) - address.bit + 1
        return int.from_bytes(raw, "big") >> address.bit & (1 << width) - 1
    if address.coding.startswith("bcd"):
        return int(raw.hex())
    if address.coding == "mod10k":
        return sum(int.from_bytes(raw[i : i + 2], "big") * 10_000 ** (1 - i // 2) for i in (0, 2))
    return struct.unpack(f">{FORMATS[address.coding]}", raw)[0]


async def modbus_value(client: AsyncModbusTcpClient, address: ModbusAddress, unit: int, order: str) -> float | str:
    at, size = address.register_, address.size
    if address.table == "coil":
        return float((await client.read_coils(at, count=1, device_id=unit)).bits[0])
    if address.table == "discrete":
        return float((await client.read_discrete_inputs(at, count=1, device_id=unit)).bits[0])
    read = client.read_holding_registers if address.table == "holding" else client.read_input_registers
    reply = await read(at, count=size, device_id=unit)
    assert not reply.isError(), (address, reply)
    return decoded(address, reply.registers, order)


def connection(device: DeviceConfig) -> Any:
    return device.connection


def modbus_client(device: DeviceConfig) -> AsyncModbusTcpClient:
    options = connection(device)
    framer = FramerType.RTU if options.framing == "rtu" else FramerType.SOCKET
    return AsyncModbusTcpClient("127.0.0.1", port=options.port, framer=framer, timeout=1, retries=0, reconnect_delay=0)


async def test_modbus_clients_read_the_model(served: Served) -> None:
    """pymodbus reads every Modbus signal of the plant, in all types and orders, as the model has it."""
    frame = await served.step()
    codings = set()
    for device in served.plant.devices:
        if device.driver != "modbus-tcp":
            continue
        async with modbus_client(device) as client:
            for signal in numbers_of(device):
                options = connection(device)
                raw = await modbus_value(client, signal.address, options.unit, options.order)
                expected = frame[f"{signal.asset}/{signal.name}"][-1]
                if not isinstance(raw, str):
                    raw = pytest.approx(raw * signal.scale + signal.offset, rel=1e-12)
                assert raw == expected, (device.id, signal.name)
                codings.add(signal.address.coding)
    assert codings > {"int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit", "string"}


async def test_opcua_clients_read_the_model(served: Served) -> None:
    """asyncua reads every OPC UA signal with value, type and source timestamp."""
    frame = await served.step()
    devices = [device for device in served.plant.devices if device.driver == "opcua"]
    async with Client(connection(devices[0]).url) as client:
        index = await client.get_namespace_index("urn:lineshaft:simulator")
        for device in devices:
            for signal in numbers_of(device):
                path = f"{signal.asset}/{signal.name}"
                data = await client.get_node(f"ns={index};s={path}").read_data_value()
                assert data.Value is not None
                assert data.Value.Value == frame[path][-1], path
                track = frame.tracks.get(path)
                stamp = served.factory.now_us if track is None else track.since(served.factory.now_us)
                assert data.SourceTimestamp is not None
                assert data.SourceTimestamp.replace(tzinfo=UTC) == datetime.fromtimestamp(stamp / 1e6, UTC), path


class Watcher:
    """Collects what a subscription pushes."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[Any] = asyncio.Queue()

    def datachange_notification(self, node: Node, val: Any, data: Any) -> None:
        self.got.put_nowait(val)


async def test_opcua_subscription_follows(served: Served) -> None:
    """A subscriber is told of each step's new value."""
    device = served.device("cnc-101")
    async with Client(connection(device).url) as client:
        index = await client.get_namespace_index("urn:lineshaft:simulator")
        watcher = Watcher()
        subscription = await client.create_subscription(50, watcher)
        await subscription.subscribe_data_change(client.get_node(f"ns={index};s=machining/line-1/cnc-101/power"))
        await asyncio.wait_for(watcher.got.get(), 5)
        frame = await served.step(7)
        value = await asyncio.wait_for(watcher.got.get(), 5)
        assert value == frame["machining/line-1/cnc-101/power"][-1]


async def test_bits_of_one_register_stand_apart(served: Served) -> None:
    """Status bits of a compressor agree with its state."""
    frame = await served.step()
    base = "utilities/compressed-air/compressor-1"
    state = frame[f"{base}/state"][-1]
    assert frame[f"{base}/running"][-1] == (state > 0)
    assert frame[f"{base}/loaded"][-1] == (state > 1)


async def test_unknown_register_is_an_error(served: Served) -> None:
    """A register beyond the device's last one is refused with a Modbus exception."""
    async with modbus_client(served.device("main-meter")) as client:
        assert (await client.read_input_registers(5000, count=2, device_id=1)).isError()


async def test_device_goes_offline_and_comes_back(served: Served) -> None:
    """The fault offline closes the device's port; taken back, it answers again with fresh values."""
    device = served.device("main-meter")
    number = served.factory.faults.inject("offline", device.id, served.factory.now_us).id
    await served.step()
    client = modbus_client(device)
    assert not await client.connect()
    served.factory.faults.take_back(number, served.factory.now_us)
    frame = await served.step()
    async with modbus_client(device) as client:
        value = await modbus_value(client, device.signals[0].address, 1, "ABCD")
    assert value == frame["utilities/metering/main-meter/voltage-l1"][-1]


async def test_one_unit_of_a_shared_port_goes_silent(served: Served) -> None:
    """Behind a transparent serial converter one meter can fail, which is silence, while the others answer."""
    number = served.factory.faults.inject("offline", "meter-line-2", served.factory.now_us).id
    await served.step()
    async with modbus_client(served.device("meter-line-1")) as client:
        with pytest.raises(ModbusException, match="No response"):
            await client.read_holding_registers(0, count=2, device_id=2)
        assert not (await client.read_holding_registers(0, count=2, device_id=1)).isError()
        served.factory.faults.take_back(number, served.factory.now_us)
        await served.step()
        assert not (await client.read_holding_registers(0, count=2, device_id=2)).isError()


async def test_two_meters_share_a_serial_line(served: Served) -> None:
    """Two devices of the plant on one serial port are read at the same time through one opening of it."""
    frame = await served.step()
    devices = [device for device in served.plant.devices if device.driver == "modbus-rtu"]
    drivers = [DRIVERS[device.driver].create(device.connection) for device in devices]
    await asyncio.gather(*(driver.connect() for driver in drivers))
    wanted = [tuple(Point(row, signal.address) for row, signal in enumerate(one.signals)) for one in devices]
    for _ in range(5):
        pairs = zip(drivers, wanted, strict=True)
        batches = await asyncio.gather(*(driver.read(points) for driver, points in pairs))
        for device, batch in zip(devices, batches, strict=True):
            signal = device.signals[0]
            value = batch.values[0] * signal.scale + signal.offset
            assert value == pytest.approx(frame[f"{signal.asset}/{signal.name}"][-1])
            assert set(batch.qualities.tolist()) == {Quality.GOOD}
    await asyncio.gather(*(driver.close() for driver in drivers))
    assert len(devices) == 2


async def test_connected_client_sees_the_outage(served: Served) -> None:
    """A client that is connected loses its connection when the server stops."""
    server = served.fleet.server_of("boiler-1")
    async with modbus_client(served.device("boiler-1")) as client:
        await server.stop()
        with pytest.raises(ModbusException):
            await client.read_holding_registers(0, count=1, device_id=1)
        assert not client.connected
    await server.start()


async def test_opcua_server_restarts(served: Served) -> None:
    """The fault restart takes the server away for ten seconds; it comes back with its nodes, values and no fault."""
    device = served.device("cnc-101")
    served.factory.faults.inject("restart", device.id, served.factory.now_us)
    await served.step()
    with pytest.raises(OSError, match="Connect call failed"):
        await Client(connection(device).url).connect()
    frame = await served.step(RESTART_US // SECOND)
    async with Client(connection(device).url) as client:
        index = await client.get_namespace_index("urn:lineshaft:simulator")
        value = await client.get_node(f"ns={index};s=machining/line-1/cnc-101/serial").read_value()
    assert value == frame["machining/line-1/cnc-101/serial"][-1]
    assert not list(served.factory.faults)


async def test_one_machine_is_lost_behind_the_opcua_server(served: Served) -> None:
    """An OPC UA device that is offline has bad nodes; its neighbours stay good, and it comes back."""
    number = served.factory.faults.inject("offline", "cnc-101", served.factory.now_us).id
    await served.step()
    async with Client(connection(served.device("cnc-101")).url) as client:
        index = await client.get_namespace_index("urn:lineshaft:simulator")
        nodes = [client.get_node(f"ns={index};s=machining/line-1/{cnc}/power") for cnc in ("cnc-101", "cnc-102")]
        lost = [(await node.read_data_value(raise_on_bad_status=False)).StatusCode for node in nodes]
        served.factory.faults.take_back(number, served.factory.now_us)
        frame = await served.step()
        assert await nodes[0].read_value() == frame["machining/line-1/cnc-101/power"][-1]
    assert [status.name for status in lost if status is not None] == ["BadNoCommunication", "Good"]


async def test_wrong_clock_shifts_source_timestamps(served: Served) -> None:
    """The fault clock-wrong moves one machine's timestamps by an hour, its values stay right."""
    device = served.device("cnc-101")
    number = served.factory.faults.inject("clock-wrong", device.id, served.factory.now_us).id
    await served.step()
    async with Client(connection(device).url) as client:
        index = await client.get_namespace_index("urn:lineshaft:simulator")
        stamps = [
            (await client.get_node(f"ns={index};s=machining/line-1/{cnc}/power").read_data_value()).SourceTimestamp
            for cnc in ("cnc-101", "cnc-102")
        ]
    served.factory.faults.take_back(number, served.factory.now_us)
    assert isinstance(stamps[0], datetime)
    assert isinstance(stamps[1], datetime)
    assert (stamps[0] - stamps[1]).total_seconds() == 3600


async def test_taken_port_is_said(served: Served) -> None:
    """A second factory at the same ports says which one is taken, and leaves none open."""
    second = Fleet(served.factory)
    with pytest.raises(ConnectionFailed, match="cannot listen on"):
        await second.__aenter__()
    assert not any(server.running for server in second.servers)


async def test_our_drivers_read_the_model(served: Served) -> None:
    """Lineshaft's own drivers read every signal of the machines that are asked, each with good quality."""
    frame = await served.step()
    asked = [device for device in served.plant.devices if device.driver not in ("mqtt", "webhook", "files", "replay")]
    assert len({device.driver for device in asked}) == 8
    for device in asked:
        driver = DRIVERS[device.driver].create(device.connection)
        await driver.connect()
        points = tuple(
            Point(row, signal.address, signal.datatype or Datatype.DOUBLE)
            for row, signal in enumerate(numbers_of(device))
        )
        batch = await driver.read(points)
        await driver.close()
        for row, signal in enumerate(numbers_of(device)):
            text = None if batch.texts is None else batch.texts[row]
            value = text if text is not None else pytest.approx(batch.values[row] * signal.scale + signal.offset)
            value = signal.map.get(value, value) if text is not None else value
            assert value == frame[f"{signal.asset}/{signal.name}"][-1], (device.id, signal.name)
        assert set(batch.qualities.tolist()) <= {Quality.GOOD}, device.id


async def test_our_driver_reads_the_bursts_of_the_monitor(served: Served) -> None:
    """Each waveform of the plant comes with its rate, the speed of its shaft, and the counts that the model made."""
    frame = await served.step()
    waves = [(device, signal) for device in served.plant.devices for signal in device.signals if is_wave(signal)]
    assert len(waves) == 4
    for device, signal in waves:
        driver = DRIVERS[device.driver].create(device.connection)
        await driver.connect()
        batch = await driver.read_waveform(wave_point(signal, 7, device))
        await driver.close()
        assert batch.qualities.tolist() == [Quality.GOOD]
        assert batch.waves is not None
        wave = batch.waves[0]
        assert (wave.rate, len(wave), wave.scale) == (RATE, SAMPLES, 0.02)
        if device.driver == "opcua":  # registers say no time
            assert served.factory.now_us - EVERY_US < batch.times[0] <= served.factory.now_us
        if signal.waveform.speed_address is not None:
            assert wave.speed == pytest.approx(frame[f"{signal.asset.rpartition('/')[0]}/motor/speed"][-1], rel=0.05)


def is_wave(signal: SignalConfig) -> bool:
    return signal.kind is SignalKind.WAVEFORM


def numbers_of(device: DeviceConfig) -> list[SignalConfig]:
    """The signals of a device that are one number or text."""
    return [signal for signal in device.signals if not is_wave(signal)]
