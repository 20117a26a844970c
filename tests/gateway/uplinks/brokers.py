"""Mosquitto with TLS as a cloud has it: certificates required, rights by certificate, bounds on size and QoS."""

from __future__ import annotations

import getpass
from pathlib import Path

from tests.gateway.uplinks.pki import Authority
from tests.hub.mqtt import Mosquitto
from tests.ports import free_port


class TlsMosquitto(Mosquitto):
    """`tls_port` asks for a certificate; `port` is without one, for the test itself."""

    def __init__(
        self, folder: Path, authority: Authority, *, acl: str = "", more: str = "", listener: str = ""
    ) -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        certificate, key = authority.issue("broker", "localhost", "127.0.0.1")
        (folder / "rights").write_text(acl or "topic readwrite #\n")
        (folder / "rights").chmod(0o600)
        self._config.write_text(
            f"user {getpass.getuser()}\n"
            "per_listener_settings true\n"
            "persistence false\nmax_queued_messages 0\n"
            f"{more}"
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"listener {self.tls_port} 127.0.0.1\n"
            f"certfile {certificate}\nkeyfile {key}\ncafile {authority.ca}\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
            f"acl_file {folder / 'rights'}\n{listener}"
        )
