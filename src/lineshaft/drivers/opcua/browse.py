"""What an OPC UA server has: objects and variables below a node, with type, unit and description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineshaft.drivers.base import Browsed
from lineshaft.drivers.opcua.options import OpcuaAddress
from lineshaft.drivers.opcua.session import Session
from lineshaft.drivers.opcua.stack import NodeId, ua
from lineshaft.errors import AddressInvalid
from lineshaft.model.equipment import Datatype

_CLASSES = ua.NodeClass.Object | ua.NodeClass.Variable
_TYPES: dict[int, Datatype] = {
    1: Datatype.BOOLEAN,
    2: Datatype.INT8,
    3: Datatype.UINT8,
    4: Datatype.INT16,
    5: Datatype.UINT16,
    6: Datatype.INT32,
    7: Datatype.UINT32,
    8: Datatype.INT64,
    9: Datatype.UINT64,
    10: Datatype.FLOAT,
    11: Datatype.DOUBLE,
    12: Datatype.STRING,
    13: Datatype.DATETIME,
    14: Datatype.STRING,  # Guid
    21: Datatype.STRING,  # LocalizedText
    26: Datatype.DOUBLE,  # Number
    290: Datatype.DOUBLE,  # Duration
    294: Datatype.DATETIME,  # UtcTime
}
"""Data type nodes of namespace 0 -> the type that the driver delivers."""


_ROWS = (0, 1)
"""ValueRank of one or more dimensions, and of one (OPC 10000-3, 5.6.2)."""


async def browse(session: Session, parent: str) -> Sequence[Browsed]:
    """Children of `parent` along hierarchical references. Raises AddressInvalid, and the library's errors."""
    if parent:
        node = session.node_id(OpcuaAddress(node=parent))
        if node is None:
            raise AddressInvalid(f"the server has no namespace of {parent}")
    else:
        node = ua.NodeId(ua.ObjectIds.ObjectsFolder)
    children = (await _children(session, [node], ua.ObjectIds.HierarchicalReferences))[0]
    ids = [
        ua.NodeId(child.NodeId.Identifier, child.NodeId.NamespaceIndex, child.NodeId.NodeIdType) for child in children
    ]
    if not ids:
        return ()
    has_children = [bool(found) for found in await _children(session, ids, ua.ObjectIds.HierarchicalReferences)]
    types = await session.read_attributes(ids, ua.AttributeIds.DataType)
    ranks = await session.read_attributes(ids, ua.AttributeIds.ValueRank)
    texts = await session.read_attributes(ids, ua.AttributeIds.Description)
    units = await _units(session, ids)
    return tuple(
        Browsed(
            address=session.address_of(node),
            name=child.DisplayName.Text or child.BrowseName.Name or "",
            datatype=_TYPES.get(_identifier(kind)) if child.NodeClass == ua.NodeClass.Variable else None,
            unit=units[index],
            has_children=has_children[index],
            description=str(getattr(_value(text), "Text", None) or ""),
            array=_value(rank) in _ROWS,
        )
        for index, (child, node, kind, rank, text) in enumerate(zip(children, ids, types, ranks, texts, strict=True))
    )


async def _children(session: Session, nodes: Sequence[NodeId], reference: int) -> list[list[Any]]:
    """References of each node, continuation points followed. Raises AddressInvalid for an unknown first node."""
    found: list[list[Any]] = []
    library = session.client.uaclient.session
    for start in range(0, len(nodes), session.nodes_per_browse):
        parameters = ua.BrowseParameters()
        parameters.NodesToBrowse = [
            _description(node, reference) for node in nodes[start : start + session.nodes_per_browse]
        ]
        for node, result in zip(nodes[start:], await library.browse(parameters), strict=False):
            if result.StatusCode.is_bad() and len(nodes) == 1:
                raise AddressInvalid(f"{session.address_of(node)}: {result.StatusCode.name}")
            references = list(result.References or ())
            while result.ContinuationPoint:
                more = ua.BrowseNextParameters()
                more.ContinuationPoints = [result.ContinuationPoint]
                result = (await library.browse_next(more))[0]
                references += result.References or ()
            found.append([r for r in references if r.NodeClass & _CLASSES])
    return found


def _description(node: NodeId, reference: int) -> Any:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=ua.NodeId(reference),
        IncludeSubtypes=True,
        NodeClassMask=_CLASSES,
        ResultMask=ua.BrowseResultMask.All,
    )


async def _units(session: Session, nodes: Sequence[NodeId]) -> list[str]:
    """Text of the EngineeringUnits property of each node, '' where it has none."""
    units = [""] * len(nodes)
    paths = [_property(node, "EngineeringUnits") for node in nodes]
    targets: list[tuple[int, NodeId]] = []
    for start in range(0, len(paths), session.nodes_per_browse):
        part = paths[start : start + session.nodes_per_browse]
        results = await session.client.uaclient.session.translate_browsepaths_to_nodeids(part)
        for index, result in enumerate(results, start):
            if result.StatusCode.is_good() and result.Targets:
                target = result.Targets[0].TargetId
                targets.append((index, ua.NodeId(target.Identifier, target.NamespaceIndex, target.NodeIdType)))
    values = await session.read_attributes([node for _, node in targets], ua.AttributeIds.Value)
    for (index, _), value in zip(targets, values, strict=True):
        units[index] = str(getattr(getattr(_value(value), "DisplayName", None), "Text", None) or "")
    return units


def _property(node: NodeId, name: str) -> Any:
    element = ua.RelativePathElement(
        ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasProperty),
        IsInverse=False,
        IncludeSubtypes=True,
        TargetName=ua.QualifiedName(name, 0),
    )
    return ua.BrowsePath(StartingNode=node, RelativePath=ua.RelativePath(Elements=[element]))


def _value(data: Any) -> Any:
    return data.Value.Value if data.Value is not None else None


def _identifier(data: Any) -> int:
    node = _value(data)
    return node.Identifier if isinstance(node, ua.NodeId) and node.NamespaceIndex == 0 else -1
