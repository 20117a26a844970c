"""A serial port for an event loop; pyserial's own reads after a select(), which takes no file above number 1023."""

from __future__ import annotations

import os
import sys

import serial  # type: ignore[import-untyped]  # pyserial ships no types

serial.protocol_handler_packages.append(__package__)  # it imports protocol_<scheme> of a port that is written as URL


def never_waiting(port: str) -> str:
    """How pymodbus is told of `port`, so that its reads go through `Serial` of this module."""
    return port if sys.platform == "win32" or "://" in port else f"nowait://{port}"


def serial_class_for_url(url: str) -> tuple[str, type[Serial]]:
    """Called by pyserial: port and class of nowait:///dev/ttyUSB0."""
    return url.partition("://")[2], Serial


class Serial(serial.Serial):  # type: ignore[misc]
    """Reads what has arrived. For use when the event loop has seen that there is something."""

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes. Raises SerialException when the device is gone."""
        try:
            data = os.read(self.fd, size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise serial.SerialException(f"read failed: {error}") from error
        if not data:
            raise serial.SerialException("the device is gone")
        return data
