"""Models that the hub trains by itself, once there is enough history."""

from __future__ import annotations

from typing import Literal

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Id


class ModelConfig(Section):
    """An anomaly model of a class of assets: trained once by the hub, put on trial, and to use only by a person."""

    id: Id = key(..., "Name of the model.")
    type: str = key(..., "Class of assets, like pump.")
    features: tuple[str, ...] = key(..., "Signals below the asset that are judged.", min_length=1, max_length=40)
    operating: tuple[str, ...] = key((), "Signals that say the operation, like speed and load: compared within.")
    learn: Duration = key(1_209_600.0, "So much history is learned from.", unit="s", gt=0)
    judge: Duration = key(604_800.0, "So much newer history is held out, to judge the model by.", unit="s", gt=0)
    window: Duration = key(600.0, "Signals are averaged over so long.", unit="s", ge=1, le=86_400)
    method: Literal["baseline", "forecast"] = key("forecast", "Which of the two scores decides.")
    trial: bool = key(True, "Put it on trial once it is trained.")
    past: Duration = key(0.0, "On trial it also foretells so much of the held-out past.", unit="s", ge=0)
