"""Every error that Lineshaft raises on purpose; the type tells the caller what to do.

LineshaftError
|-- ConfigError          a plant folder or an option is wrong: refuse it, keep what runs
|-- RetryableError       try again with back-off
|   |-- ConnectionFailed     the peer cannot be reached or hung up
|   |-- PeerTimeout          the peer did not answer in time
|   `-- StoreUnavailable     the historian or the state database does not take data now
|-- PermanentError       trying again changes nothing until a person acts
|   |-- AccessDenied         wrong password, certificate or right
|   |-- AddressInvalid       the device has no such register, node or item
|   |-- Unsupported          the device or the protocol cannot do this
|   `-- WriteRefused         the device did not take a value
|       |-- NotWritable          nothing can be written there, or not by us
|       `-- OutOfRange           the value does not fit into the place
|-- DataError            one message or file is malformed: count it, drop it, go on
`-- BufferFull           the disk buffer is at its bound and may not drop
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class LineshaftError(Exception):
    """Base of all errors raised on purpose. `hint` says what a person can do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration: where it is, what is wrong, what would be right."""

    file: str
    line: int
    key: str
    value: str
    message: str
    allowed: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: {self.key}"
        if self.value:
            text += f" = {self.value}"
        text += f": {self.message}"
        if self.allowed:
            text += f" (allowed: {self.allowed})"
        return text


class ConfigError(LineshaftError):
    """A plant folder or an option is wrong. `problems` lists every mistake that was found."""

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.problems)])


class RetryableError(LineshaftError):
    """Try again with back-off."""


class ConnectionFailed(RetryableError):
    """The peer cannot be reached or hung up."""


class PeerTimeout(RetryableError):
    """The peer did not answer in time."""


class StoreUnavailable(RetryableError):
    """The historian or the state database does not take data now."""


class PermanentError(LineshaftError):
    """Trying again changes nothing until a person acts."""


class AccessDenied(PermanentError):
    """Wrong password, certificate or right."""


class AddressInvalid(PermanentError):
    """The device has no such register, node or item."""


class Unsupported(PermanentError):
    """The device or the protocol cannot do this."""


class WriteRefused(PermanentError):
    """The device did not take a value."""


class NotWritable(WriteRefused):
    """Nothing can be written there, or not by us."""


class OutOfRange(WriteRefused):
    """The value does not fit into the place where it shall go."""


class DataError(LineshaftError):
    """One message or file is malformed: count it, drop it, go on."""


class BufferFull(LineshaftError):
    """The disk buffer is at its bound and may not drop."""
