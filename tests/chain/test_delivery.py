"""Every sample that a device made is in the historian once, whatever is cut or killed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.chain.field import GOOD, Numbering, modbus
from tests.chain.harness import Chain, chain, wait_for
from tests.chain.recording import HEAD, PREFIX, Recording

RECORDING = Recording(signals=20, count=120_000, per_second=400)
"""Five minutes at its own pace: no computer is so slow that it ends before the last kill."""
OUTAGE = 60.0
GATEWAY = "gateway: {ledger_interval: 1s}\ndevices:\n"


def buffered(made: Chain) -> int:
    """Bytes in the gateway's disk buffer."""
    return sum(path.stat().st_size for path in (made.data / "buffer").rglob("*") if path.is_file())


def play(folder: Path, recording: Recording, speed: str, gateway: str = GATEWAY) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "recording.csv"
    recording.write(file)
    return HEAD + gateway + recording.device(file, speed)


def settled(made: Chain, total: int) -> bool:
    """The ledger knows of all samples and nothing is on its way."""
    rows = [row for path, row in made.ledger().items() if path.startswith(PREFIX)]
    return sum(row["expected"] or 0 for row in rows) == total and not any(row["pending"] for row in rows)


def hurry(made: Chain) -> None:
    """What is left of the recording comes at once, after one more kill of the gateway."""
    file = made.plant / "plant.yaml"
    made.gateway.kill()
    file.write_text(file.read_text().replace("speed: 1.0", "speed: max"))
    made.gateway.start()


@pytest.mark.slow
@pytest.mark.parametrize("mosquitto", [False, True], ids=["embedded", "mosquitto"])
def test_nothing_is_lost_or_doubled_by_an_outage_and_twenty_kills(tmp_path: Path, mosquitto: bool) -> None:
    """Broker gone for 60 s, gateway killed ten times in it, hub killed ten times after it: every record once."""
    plant = play(tmp_path / "source", RECORDING, "1.0")
    with chain(tmp_path / "chain", plant, mosquitto=mosquitto) as made:
        made.start()
        wait_for(lambda: made.arrived(PREFIX) > 1000, 60, "first records")
        made.stop_broker()
        cut = time.monotonic()
        for _ in range(10):
            before = buffered(made)
            wait_for(lambda before=before: buffered(made) > before + 2_000, 60, "records buffered in the outage")
            made.gateway.kill()
            made.gateway.start()
        wait_for(lambda: time.monotonic() > cut + OUTAGE, OUTAGE + 10, "a minute without a broker")
        made.start_broker()
        for _ in range(10):
            arrived = made.arrived(PREFIX)
            wait_for(lambda arrived=arrived: made.arrived(PREFIX) > arrived, 60, "records after the outage")
            made.hub.kill()
            made.hub.start()
        assert made.arrived(PREFIX) < RECORDING.count, "the recording ended before the last kill: nothing was proved"
        hurry(made)
        wait_for(lambda: made.arrived(PREFIX) >= RECORDING.count, 240, "all records", 0.5)
        wait_for(lambda: settled(made, RECORDING.count), 60, "ledger settled", 0.5)
        RECORDING.check(made.table(PREFIX))
        for path, row in made.ledger().items():
            if path.startswith(PREFIX):
                assert (row["arrived"], row["dropped"], row["unexplained"]) == (6_000, 0, 0), row


NUMBERED = """
  - id: plc
    driver: modbus-tcp
    asset: hall/line/machine
    connection: {{host: 127.0.0.1, port: {port}}}
    poll: 25ms
    timeout: 2s
    signals:
      - {{name: number, address: {{table: holding, register: 0, type: uint32}}, report: all}}
"""


@pytest.mark.slow
def test_every_answer_of_a_polled_device_is_stored_once(tmp_path: Path) -> None:
    """Ten kills of the gateway in an outage: only an answer that was on its way at a kill may be missing, and it
    is known which one; all others are stored once, in order."""
    device = Numbering()
    with modbus(device) as plc, chain(tmp_path / "chain", HEAD + GATEWAY + NUMBERED.format(port=plc.port)) as made:
        made.start()
        wait_for(lambda: made.arrived(PREFIX) > 50, 60, "first answers")
        made.stop_broker()
        in_flight: set[int] = set()
        for _ in range(10):
            before = device.answers
            wait_for(lambda before=before: device.answers > before + 40, 60, "answers in the outage", 0.01)
            made.gateway.kill()
            in_flight.add(device.answers)
            made.gateway.start()
        before = device.answers
        wait_for(lambda: device.answers > before + 40, 60, "answers after the last kill")
        made.start_broker()
        plc.stop()
        last = device.answers
        wait_for(lambda: made.arrived(PREFIX) >= last - len(in_flight), 60, "all answers")
        table = made.table(PREFIX).sort_by("time")
        numbers = [int(row["value"]) for row in table.to_pylist() if row["quality"] == GOOD]
        assert len(set(numbers)) == len(numbers), "answers stored twice"
        assert numbers == sorted(numbers), "times do not follow the order of the answers"
        assert set(range(1, last + 1)) - set(numbers) <= in_flight


@pytest.mark.slow
def test_buffer_at_its_bound_says_exactly_what_went(tmp_path: Path) -> None:
    """A full buffer drops the oldest samples, counts each in the ledger with its time, and raises an alarm event."""
    recording = Recording(signals=20, count=60_000, per_second=400)
    gateway = "gateway: {ledger_interval: 1s, buffer: {max_size: 600KB}}\ndevices:\n"
    plant = play(tmp_path / "source", recording, "400.0", gateway)
    with chain(tmp_path / "chain", plant) as made:
        made.broker.start()
        made.hub.start()
        made.sign_up()
        made.stop_broker()
        made.gateway.start()
        wait_for(lambda: "replay" in made.gateway.tail() or buffered(made) > 300_000, 60, "buffer filling")
        wait_for(lambda: "end" in made.gateway.tail() or buffered(made) < 2_000_000, 60, "bound")
        made.start_broker()
        wait_for(lambda: settled(made, recording.count), 120, "ledger settled", 0.5)
        rows = {path: row for path, row in made.ledger().items() if path.startswith(PREFIX)}
        dropped = sum(row["dropped"] for row in rows.values())
        assert dropped > 0
        assert all(row["unexplained"] == 0 for row in rows.values())
        stored = len(made.table(PREFIX))
        assert stored + dropped == recording.count
        assert stored == sum(row["arrived"] for row in rows.values())
        reasons = {drop["reason"] for row in rows.values() for drop in row["drops"]}
        assert reasons
        events = made.api.get("/events", params={"limit": 1000}).json()["items"]
        alarms = [event for event in events if event["kind"] == "buffer.dropped"]
        assert alarms
        assert alarms[0]["severity"] in ("critical", "high")
