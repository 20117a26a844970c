"""XML Schemas of the MTConnect documents, of our own, with the names of a peer's model."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from lxml import etree
from tests.drivers.mtconnect.model import Model, load

FOLDER = Path(__file__).parent
ORGANIZERS = frozenset(
    ("Adapters", "Auxiliaries", "Axes", "Controllers", "Interfaces", "Materials", "Parts", "Processes", "Resources")
) | {"Structures", "Systems"}
"""Components that only hold others; the model knows them by the singular."""
VECTORS = frozenset({"PathPosition"})
Kind = Literal["Devices", "Streams", "Error"]


@cache
def schema(kind: Kind, version: str = "2.0") -> etree.XMLSchema:
    """The schema of one document of a version of the standard."""
    text = (FOLDER / f"{kind.lower()}.xsd").read_text(encoding="utf-8")
    changed = "required" if tuple(int(part) for part in version.split(".")) >= (1, 7) else "optional"
    names = "" if kind == "Error" else "\n".join(_components(load()) if kind == "Devices" else _observations(load()))
    for place, words in (("@VERSION@", version), ("@CHANGED@", changed), ("@NAMES@", names)):
        head, _, body = text.partition("-->")  # the comment names the places
        text = head + "-->" + body.replace(place, words)
    return etree.XMLSchema(etree.fromstring(text.encode(), base_url=f"{FOLDER}/{kind.lower()}.xsd"))


def problems(kind: Kind, document: bytes, version: str = "2.0") -> list[str]:
    """What is wrong with a document; empty when nothing is."""
    checked = schema(kind, version)
    parsed = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    return [] if checked.validate(parsed) else [str(one.message) for one in checked.error_log]


def _components(model: Model) -> Iterable[str]:
    names = (model.components | ORGANIZERS) - {"Component", "Device", "Agent"}
    return (f'<xs:element name="{name}" type="Named" substitutionGroup="Component"/>' for name in sorted(names))


def _observations(model: Model) -> Iterable[str]:
    samples, events = model.observations["SAMPLE"] - {"Sample"}, model.observations["EVENT"] - {"Event"}
    for name in sorted(samples):
        kind = "VectorSample" if name in VECTORS else "FloatSample"
        yield f'<xs:element name="{name}" type="{kind}" substitutionGroup="Sample"/>'
        yield f'<xs:element name="{name}TimeSeries" type="SeriesSample" substitutionGroup="Sample"/>'
    for name in sorted(events - samples):
        yield f'<xs:element name="{name}" type="TextEvent" substitutionGroup="Event"/>'
        yield f'<xs:element name="{name}Discrete" type="TextEvent" substitutionGroup="Event"/>'
    for name in sorted(events):
        yield f'<xs:element name="{name}DataSet" type="SetEvent" substitutionGroup="Event"/>'
