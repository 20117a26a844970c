"""Signals that nobody has placed yet: what a foreign edge node announced without saying where it belongs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from lineshaft.hub.api.catalogue_views import signal_view
from lineshaft.hub.api.models import SignalView
from lineshaft.hub.api.paging import Cursor, paged
from lineshaft.hub.api.services import Caller, Parts, needs
from lineshaft.hub.placement import Places
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.catalogue import CataloguedSignal, Placement

router = APIRouter(prefix="/inbox", tags=["catalogue"])

MOST = 1000


class ProposalView(BaseModel):
    """Where it may belong."""

    asset: str
    name: str
    words: list[str] = Field(description="what the signal and the place have in common")


class Found(BaseModel):
    """A signal that waits for a place."""

    signal: SignalView
    proposal: ProposalView | None = Field(description="null when nothing fits well enough")


class Inbox(BaseModel):
    """Signals that wait for a place, by path."""

    waiting: int = Field(description="how many there are in all")
    items: list[Found]
    next: str | None


class NewPlacement(BaseModel):
    """Where a signal belongs; where it stands now means that it stays."""

    signal: int
    asset: str = Field(description="path of equipment")
    name: str


class NewPlacements(BaseModel):
    """Placements that are made together, or not at all."""

    items: list[NewPlacement] = Field(min_length=1, max_length=MOST)


@router.get("")
def inbox(parts: Parts, limit: Annotated[int, Query(ge=1, le=MOST)] = MOST, cursor: Cursor = "") -> Inbox:
    """What waits for a place, with a proposal for each."""
    catalogue = parts.state.catalogue
    waiting = catalogue.waiting()
    places = Places(catalogue.equipment()[1])
    page, more = paged(waiting, lambda one: one.id, cursor, limit)
    return Inbox(waiting=len(waiting), items=[_found(one, places) for one in page], next=more)


@router.post("", status_code=204, dependencies=[needs(Role.ENGINEER)])
def place(body: NewPlacements, parts: Parts, caller: Caller) -> None:
    """Put signals into their places. Their history goes along, and what comes later goes there too."""
    wanted = [Placement(one.signal, one.asset, one.name) for one in body.items]
    parts.state.catalogue.place(wanted, caller.name)


def _found(one: CataloguedSignal, places: Places) -> Found:
    signal = one.born.signal
    text = f"{one.born.node} {one.born.device} {signal.description or signal.path}"
    node = "/".join(signal.asset.split("/")[:3])  # enterprise, group and edge node: what was made for it
    best = places.propose(text, without=node)
    view = SignalView.model_validate(signal_view(one))
    proposal = None if best is None else ProposalView(asset=best.asset, name=signal.name, words=list(best.words))
    return Found(signal=view, proposal=proposal)
