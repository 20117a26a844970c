"""`lineshaft oee propose --write`: a plant without the section gets one that can be used as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from lineshaft.cli import app
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError

DEMO = Path(__file__).parents[1] / "plants" / "demo"


def test_the_section_is_written_once_and_the_plant_loads(tmp_path: Path) -> None:
    """The demo without its section gets all machines and lines back; a second time nothing is written over."""
    plant = tmp_path / "plant"
    shutil.copytree(DEMO, plant, ignore=shutil.ignore_patterns("oee.yaml"))
    runner = CliRunner()
    first = runner.invoke(app, ["oee", "propose", str(plant), "--write"])
    assert first.exit_code == 0, first.output
    known, found = load_plant(DEMO, DRIVERS).oee, load_plant(plant, DRIVERS).oee
    assert {one.asset for one in known.machines} <= {one.asset for one in found.machines}
    assert [(one.path, one.flow) for one in found.lines] == [(one.path, one.flow) for one in known.lines]
    assert all((one.state, one.good, one.scrap) for one in found.machines if "cnc" in one.asset)

    written = (plant / "oee.yaml").read_bytes()
    (plant / "oee.yaml").write_text("\n".join(written.decode().splitlines()[:5]) + "\n")
    kept = (plant / "oee.yaml").read_bytes()
    again = runner.invoke(app, ["oee", "propose", str(plant), "--write"])
    assert isinstance(again.exception, ConfigError)
    assert again.exception.hint == "run it without --write and add what you want"
    assert (plant / "oee.yaml").read_bytes() == kept
