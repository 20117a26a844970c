"""What a comparison answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class MetricView(BaseModel):
    """What can be compared: a signal by its name below the asset, or a figure of an app."""

    id: str
    title: str
    unit: str
    kind: Literal["measure", "counter", "figure"]
    assets: int
    better: Literal["low", "high"]


class ComparedAsset(BaseModel):
    """Somebody who is compared."""

    path: str
    name: str
    where: list[str]


class CompareChoices(BaseModel):
    """Types with how many of each, and what the chosen assets have in common."""

    types: dict[str, int]
    usual: str = Field(
        description="the type that tells most, to open a page with; '' when a type or assets are asked for"
    )
    assets: list[ComparedAsset]
    metrics: list[MetricView]


class ComparedRow(BaseModel):
    """One place of the ranking."""

    path: str
    name: str
    where: list[str]
    assets: int = Field(description="that are counted together")
    value: float | None = Field(description="mean over the matched time")
    low: float | None = Field(description="95 % confidence interval; null: too little to say")
    high: float | None
    spread: float | None
    quantiles: list[float | None] = Field(description="5, 25, 50, 75 and 95 %")
    points: list[float] = Field(description="some of the bucket values, for a strip")
    hours: float = Field(description="matched")
    hours_known: float = Field(description="in which the metric was known at all")
    independent: float = Field(description="how many independent values the matched time is worth")
    verdict: Literal["best", "clear", "unclear", "too little"]
    probability: float | None = Field(description="of such a difference to the best by chance")
    signals: list[int]


class ProductView(BaseModel):
    """A product that was made in the period, and by how many of those that are compared."""

    name: str
    hours: float
    assets: int


class SettingView(BaseModel):
    """What differs at the best one."""

    kind: Literal["setting", "sheet", "measured"]
    name: str
    unit: str
    best: str
    others: str
    size: float
    signals: list[int]


class Comparison(BaseModel):
    """A ranking, what it was matched by, and what differs at the best one."""

    metric: MetricView
    better: Literal["low", "high"]
    step_seconds: float
    rows: list[ComparedRow]
    products: list[ProductView]
    matched_products: list[str] | None = Field(description="null: not matched by product")
    load: MetricView | None
    band: tuple[float, float] | None = Field(description="of the load in which all were; null: not matched by load")
    best: str | None = Field(description="path; null: nothing can be said")
    settings: list[SettingView]
