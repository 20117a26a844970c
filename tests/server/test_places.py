"""Where a plant's devices are once it runs: on other ports, and with its folders filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.simulator.helpers import DEMO, demo

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.hub.broker import edge_account, sensor_account
from lineshaft.server.context import local_topics
from lineshaft.server.moves import move, own_ports
from lineshaft.server.places import put_in_place
from lineshaft.simulator.devices import simulated

PLANT = demo()


def connection(plant: Plant, device: str) -> Any:
    return next(one.connection for one in plant.devices if one.id == device)


def test_data_and_plant_stand_for_their_folders(tmp_path: Path) -> None:
    """${data} and ${plant} in a connection become the folders; what has neither stays as it is."""
    plant = put_in_place(PLANT, DEMO, tmp_path)
    assert connection(plant, "gas-meter").port == f"{tmp_path}/simulated/rs485-meters"
    assert connection(plant, "hall-sensors").password_file == f"{tmp_path}/gateway-1.password"
    assert Path(connection(plant, "parts-washer").path).is_file()
    assert connection(plant, "main-meter") is connection(PLANT, "main-meter")


def test_devices_follow_their_servers_to_other_ports() -> None:
    """Moving a first port moves every simulated device that counts from it, and no other; MQTT follows the broker."""
    moved = move(PLANT, {"simulator.machine_port": 30_000, "hub.broker_port": 30_900})
    assert connection(moved, "press-301").port == 30_000
    assert connection(moved, "cnc-203").url == "http://127.0.0.1:30003"
    assert connection(moved, "coolant-mixer").port == 30_006
    assert connection(moved, "hall-sensors").url == "mqtt://127.0.0.1:30900"
    assert connection(moved, "main-meter") == connection(PLANT, "main-meter")
    assert connection(moved, "cnc-101") == connection(PLANT, "cnc-101")
    assert all(simulated(moved, device) for device in moved.devices if device.driver != "replay")


def test_all_ports_are_known_before_the_start() -> None:
    """Every port on which something of the demo listens is looked at before it starts."""
    ports = own_ports(PLANT, with_simulator=True)
    assert ports["simulator.machine_port"] == tuple(range(15_120, 15_128))
    assert 15_021 in ports["simulator.modbus_port"]
    assert set(own_ports(PLANT, with_simulator=False)) == {"hub.port", "hub.broker_port"}
    with pytest.raises(ConfigError, match="no port that can be moved"):
        move(PLANT, {"simulator.nonsense": 1})


def test_rights_of_sensors_at_the_own_broker() -> None:
    """Sensors may publish on their topics alone, and the gateway may hear these beside its own commands."""
    topics = local_topics(PLANT)
    assert topics == ("sensors/hall-air/machining", "sensors/hall-air/assembly")
    sensors, gateway = sensor_account("simulator", topics), edge_account("gateway-1", "weiler", "gateway-1", topics)
    assert (sensors.publish, sensors.receive) == (topics, ())
    assert set(topics) < set(gateway.receive)
    assert not set(topics) & set(gateway.publish)
    foreign = PLANT.model_copy(update={"hub": PLANT.hub.model_copy(update={"broker": "mqtt://other:1883"})})
    assert local_topics(foreign) == ()
