"""The data sheet of a vibration sensor as the hub knows it, and its samples in one unit."""

from __future__ import annotations

from lineshaft.analytics.vibration.units import is_acceleration
from lineshaft.config import units
from lineshaft.config.vibration_sheet import Sheet, read_sheet
from lineshaft.config.waveforms import ACCELERATION, quantity
from lineshaft.hub.api.services import Services
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.model.samples import Float64Array


def sheet_of(parts: Services, one: CataloguedSignal) -> Sheet:
    """What the data sheet of its asset says of a vibration sensor."""
    asset, _, name = one.path.rpartition("/")
    _, nodes = parts.state.catalogue.equipment()
    node = next((node for node in nodes if node.path == asset), None)
    return read_sheet(name, {line.name: line.value for line in node.attributes} if node is not None else {})


def in_known_unit(values: Float64Array, unit: str) -> tuple[Float64Array, str]:
    """The samples in m/s2 where the unit is any acceleration that plants may use; else as they are."""
    if not is_acceleration(unit) and quantity(unit) == "acceleration":
        return values * units.factor(unit, ACCELERATION)[0], ACCELERATION
    return values, unit
