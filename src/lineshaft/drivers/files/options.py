"""What a plant file says about a folder of files and about one series in them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration


class FilesConnection(Section):
    """Which folder, and how its files are built."""

    folder: str = key(..., "Folder that files come into; those in folders below it are not read.", min_length=1)
    pattern: str = key("*", "Names that are read, like press-*.csv; * stands for anything.", min_length=1)
    format: Literal["auto", "csv", "parquet"] = key(
        "auto", "auto: by the name, .csv, .csv.gz and .parquet; others are left alone."
    )
    finished: Literal["remember", "move"] = key(
        "remember",
        "remember: files stay, and are read in the order of their times; move: a read file goes to done_folder.",
    )
    done_folder: str = key(
        "done", "Folder below the folder for files that were read; failed ones go to failed beside it."
    )
    scan: Duration = key(2.0, "How often the folder is looked at.", unit="s", gt=0)
    settle: Duration = key(2.0, "A file is read when it has not changed for so long.", unit="s", ge=0)
    time_column: str = key("time", "Column with the time.")
    signal_column: str = key("signal", "Long form: column with the item's name.")
    value_column: str = key("value", "Long form: column with the value.")
    time_unit: Literal["s", "ms", "us", "ns"] = key("s", "Unit of times that are plain numbers since 1970.")
    delimiter: str = key(",", "CSV: between two cells, like ; or tab.", min_length=1)
    decimal: Literal[".", ","] = key(".", "CSV: decimal point or comma.")
    encoding: Literal["utf-8", "latin-1", "utf-16"] = key("utf-8", "CSV: how characters are written.")

    @field_validator("delimiter")
    @classmethod
    def _one(cls, value: str) -> str:
        found = "\t" if value == "tab" else value
        if len(found) != 1 or found in '"\r\n':
            raise ValueError("a delimiter is one character, or tab")
        return found

    @field_validator("done_folder", "pattern")
    @classmethod
    def _inside(cls, value: str) -> str:
        if "/" in value or "\\" in value or value in (".", ".."):
            raise ValueError("is a name inside the folder, without /")
        return value

    @model_validator(mode="after")
    def _differ(self) -> FilesConnection:
        if self.delimiter == self.decimal:
            raise ValueError("delimiter and decimal cannot be the same")
        return self


class FilesAddress(Section):
    """One series in the files; its name alone may stand for the whole."""

    item: str = key(..., "Column (wide form), or name in the signal column (long form).", min_length=1)
    file: str = key("*", "Only files whose names fit, like press-1-*.csv.")

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"item": value} if isinstance(value, str) else value
