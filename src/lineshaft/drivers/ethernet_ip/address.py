"""The name of a tag, with members, indexes and a bit."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key

FORMS: Final = "Speed, Program:Main.Tag, Axis[3].Position, Matrix[1,2], Status.5 (bit 5), Local:1:I.Data.3"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]{0,39}"
_INDEX: Final = r"(?:\[\d{1,9}(?:,\d{1,9}){0,2}\])?"
_TAG: Final = re.compile(
    rf"(?:Program:{_NAME}\.)?{_NAME}(?::[A-Za-z0-9_]+){{0,2}}{_INDEX}(?:\.{_NAME}{_INDEX})*(?:\.(?P<bit>\d{{1,2}}))?"
)
_LAST_INDEX: Final = re.compile(r"(?P<array>.*)\[(?P<index>\d+)\]")


class TagAddress(Section):
    """One tag; its name alone may stand for the whole."""

    tag: str = key(..., "Name as the controller's program has it: Program:Main.Axis[3].Position, Status.5 for a bit.")

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"tag": value} if isinstance(value, str) else value

    @field_validator("tag")
    @classmethod
    def _tag(cls, value: str) -> str:
        match = _TAG.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"'{value}' is not the name of a tag; allowed forms: {FORMS}")
        if match["bit"] and int(match["bit"]) > 63:
            raise ValueError("a bit is 0 to 63")
        return value.strip()

    def below(self, prefix: str) -> TagAddress:
        """The same tag below a structure or a program, whose name ends with a dot; itself when there is none."""
        return TagAddress(tag=prefix + self.tag) if prefix else self

    @property
    def bit(self) -> int | None:
        """The bit at the end, None when there is none."""
        last = self.tag.rpartition(".")[2]
        return int(last) if last.isdecimal() else None

    @property
    def whole(self) -> str:
        """The name without the bit."""
        return self.tag if self.bit is None else self.tag.rpartition(".")[0]

    @property
    def element(self) -> tuple[str, int] | None:
        """Array and index when the name ends with one index, as that of an element of a BOOL array does."""
        match = _LAST_INDEX.fullmatch(self.tag)
        return (match["array"], int(match["index"])) if match else None
