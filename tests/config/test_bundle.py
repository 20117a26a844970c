"""A plant folder as one bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineshaft.config.bundle import MAX_BYTES, difference, digest, read_bundle, refuse_odd, write_bundle
from lineshaft.errors import ConfigError

FILES = {"plant.yaml": "plant: {}\n", "profiles/meter.yaml": "id: meter\r\n# ü\n"}


def test_a_folder_goes_out_and_comes_back_byte_by_byte(tmp_path: Path) -> None:
    """What was written is read again, line ends included; files that the bundle lacks go, others stay."""
    (tmp_path / "old.yaml").write_text("devices: []\n")
    (tmp_path / "recording.csv").write_text("1,2\n")
    write_bundle(tmp_path, FILES)
    assert read_bundle(tmp_path) == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"plant.yaml", "profiles", "recording.csv"}


def test_the_digest_names_the_content() -> None:
    """The order of files means nothing; each name and each byte does."""
    assert digest(dict(reversed(FILES.items()))) == digest(FILES)
    assert digest({**FILES, "plant.yaml": "plant: {} \n"}) != digest(FILES)
    assert digest({"a.yaml": "b", "c.yaml": ""}) != digest({"a.yaml": "", "c.yaml": "b"})


@pytest.mark.parametrize("name", ["../plant.yaml", "/etc/x.yaml", "a/b.yaml", "profiles/../x.yaml", ".x.yaml", "x.txt"])
def test_a_name_cannot_lead_out_of_the_folder(name: str) -> None:
    """Anything but a YAML file of the folder or its profiles is refused by name."""
    with pytest.raises(ConfigError) as wrong:
        refuse_odd({name: ""})
    assert wrong.value.problems[0].file == name
    refuse_odd(FILES)
    with pytest.raises(ConfigError, match="too large"):
        refuse_odd({"plant.yaml": "#" * (MAX_BYTES + 1)})


def test_a_difference_counts_lines() -> None:
    """Changed, new and removed files are told; equal ones are not."""
    new = {"plant.yaml": "plant: {}\nhub: {}\n", "more.yaml": "a: 1\n"}
    changes = {change.name: change for change in difference(FILES, new)}
    assert {name: (one.added, one.removed) for name, one in changes.items()} == {
        "plant.yaml": (1, 0),
        "more.yaml": (1, 0),
        "profiles/meter.yaml": (0, 2),
    }
    assert "+hub: {}" in changes["plant.yaml"].lines
    assert difference(FILES, FILES) == ()
