"""The order, the counts and the types of B2MML 6 documents as we know them from MESA's published schemas.

This is a statement of our own, for the messages that we write and read: an element that neither uses is named, so that
order holds, but not described. It is no replacement for MESA's files, which are in no package that tests can install.
The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from lxml import etree

NAMESPACE: Final = "http://www.mesa.org/xml/B2MML-V0600"
_SCOPE = "Location? HierarchyScope?"
_CLASSES = "MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*"
_NEEDED = "RequiredByRequestedSegmentResponse?"

# name of a type -> its elements in order; ? none or one, * any number; after a colon the type where the name is not it
SHAPES: Final = {
    "ProductionPerformance": f"ID? Description* {_SCOPE} PublishedDate? ProductionScheduleID? StartTime? EndTime?"
    " EquipmentElementLevel? ProductionResponse* PerformanceState?",
    "ProductionResponse": f"ID? ProductionRequestID? ProductProductionRuleID* {_SCOPE} StartTime? EndTime?"
    " SegmentResponse* ResponseState?",
    "SegmentResponse": f"ID? ProcessSegmentID* ProductSegmentID* Description* {_SCOPE} ActualStartTime? ActualEndTime?"
    " ProductionData*:Data PersonnelActual*:Open EquipmentActual* PhysicalAssetActual*:Open MaterialActual*:Open"
    " MaterialProducedActual* MaterialConsumedActual*:Open ConsumableActual*:Open SegmentResponse*"
    f" {_NEEDED} SegmentState?",
    "Data": f"ID Description* Value* {_NEEDED}",
    "EquipmentActual": f"EquipmentClassID* EquipmentID* Description* {_SCOPE} Quantity* EquipmentActualProperty*:Open"
    f" {_NEEDED}",
    "MaterialProducedActual": f"{_CLASSES} {_SCOPE} Quantity* MaterialProducedActualProperty*:Open {_NEEDED}",
    "OperationsPerformance": "ID? Description* HierarchyScope? OperationsType? OperationsScheduleID? StartTime?"
    " EndTime? PerformanceState? PublishedDate? OperationsResponse*",
    "OperationsResponse": "ID? Description* HierarchyScope? OperationsType? OperationsRequestID* StartTime? EndTime?"
    " OperationsDefinitionID* ResponseState? SegmentResponse*:OpSegmentResponse",
    "OpSegmentResponse": "ID? Description* HierarchyScope? OperationsType? ProcessSegmentID* ActualStartTime?"
    " ActualEndTime? OperationsDefinitionID* SegmentState? SegmentData*:Data PersonnelActual*:Open"
    " EquipmentActual*:OpEquipment PhysicalAssetActual*:Open MaterialActual*:OpMaterial"
    f" SegmentResponse*:OpSegmentResponse {_NEEDED}",
    "OpEquipment": f"EquipmentClassID* EquipmentID* Description* EquipmentUse? Quantity* HierarchyScope?"
    f" EquipmentActualProperty*:Open {_NEEDED}",
    "OpMaterial": f"{_CLASSES} MaterialUse? StorageLocation? Quantity* AssemblyActual*:OpMaterial AssemblyType?"
    f" AssemblyRelationship? HierarchyScope? MaterialActualProperty*:Open {_NEEDED}",
    "ProductionSchedule": f"ID? Description* {_SCOPE} PublishedDate? StartTime? EndTime? EquipmentElementLevel?"
    " ProductionRequest* ScheduleState?",
    "ProductionRequest": f"ID? Description* ProductProductionRuleID* {_SCOPE} StartTime? EndTime? Priority?"
    " SegmentRequirement* SegmentResponse* RequestState?",
    "SegmentRequirement": f"ID? ProductSegmentID? ProcessSegmentID? Description* {_SCOPE} EarliestStartTime?"
    " LatestEndTime? Duration? ProductionParameter*:Open PersonnelRequirement*:Personnel"
    " EquipmentRequirement* PhysicalAssetRequirement*:Open MaterialRequirement*:Open"
    " MaterialProducedRequirement* MaterialConsumedRequirement*:Open ConsumableExpectedRequirement*:Open"
    f" SegmentRequirement* {_NEEDED} SegmentState?",
    "Personnel": f"PersonnelClassID* PersonID* Description* {_SCOPE} Quantity*",
    "EquipmentRequirement": f"EquipmentClassID* EquipmentID* Description* {_SCOPE} Quantity*",
    "MaterialProducedRequirement": f"{_CLASSES} {_SCOPE} Quantity*",
    "OperationsSchedule": "ID? Description* HierarchyScope? OperationsType? StartTime? EndTime? ScheduleState?"
    " PublishedDate? OperationsRequest*",
    "OperationsRequest": "ID? Description* HierarchyScope? OperationsType? StartTime? EndTime? Priority?"
    " OperationsDefinitionID? RequestState? SegmentRequirement*:OpSegmentRequirement SegmentResponse*:Open",
    "OpSegmentRequirement": "ID? Description* HierarchyScope? OperationsType? ProcessSegmentID? EarliestStartTime?"
    " LatestEndTime? Duration? OperationsDefinitionID? SegmentState? SegmentParameter*:Open PersonnelRequirement*:Open"
    " EquipmentRequirement*:Open PhysicalAssetRequirement*:Open MaterialRequirement*:OpMaterial"
    f" SegmentRequirement*:OpSegmentRequirement {_NEEDED}",
    "Value": "ValueString DataType? UnitOfMeasure? Key?",
    "Quantity": "QuantityString DataType? UnitOfMeasure? Key?",
    "HierarchyScope": "EquipmentID EquipmentElementLevel? HierarchyScope?",
}
ROOTS: Final = ("ProductionPerformance", "OperationsPerformance", "ProductionSchedule", "OperationsSchedule")
_TIMES = ("Time", "Date")


@cache
def schema() -> etree.XMLSchema:
    """As an XML Schema."""
    text = [
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}" targetNamespace="{NAMESPACE}"'
        ' elementFormDefault="qualified">',
        '<xs:complexType name="Open"><xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded" processContents="skip"/>'
        "</xs:sequence></xs:complexType>",
        '<xs:simpleType name="Text"><xs:restriction base="xs:token"><xs:minLength value="1"/></xs:restriction>'
        "</xs:simpleType>",
        '<xs:simpleType name="Number"><xs:restriction base="xs:double"><xs:pattern value="[-+0-9.eE]+"/>'
        "</xs:restriction></xs:simpleType>",
    ]
    for name, shape in SHAPES.items():
        parts = "".join(map(_element, shape.split()))
        text.append(f'<xs:complexType name="{name}"><xs:sequence>{parts}</xs:sequence></xs:complexType>')
    text += [f'<xs:element name="{name}" type="{name}"/>' for name in ROOTS]
    return etree.XMLSchema(etree.fromstring("\n".join((*text, "</xs:schema>")).encode()))


def _element(part: str) -> str:
    word, _, kind = part.partition(":")
    name = word.rstrip("?*")
    kind = kind or (name if name in SHAPES else _simple(name))
    least = "1" if name == word else "0"
    most = "unbounded" if word.endswith("*") else "1"
    return f'<xs:element name="{name}" type="{kind}" minOccurs="{least}" maxOccurs="{most}"/>'


def _simple(name: str) -> str:
    if name.endswith(_TIMES):
        return "xs:dateTime"
    return "Number" if name in ("ValueString", "QuantityString") else "xs:duration" if name == "Duration" else "Text"


def problems(document: str) -> list[str]:
    """What is wrong with a document; empty when nothing is."""
    parsed = etree.fromstring(document.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    return [] if schema().validate(parsed) else [str(one.message) for one in schema().error_log]
