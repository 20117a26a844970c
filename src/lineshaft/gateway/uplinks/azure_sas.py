"""Shared access signatures: short-lived passwords that an Azure IoT Hub device makes from its key."""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import quote

from lineshaft.errors import ConfigError


def shared_access_signature(resource: str, key: str, expiry: int) -> str:
    """The token for `resource` (like contoso.azure-devices.net/devices/press-1) until `expiry` (UTC seconds).

    key: the device's primary or secondary key, Base64. Raises ConfigError when it is not.
    """
    try:
        secret = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(
            "the shared access key is not Base64", hint="Copy the key, not the connection string."
        ) from error
    name = quote(resource, safe="")
    digest = hmac.digest(secret, f"{name}\n{expiry}".encode(), "sha256")
    signature = quote(base64.b64encode(digest), safe="")
    return f"SharedAccessSignature sr={name}&sig={signature}&se={expiry}"
