"""Equipment and signals as JSON."""

from __future__ import annotations

from dataclasses import asdict

from lineshaft.hub.commands import bounds_of
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.model.equipment import Equipment


def node_view(node: Equipment) -> dict[str, object]:
    """A node as `EquipmentView` describes it."""
    return {
        "path": node.path,
        "name": node.name,
        "level": node.level,
        "type": node.type,
        "parent": node.parent,
        "description": node.description,
        "aliases": node.aliases,
        "attributes": [asdict(one) for one in node.attributes],
    }


def signal_view(one: CataloguedSignal) -> dict[str, object]:
    """A signal as `SignalView` describes it."""
    signal, born = one.born.signal, one.born
    limits = signal.limits
    return {
        "id": one.id,
        "path": signal.path,
        "asset": signal.asset,
        "name": signal.name,
        "kind": signal.kind,
        "unit": signal.unit,
        "datatype": signal.datatype,
        "decimals": signal.decimals,
        "low": signal.low,
        "high": signal.high,
        "limits": {
            "low_low": limits.low_low,
            "low": limits.low,
            "high": limits.high,
            "high_high": limits.high_high,
        },
        "states": dict(signal.states),
        "description": signal.description,
        "source": {"node": born.node, "device": born.device, "address": born.address},
        "write": bounds_of(one),
    }
