"""What people install: the wheel, in a clean environment, without the source, node or the internet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path

import httpx
import psutil
import pytest
from tests.turns import turn

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of an environment that has the wheel; its dependencies are those of the developer's environment."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "clean", with_pip=True)
    python = place / "clean" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True)
    library = Path(sysconfig.get_path("purelib", vars={"base": str(place / "clean")}))
    ours = sysconfig.get_path("purelib")
    # Not as a .pth file: that would find the checkout by its editable installation.
    (library / "dependencies.pth").write_text(f"{ours}\n")
    return place / "clean" / "bin"


def environment() -> dict[str, str]:
    """Without node, without the checkout."""
    return {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}


def test_package_is_the_wheel_and_knows_its_plants(installed: Path, tmp_path: Path) -> None:
    """The command comes from the installed package, which brings its plants, profiles and page."""
    code = (
        "import lineshaft, pathlib\n"
        "place = pathlib.Path(lineshaft.__file__).parent\n"
        "print(place, (place / 'web' / 'static' / 'index.html').exists())\n"
    )
    done = subprocess.run(
        [installed / "python", "-c", code], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    where, page = done.stdout.split()
    assert Path(where).is_relative_to(installed.parent)
    assert page == "True"
    check = subprocess.run(
        [installed / "lineshaft", "check", "demo"], env=environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr
    assert str(installed.parent) in check.stdout


@turn("demo")
def test_demo_serves_its_page(installed: Path, tmp_path: Path) -> None:
    """`lineshaft demo` of the installed package ends at a page."""
    plant = tmp_path / "small"
    shutil.copytree(ROOT / "plants" / "demo", plant)
    (plant / "plant.yaml").write_text((plant / "plant.yaml").read_text().replace("history: 30d", "history: 1h"))
    output = tmp_path / "out"
    command = [installed / "lineshaft", "demo", str(plant), "--data", str(tmp_path / "data")]
    with output.open("wb") as file:
        demo = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment(), cwd=tmp_path)
    try:
        deadline = time.monotonic() + 240
        while "Open http" not in output.read_text():
            assert demo.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.2)
        address = output.read_text().partition("Open ")[2].partition("/setup")[0]
        assert '<div id="root"' in httpx.get(f"{address}/", timeout=20).text
        parts = psutil.Process(demo.pid).children(recursive=True)
    finally:
        demo.terminate()
        demo.wait(60)
    assert not psutil.wait_procs(parts, timeout=60)[1]
