"""What the MTConnect standard knows, out of classes that another author generated from its SysML model (pymtconnect).

Names of components and observations, units, controlled words, and attributes of headers; the order of elements is
what the schemas beside it say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from tests import pypi

MODEL = "pymtconnect==1.0.1"
_ASK = """
import enum, importlib, inspect, json, pathlib, pymtconnect
root = pathlib.Path(pymtconnect.__file__).parent

def names(folder):
    return sorted(file.stem for file in (root / "Classes" / folder).glob("*.py") if file.stem != "__init__")

def words(name):
    module = importlib.import_module(f"pymtconnect.Enums.DataTypes.{name}")
    return [member.value for member in getattr(module, name)]

def attributes(folder, name):
    module = importlib.import_module(f"pymtconnect.Classes.{folder}.{name}")
    found = set()
    for parent in getattr(module, name).__mro__:
        found |= set(getattr(parent, "__annotations__", {}))
    return sorted(found)

enums = {file.stem: words(file.stem) for file in (root / "Enums" / "DataTypes").glob("*Enum.py")}
print(json.dumps({
    "components": names("ComponentTypes") + names("Components"),
    "events": names("EventTypes"), "samples": names("SampleTypes"), "conditions": names("ConditionTypes"),
    "enums": enums,
    "headers": {kind: attributes(f"MTConnect{kind}ResponseDocument", "Header") for kind in ("Devices", "Streams")},
}))
"""


@dataclass(frozen=True)
class Model:
    """Names and words of the standard."""

    components: frozenset[str]
    observations: dict[str, frozenset[str]]  # category -> names of classes
    enums: dict[str, frozenset[str]]
    headers: dict[str, frozenset[str]]


@cache
def load() -> Model:
    """Ask the package, in a process of its own. Raises RuntimeError when it cannot be installed."""
    folder = pypi.install("pymtconnect", MODEL)
    asked = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if asked.returncode:
        raise RuntimeError(asked.stderr[-500:])
    found = json.loads(asked.stdout)
    observations = {"EVENT": found["events"], "SAMPLE": found["samples"], "CONDITION": found["conditions"]}
    return Model(
        frozenset(found["components"]),
        {category: frozenset(names) for category, names in observations.items()},
        {name: frozenset(words) for name, words in found["enums"].items()},
        {kind: frozenset(names) for kind, names in found["headers"].items()},
    )
