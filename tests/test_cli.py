"""The command line as people use it: real processes, real exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLANTS = Path(__file__).parents[1] / "plants"
COMMANDS = (
    "demo",
    "up",
    "gateway",
    "hub",
    "simulate",
    "check",
    "fault",
    "doctor",
    "tags",
    "schema",
    "diagnose",
    "rul",
    "anomaly",
)
SMALL = """
plant: {enterprise: acme, site: works, name: Works, timezone: UTC}
equipment: [{id: pump-1, type: pump}]
devices:
  - id: pump-1
    driver: modbus-tcp
    connection: {host: 127.0.0.1, port: 1, timeout: 1s}
    asset: pump-1
    signals: [{name: flow, address: "input:0", unit: m3/h}]
hub: {port: 0, broker_port: 0}
"""


def lineshaft(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LINESHAFT")} | more
    command = [sys.executable, "-m", "lineshaft", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "plant.yaml").write_text(SMALL)
    return tmp_path / "small"


def test_help_is_quick_and_complete() -> None:
    """`lineshaft --help` names every command and the exit codes, and takes less than 0.3 s of the processor."""
    spent = []
    for _ in range(3):  # the best of three: a busy computer charges for what others push out of its caches
        before = os.times()
        done = lineshaft("--help")
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    for command in COMMANDS:
        assert f"  {command} " in done.stdout
    assert "Exit codes" in done.stdout
    assert min(spent) < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    """Every command has a help text."""
    done = lineshaft(command, "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 4


def test_check_of_a_good_plant(small: Path) -> None:
    """A good plant is confirmed with what is in it, for people and for programs."""
    done = lineshaft("check", str(small))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 devices, 1 signals" in done.stdout
    answer = json.loads(lineshaft("check", str(small), "--json").stdout)
    assert answer["ok"]
    assert answer["signals"] == 1


def test_check_of_a_wrong_plant(small: Path) -> None:
    """Every mistake is named with its file and line; the exit code is 2; no traceback."""
    (small / "plant.yaml").write_text(SMALL.replace("m3/h", "kwh").replace("asset: pump-1", "asset: pump-2"))
    done = lineshaft("check", str(small))
    assert done.returncode == 2
    assert "plant.yaml:8  devices[pump-1].asset = pump-2" in done.stderr
    assert "did you mean kWh?" in done.stderr
    assert "Traceback" not in done.stderr
    answer = json.loads(lineshaft("check", str(small), "--json").stdout)
    assert [problem["line"] for problem in answer["problems"]] == [8, 9]


def test_unknown_plant_and_command(tmp_path: Path) -> None:
    """What does not exist is said in words, with what there is; the exit code is 2."""
    done = lineshaft("check", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no plant folder 'nowhere'" in done.stderr
    assert "demo" in done.stderr
    assert lineshaft("chek").returncode == 2


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """With --debug, and only then, Python's traceback is shown."""
    assert "Traceback" in lineshaft("--debug", "check", "nowhere", cwd=tmp_path).stderr


def test_no_colour_in_a_pipe(small: Path) -> None:
    """Output that is not a terminal's has no control characters, even where colour is forced off only by NO_COLOR."""
    done = lineshaft("check", str(small), NO_COLOR="1")
    assert "\x1b" not in done.stdout


def test_tags_of_a_plant_folder(small: Path) -> None:
    """Signals are listed without any running part."""
    rows = json.loads(lineshaft("tags", str(small), "--json").stdout)
    assert [(row["path"], row["unit"]) for row in rows] == [("acme/works/pump-1/flow", "m3/h")]
    assert "no signal matches" in lineshaft("tags", str(small), "wibble").stderr


def test_tags_of_a_hub_that_does_not_run(small: Path, tmp_path: Path) -> None:
    """A hub that cannot be reached is exit code 3."""
    (small / "plant.yaml").write_text(SMALL.replace("port: 0, broker", "port: 1, broker"))
    done = lineshaft("tags", str(small), "--live", "--data", str(tmp_path / "data"))
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr


def test_schema_is_json_schema() -> None:
    """The schema names itself and the sections of a plant."""
    schema = json.loads(lineshaft("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"plant", "equipment", "devices", "gateway", "hub"} <= set(schema["properties"])


def test_doctor_finds_what_is_wrong(small: Path, tmp_path: Path) -> None:
    """The doctor names the device that cannot be reached and how to mend it; a broken part is exit code 1."""
    done = lineshaft("doctor", str(small), "--data", str(tmp_path / "data"), "--json")
    found = {check["part"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert found["python"]["state"] == found["plant"]["state"] == "pass"
    assert found["device pump-1"]["state"] == "fail"
    assert found["device pump-1"]["mend"]
    assert not (tmp_path / "data").exists()  # looking changes nothing


def test_fault_without_simulator(small: Path) -> None:
    """Faults belong to a plant with a simulator."""
    done = lineshaft("fault", "list", "--plant", str(small))
    assert done.returncode == 2
    assert "no simulator section" in done.stderr


def test_missing_extra_is_named(small: Path, tmp_path: Path) -> None:
    """A part whose libraries are not installed says which extra to install; the exit code is 5."""
    code = (
        "import sys\n"
        "for name in ('amqtt', 'clickhouse_connect', 'fastapi', 'uvicorn', 'sqlalchemy', 'alembic', 'argon2'):\n"
        "    sys.modules[name] = None\n"
        "from lineshaft.cli import main\n"
        f"sys.argv = ['lineshaft', 'up', {str(small)!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 5
    assert 'pip install "lineshaft[hub]"' in done.stderr


def test_busy_port_is_refused(small: Path, tmp_path: Path) -> None:
    """`up` does not start on a port that another program has; it says which program."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = lineshaft("up", str(small), "--data", str(tmp_path / "data"), "--port", str(port))
    assert done.returncode == 2
    assert f"port {port} (hub.port) is in use by" in done.stderr
