"""The OPC UA library as we use it: untyped, because its names are re-exported in a way that strict checking refuses."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

ua: Any = import_module("asyncua.ua")
Client: Any = import_module("asyncua.client.client").Client
security_policies: Any = import_module("asyncua.crypto.security_policies")
CertProperties: Any = import_module("asyncua.crypto.uacrypto").CertProperties
Buffer: Any = import_module("asyncua.common.utils").Buffer
struct_from_binary: Any = import_module("asyncua.ua.ua_binary").struct_from_binary

NodeId: TypeAlias = Any
"""asyncua.ua.NodeId"""
