"""Saved views of pages."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.views import View

router = APIRouter(prefix="/views", tags=["views"])


class NewView(BaseModel):
    """A view to keep."""

    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    address: str = Field(
        max_length=4000, pattern=r"^/([^/\\\s]\S*)?$", description="path and query of the page, like /trend?s=1,2"
    )
    shared: bool = Field(False, description="whether everybody sees it")


class ViewView(BaseModel):
    """A saved view."""

    id: int
    name: str
    owner: str
    shared: bool
    address: str
    changed: int = Field(description="UTC microseconds")


class Views(BaseModel):
    """Saved views by name."""

    items: list[ViewView]
    next: str | None


@router.get("")
def list_views(parts: Parts, caller: Caller, limit: Limit = PAGE, cursor: Cursor = "") -> Views:
    """One's own views and those that others share."""
    found, more = paged(parts.state.views.of(caller.name), lambda one: one.id, cursor, limit)
    return Views(items=[_shown(one) for one in found], next=more)


@router.post("", status_code=201)
def save_view(body: NewView, parts: Parts, caller: Caller) -> ViewView:
    """Keep a view; one's own of the same name is replaced."""
    name, now = body.name.strip(), parts.clock.now_us()
    return _shown(parts.state.views.save(caller.name, name, body.address, shared=body.shared, now=now))


@router.delete("/{view}", status_code=204)
def remove_view(view: int, parts: Parts, caller: Caller) -> None:
    """Forget a view: one's own, or any for an admin."""
    owner = None if caller.role is Role.ADMIN else caller.name
    if not parts.state.views.remove(view, owner):
        raise NotFound(f"there is no view {view} of yours")


def _shown(view: View) -> ViewView:
    return ViewView(
        id=view.id, name=view.name, owner=view.owner, shared=view.shared, address=view.address, changed=view.changed
    )
