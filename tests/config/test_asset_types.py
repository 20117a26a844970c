"""Asset types: what instances inherit."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineshaft.config.instances import builtin_types, library
from lineshaft.config.load import load_plant
from lineshaft.config.models import LimitsConfig, Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError
from lineshaft.gateway.plan import make_plan
from lineshaft.model.equipment import Attribute

PLANT = """
plant: {{enterprise: acme, site: works, name: Works, timezone: Europe/Berlin}}
types:
  - id: oven
    extends: machine
    attributes:
      rated_power: {{unit: kW, description: On the plate.}}
      top: {{unit: degC, default: 200}}
    signals:
      - {{name: power, limits: {{high: 1.1 * rated_power}}, decimals: 1, description: Of the type.}}
      - {{name: heat, limits: {{high: top - 20, high_high: top}}, range: [0, 400]}}
    computed:
      - {{name: load, expression: 100 * power / rated_power, inputs: {{power: power}}, unit: "%"}}
  - id: tunnel-oven
    extends: oven
    signals:
      - {{name: heat, limits: {{high: 150}}}}
equipment:
  - {{id: oven-1, type: oven, aliases: [O-17], attributes: {{rated_power: 40, maker: Heat Ltd}}}}
  - {{id: oven-2, type: oven}}
  - {{id: oven-3, type: tunnel-oven, attributes: {attributes}}}
devices:
  - id: plc
    driver: modbus-tcp
    connection: {{host: 127.0.0.1}}
    asset: oven-1
    signals:
      - {{name: power, address: "input:0", unit: kW, description: Own words.}}
      - {{name: heat, address: "input:1", unit: degC, limits: {{low: 5}}}}
      - {{name: power, asset: oven-2, address: "input:2", unit: kW}}
      - {{name: heat, asset: oven-2, address: "input:3", unit: degC}}
      - {{name: power, asset: oven-3, address: "input:4", unit: kW}}
      - {{name: heat, asset: oven-3, address: "input:5", unit: degC}}
"""


def loaded(folder: Path, attributes: str = "{rated_power: 10}") -> Plant:
    (folder / "plant.yaml").write_text(PLANT.format(attributes=attributes))
    return load_plant(folder, DRIVERS)


def test_signals_inherit_what_they_do_not_say_themselves(tmp_path: Path) -> None:
    """Limits by formula over attributes, ranges and words; own keys win; a missing attribute is no limit."""
    plant = loaded(tmp_path)
    signals = {f"{one.asset}/{one.name}": one for one in plant.devices[0].signals}
    power = signals["oven-1/power"]
    assert power.limits.high == pytest.approx(44.0)
    assert (power.description, power.decimals) == ("Own words.", 1)
    assert signals["oven-1/heat"].limits == LimitsConfig(low=5.0)
    assert signals["oven-1/heat"].range == (0.0, 400.0)
    assert signals["oven-2/power"].limits == LimitsConfig()
    assert signals["oven-2/power"].description == "Of the type."
    assert signals["oven-2/heat"].limits == LimitsConfig(high=180.0, high_high=200.0)
    assert signals["oven-3/power"].limits.high == pytest.approx(11.0)
    assert signals["oven-3/heat"].limits == LimitsConfig(high=150.0)


def test_metrics_are_made_where_everything_is_there(tmp_path: Path) -> None:
    """Each instance with the inputs and the attributes gets the metric; the others do without."""
    made = {f"{one.asset}/{one.name}": one.expression for one in loaded(tmp_path).derived}
    assert made == {"oven-1/load": "100 * power / 40.0", "oven-3/load": "100 * power / 10.0"}


def test_the_platform_learns_the_data_sheet(tmp_path: Path) -> None:
    """Aliases and attributes, with units, words and defaults, are part of the equipment that a gateway announces."""
    equipment = {node.path: node for node in make_plan(loaded(tmp_path)).equipment}
    oven = equipment["acme/works/oven-1"]
    assert oven.aliases == ("O-17",)
    assert oven.attributes == (
        Attribute("maker", "Heat Ltd", "", "Who made it."),
        Attribute("rated_power", 40.0, "kW", "On the plate."),
        Attribute("top", 200.0, "degC"),
    )


def test_limits_that_an_instance_turns_round_are_refused(tmp_path: Path) -> None:
    """Attributes that make limits descend are named with the equipment."""
    plant = loaded(tmp_path, "{rated_power: 10}")
    assert plant.devices
    (tmp_path / "more.yaml").write_text("edge_rules: []\n")
    text = (tmp_path / "plant.yaml").read_text().replace("top - 20, high_high: top", "top + 20, high_high: top")
    (tmp_path / "plant.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"oven-2/heat: the limit high \(220\).*not below high_high \(200\)"):
        load_plant(tmp_path, DRIVERS)


def test_the_types_that_come_along_are_described() -> None:
    """Every built-in type has a title, and each of its attributes words."""
    for one in builtin_types():
        assert one.title, one.id
        assert all(attribute.description for attribute in one.attributes.values()), one.id
    assert {"pump", "motor", "compressor", "cnc"} <= library(()).keys()
