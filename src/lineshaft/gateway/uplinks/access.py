"""Reads the small files that an uplink signs in with: passwords, tokens, keys and certificates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from lineshaft.config.uplinks import TlsConfig
from lineshaft.errors import ConfigError


class TlsFiles(TypedDict, total=False):
    """The options of BrokerAccess about certificates."""

    ca_file: str
    cert_file: str
    key_file: str


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one uplink; relative paths are below the gateway's data folder."""

    uplink: str
    root: Path

    def path(self, name: str) -> str:
        """Where a file is; '' stays ''."""
        return str(self.root / name) if name else ""

    def secret(self, name: str, what: str) -> str:
        """The text of a small file without white space around it; '' for no file. Raises ConfigError."""
        if not name:
            return ""
        try:
            text = (self.root / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"uplink {self.uplink}: the {what} cannot be read: {error}") from error
        if not text:
            raise ConfigError(f"uplink {self.uplink}: the {what} {name} is empty")
        return text

    def tls(self, config: TlsConfig | None) -> TlsFiles:
        """Where the certificates are."""
        if config is None:
            return {}
        return {
            "ca_file": self.path(config.ca_file),
            "cert_file": self.path(config.cert_file),
            "key_file": self.path(config.key_file),
        }
