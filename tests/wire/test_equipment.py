"""The equipment tree in a birth."""

from __future__ import annotations

import pytest

from lineshaft.errors import DataError
from lineshaft.model.equipment import Attribute, Equipment, Level
from lineshaft.wire.equipment import decode_equipment, encode_equipment

SHEET = (Attribute("rated_power", 11.5, "kW"), Attribute("bearing", "6310", "", "Drive end."))


def test_the_tree_comes_back_as_it_was() -> None:
    """What a gateway announces, the hub reads as the same nodes."""
    tree = (
        Equipment("acme", "ACME", Level.ENTERPRISE),
        Equipment("acme/north/pump-1", "Pumpe 1", Level.ASSET, "pump", "Kühlwasser", ("P-7",), SHEET),
    )
    assert decode_equipment(encode_equipment(tree)) == tree


@pytest.mark.parametrize("text", ["", "7", "[7]", '[{"path":"a"}]', '[{"path":"a","name":"b","level":"planet"}]'])
def test_a_malformed_tree_is_a_data_error(text: str) -> None:
    """A tree that cannot be read is refused with a typed error."""
    with pytest.raises(DataError):
        decode_equipment(text)
