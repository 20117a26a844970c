"""Bodies of requests to the OEE routes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lineshaft.hub.api.models import Body


class Span(Body):
    """A time of a machine, UTC microseconds, end not included."""

    start: int = Field(ge=0, le=2**62)
    end: int = Field(ge=0, le=2**62)


class GivenReason(Span):
    """One reason for one span."""

    reason: str = Field(max_length=64, description="id of a reason of the tree; '' takes back what was said")
    comment: str = Field("", max_length=2000)


class Reasoning(Body):
    """Why a machine stood. Several spans with their own reasons split a stop; one over several stops joins them."""

    machine: str = Field(max_length=512)
    reasons: list[GivenReason] = Field(min_length=1, max_length=50)
    open: bool = Field(False, description="the machine still stands: the last one holds until it runs again")
    key: str = Field(
        min_length=8, max_length=40, pattern="^[A-Za-z0-9-]+$",
        description="made by who enters it, so that an entry that is sent twice counts once",
    )  # fmt: skip


class ConfirmedCycle(Body):
    """An ideal cycle that a person stands for."""

    machine: str = Field(max_length=512)
    product: str = Field(max_length=128, description="'' where the machine does not say what it makes")
    seconds: float = Field(gt=0, le=86_400 * 7, allow_inf_nan=False)


class Order(Span):
    """An order of the plan: planned start and end."""

    id: str = Field(min_length=1, max_length=128)
    path: str = Field(max_length=512, description="line or machine: path, path below the site, or name")
    product: str = Field(min_length=1, max_length=128)
    quantity: float = Field(gt=0, le=1e12, allow_inf_nan=False)
    cycle: float | None = Field(None, gt=0, le=86_400 * 7, description="ideal seconds of a part, for this order alone")
    crew: str = Field("", max_length=128)


class Moment(Body):
    """When an order began or ended."""

    at: int | None = Field(None, ge=0, le=2**62, description="UTC microseconds, not in the future; now when absent")
    finish_running: bool = Field(False, description="end what is running there")


class Orders(Body):
    """A plan: orders are added, those with a known id replaced."""

    items: list[Order] = Field(min_length=1, max_length=1000)


class Handover(Body):
    """A word from one shift to the next."""

    path: str = Field(max_length=512, description="the line")
    shift_start: int = Field(ge=0, le=2**62, description="when the leaving shift began, UTC microseconds")
    kind: Literal["note", "taken"] = Field(
        "note", description="note: of the leaving shift; taken: read by the coming one"
    )
    text: str = Field("", max_length=4000)
    key: str = Field(
        min_length=8,
        max_length=40,
        pattern="^[A-Za-z0-9-]+$",
        description="so that an entry that is sent twice counts once",
    )
