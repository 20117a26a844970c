"""What the plant folder says about who uses a signal."""

from __future__ import annotations

from lineshaft.config.models import Plant
from lineshaft.hub.usage import uses_of_plant

PUMP = "hall/line/pump"
PLANT = {
    "plant": {"enterprise": "acme", "site": "north", "name": "North", "timezone": "Europe/Berlin"},
    "derived": [
        {"asset": PUMP, "name": "heat", "expression": "flow * 1.163", "inputs": {"flow": f"{PUMP}/flow"}},
        {"asset": PUMP, "name": "flow-rate", "rate": {"of": f"{PUMP}/volume", "per": "h"}},
    ],
}


def test_what_is_computed_of_a_signal_uses_it() -> None:
    """A formula and a rate name what they are made of; what nobody names is used by nobody."""
    source = uses_of_plant(Plant.model_validate(PLANT))
    site = "acme/north"
    (use,) = source(f"{site}/{PUMP}/flow")
    assert (use.kind, use.name, use.where) == ("computed", "heat", f"{site}/{PUMP}/heat")
    (rate,) = source(f"{site}/{PUMP}/volume")
    assert rate.name == "flow-rate"
    assert list(source(f"{site}/{PUMP}/other")) == []
