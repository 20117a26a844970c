"""The Sparkplug B protobuf schema, built at run time from a table (no generated code to keep in step)."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "org.eclipse.tahu.protobuf"

# message -> fields "name=number type [repeated] [in oneof]"; a type that is a message's name refers to it.
# Numbers: Eclipse Sparkplug specification 3.0, section 6.4 (payload definition).
_SCALARS = (
    "int_value={0} uint32 one; long_value={1} uint64 one; float_value={2} float one; double_value={3} double one; "
    "boolean_value={4} bool one; string_value={5} string one"
)
_MESSAGES: dict[str, str] = {
    "DataSetValue": _SCALARS.format(*range(1, 7)),
    "Row": "elements=1 DataSetValue many",
    "DataSet": "num_of_columns=1 uint64; columns=2 string many; types=3 uint32 many; rows=4 Row many",
    "PropertyValue": "type=1 uint32; is_null=2 bool; propertyset_value=9 PropertySet one; "
    "propertysets_value=10 PropertySetList one; " + _SCALARS.format(*range(3, 9)),
    "PropertySet": "keys=1 string many; values=2 PropertyValue many",
    "PropertySetList": "propertyset=1 PropertySet many",
    "Parameter": "name=1 string; type=2 uint32; " + _SCALARS.format(*range(3, 9)),
    "Template": "version=1 string; metrics=2 Metric many; parameters=3 Parameter many; template_ref=4 string; "
    "is_definition=5 bool",
    "MetaData": "is_multi_part=1 bool; content_type=2 string; size=3 uint64; seq=4 uint64; file_name=5 string; "
    "file_type=6 string; md5=7 string; description=8 string",
    "Metric": "name=1 string; alias=2 uint64; timestamp=3 uint64; datatype=4 uint32; is_historical=5 bool; "
    "is_transient=6 bool; is_null=7 bool; metadata=8 MetaData; properties=9 PropertySet; bytes_value=16 bytes one; "
    "dataset_value=17 DataSet one; template_value=18 Template one; " + _SCALARS.format(*range(10, 16)),
    "Payload": "timestamp=1 uint64; metrics=2 Metric many; seq=3 uint64; uuid=4 string; body=5 bytes",
}


@cache
def message_class(name: str) -> Any:
    """The protobuf class of `Payload`, `Metric` or another message of the schema."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_file().SerializeToString())
    return pool


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package=_PACKAGE, syntax="proto2")
    field = descriptor_pb2.FieldDescriptorProto
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for text in fields.split(";"):
            spec, type_name, *options = text.split()
            field_name, number = spec.split("=")
            entry = message.field.add(name=field_name, number=int(number))
            entry.label = field.LABEL_REPEATED if "many" in options else field.LABEL_OPTIONAL
            if type_name in _MESSAGES:
                entry.type = field.TYPE_MESSAGE
                entry.type_name = f".{_PACKAGE}.{type_name}"
            else:
                entry.type = getattr(field, f"TYPE_{type_name.upper()}")
            if "one" in options:
                if not message.oneof_decl:
                    message.oneof_decl.add(name="value")
                entry.oneof_index = 0
    return file
