"""What a plant file says about a recording and about one item in it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration


class ReplayConnection(Section):
    """Which recording is played, and how."""

    path: str = key(..., "The recording; .gz is unpacked. ${NAME} and ${NAME:-default} take an environment variable.")
    format: Literal["auto", "shdr", "csv", "parquet"] = key(
        "auto", "shdr: MTConnect adapter log. auto: by the file's name (.csv, .parquet, else shdr)."
    )
    speed: float | Literal["max"] = key(
        1.0, "1: at its own pace; 100: a hundred times faster; max: as fast as the chain takes it."
    )
    times: Literal["original", "shifted"] = key(
        "original",
        "original: the recorded times; shifted: its first moment becomes the start of the replay.",
    )
    repeat: bool = key(False, "Begin again at the end, without a pause; needs times: shifted.")
    time_column: str = key("time", "CSV and Parquet: column with the time.")
    signal_column: str = key("signal", "CSV and Parquet in long form: column with the item's name.")
    value_column: str = key("value", "CSV and Parquet in long form: column with the value.")
    time_unit: Literal["s", "ms", "us", "ns"] = key("s", "Unit of times that are plain numbers since 1970.")
    max_gap: Duration = key(86_400.0, "A longer pause in the recording is cut to this.", unit="s", gt=0)

    @field_validator("speed")
    @classmethod
    def _speed(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 0 < value <= 1e6:
            raise ValueError("speed is a number above 0 and up to 1000000, or max")
        return value

    @model_validator(mode="after")
    def _shifted_has_a_pace(self) -> ReplayConnection:
        if self.times == "shifted" and self.speed == "max":
            raise ValueError("times: shifted needs a speed that is a number")
        if self.repeat and self.times != "shifted":
            raise ValueError("repeat needs times: shifted, or each round would have the times of the first")
        return self


class ReplayAddress(Section):
    """One item of the recording; its name alone may stand for the whole."""

    item: str = key(..., "Name of the data item, column or signal in the recording.", min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"item": value} if isinstance(value, str) else value
