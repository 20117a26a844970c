"""Real machine-days: every record of the files arrives, counted by a reader that knows nothing of ours."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.replay import ReplayConnection
from lineshaft.drivers.replay.describe import describe
from lineshaft.drivers.replay.recording import Recording
from lineshaft.model.samples import Quality

from . import recordings
from .recordings import ROOT, nist, points, rows

DAYS = (
    "Mazak03-20160505-20160506", "Mazak03-20190130-20190131", "Mazak01-20171115-20171116",
    "Hurco01-20170518-20170519", "GFAgie01-20160513-20160514", "Mazak01-20200513-20200514",
)  # fmt: skip
LOG = "${LINESHAFT_DATA:-../shared/data}/nist_sms/raw/Mazak03-20160505-20160506.txt.gz"


def _independent(path: Path) -> list[list[str]]:
    text = gzip.decompress(path.read_bytes()).decode()
    return list(csv.reader(io.StringIO(text), delimiter="|", quoting=csv.QUOTE_NONE))


def _micros(text: str) -> int:
    day, _, fraction = text.rstrip("Z").partition(".")
    return int(datetime.fromisoformat(day + "+00:00").timestamp()) * 10**6 + int(fraction[:6].ljust(6, "0"))


def test_all_machine_days_are_read_to_the_last_record() -> None:
    """19 files: the count per item is that of another reader, and no line is malformed."""
    files = sorted(nist("raw").glob("*.txt.gz"))
    assert len(files) == 19
    for path in files:
        overview = Recording(ReplayConnection(path=str(path))).overview()
        assert overview.counts == Counter(line[1] for line in _independent(path)), path.name
        assert overview.malformed.count == 0


@pytest.mark.parametrize("day", DAYS)
async def test_a_day_is_delivered_record_for_record(day: str) -> None:
    """Item, time to the microsecond, value and order are those of the file."""
    path = nist(f"raw/{day}.txt.gz")
    lines = _independent(path)
    items = sorted({line[1] for line in lines})
    driver = recordings.driver(path)
    played = await recordings.play(driver, points(items))
    got = rows([batch for _, batch in played])
    assert len(got) == len(lines)
    for (handle, time, value, quality, text), line in zip(got, lines, strict=True):
        assert (items[handle], time) == (line[1], _micros(line[0]))
        written = "|".join(line[2:]).rstrip("|") if len(line) > 3 else line[2]
        if written.upper() == "UNAVAILABLE":
            assert (quality, text) == (Quality.BAD_NO_VALUE, None)
        else:
            assert quality == Quality.GOOD
            assert text == written if text is not None else value == float(written)


async def test_backward_times_are_delivered_as_they_are() -> None:
    """The block that another clock stamped 2 min 24 s earlier is neither sorted nor moved."""
    path = nist("raw/Mazak03-20190130-20190131.txt.gz")
    items = sorted({line[1] for line in _independent(path)})
    played = await recordings.play(recordings.driver(path), points(items))
    times = [row[1] for row in rows([batch for _, batch in played])]
    back = [a - b for a, b in pairwise(times) if b < a]
    assert len(back) == 14
    assert max(back) > 138_000_000


def test_the_plant_is_what_the_model_and_the_log_say() -> None:
    """plants/nist names every item of the day, and is made by the program that it says."""
    log = str(nist("raw/Mazak03-20160505-20160506.txt.gz"))
    made = describe(nist("Devices.xml").read_text(), log, "Mazak03", "lab/turning/mazak-qt", 100.0)
    made["devices"][0]["connection"]["path"] = LOG
    assert yaml.safe_load((ROOT / "plants/nist/mazak.yaml").read_text()) == made


def test_the_plant_is_valid_and_complete() -> None:
    """It loads, and its 65 addresses are the items of the file."""
    plant = load_plant(ROOT / "plants" / "nist", DRIVERS)
    device = plant.devices[0]
    assert plant.pipeline.report == "all"
    assert plant.pipeline.heartbeat is None
    path = nist("raw/Mazak03-20160505-20160506.txt.gz")
    assert {signal.address.item for signal in device.signals} == {line[1] for line in _independent(path)}


def test_an_unknown_device_is_said() -> None:
    """The name of the device must be in the model."""
    with pytest.raises(ValueError, match="no device 'Lathe'"):
        describe("<Devices/>", str(nist("raw/Mazak03-20170628-20170629.txt.gz")), "Lathe", "a/b/c")
