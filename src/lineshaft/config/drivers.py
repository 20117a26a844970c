"""What the configuration layer needs to know of drivers, so that it can check their options without importing them."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel


class DriverSchema(Protocol):
    """The typed options of a driver; drivers.base.DriverSpec is one."""

    @property
    def name(self) -> str:
        """What plant files say."""
        ...

    @property
    def connection(self) -> type[BaseModel]:
        """Model of `connection:`."""
        ...

    @property
    def waveforms(self) -> Literal["no", "counted", "bare", "told"]:
        """Whether it gives bursts of samples, and whether these come with their number and their rate."""
        ...

    @property
    def address(self) -> type[BaseModel]:
        """Model of a signal's `address:`."""
        ...

    @property
    def writes(self) -> bool:
        """Whether values can be written with it."""
        ...
