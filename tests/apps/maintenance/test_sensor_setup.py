"""The plant file of a vibration sensor that somebody sets up on the page."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lineshaft.apps.maintenance.sensor_setup import sensor_files
from lineshaft.config.vibration import VibrationSensorConfig
from lineshaft.errors import DataError

PATH = "hall/pump 7/burst"
BY_HAND = f"vibration_sensors:\n  - {{signal: {PATH}, bearing: 6205}}\n"


def test_one_file_for_the_sensor_that_says_what_was_chosen() -> None:
    """What is empty is left out; the file is found again when the sensor is set up anew."""
    keys = {"machine": "pump", "bearing": "SKF 6205-2RS", "zones": "3: pump, separate driver, rigid", "unit": "",
            "geometry": None, "speed_range": [900.0, 3600.0], "teeth": None, "interval": "10min"}  # fmt: skip
    ((name, text),) = sensor_files(PATH, keys, {}, "anna").items()
    assert name == "vibration-hall-pump-7-burst.yaml"
    assert text.startswith("# Vibration sensor hall/pump 7/burst, set up by anna.")
    (item,) = yaml.safe_load(text)["vibration_sensors"]
    config = VibrationSensorConfig.model_validate(item, context={"written": True})
    assert (config.signal, config.bearing, config.speed_range) == (PATH, "SKF 6205-2RS", (900.0, 3600.0))
    assert (config.interval, config.unit) == (600.0, "")
    assert sensor_files(PATH, keys, {name: BY_HAND}, "anna") == {name: text}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"bearing": "6205", "orders": [3, 5, 2, 0.4]}, "one of bearing, geometry and orders"),
        ({"geometry": [9, 39.0, 7.9]}, "geometry: a bearing has 3 or more elements"),
        ({"bering": "6205"}, "bering: "),
        ({"speed": -5}, "speed: "),
        ({"interval": 5}, "interval: a duration is a number and a unit"),
        ({"signal": "other"}, "the signal is named by the address"),
    ],
)
def test_what_is_no_sensor_is_refused_in_words(keys: dict[str, Any], words: str) -> None:
    """The key and the reason are named."""
    with pytest.raises(DataError, match=words):
        sensor_files(PATH, keys, {}, "anna")


def test_a_sensor_that_a_hand_written_file_describes_is_changed_there() -> None:
    """Nothing is described twice; a file that cannot be read is the gateway's business."""
    with pytest.raises(DataError, match="own describes this sensor already"):
        sensor_files(PATH, {"bearing": "6205"}, {"own": BY_HAND}, "anna")
    assert sensor_files(PATH, {"bearing": "6205"}, {"own.yaml": "vibration_sensors: [", "b.yaml": BY_HAND[:30]}, "")
