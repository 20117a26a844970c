"""Users, API tokens and wall screens."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Request

from lineshaft.errors import DataError
from lineshaft.hub.api.models import (
    ChangedUser,
    MadeScreen,
    MadeToken,
    NewScreen,
    NewToken,
    NewUser,
    Screens,
    ScreenView,
    Tokens,
    TokenView,
    Users,
    UserView,
)
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts, People, Services, needs
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.accounts import Token
from lineshaft.hub.state.screens import Screen
from lineshaft.model.events import Event

users = APIRouter(prefix="/users", tags=["users"], dependencies=[needs(Role.ADMIN)])
tokens = APIRouter(prefix="/tokens", tags=["tokens"])
screens = APIRouter(prefix="/screens", tags=["screens"], dependencies=[needs(Role.ENGINEER)])


@users.get("")
def list_users(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Users:
    """All users."""
    found, more = paged(parts.state.accounts.users(), lambda one: one.name, cursor, limit)
    return Users(items=[UserView(name=one.name, role=Role(one.role), created=one.created) for one in found], next=more)


@users.post("", status_code=201)
async def add_user(body: NewUser, request: Request, parts: Parts, people: People, caller: Caller) -> UserView:
    """Add a user."""
    limiter = request.app.state.hash_limiter
    await to_thread.run_sync(people.add_user, body.name, body.role, body.password, limiter=limiter)
    await to_thread.run_sync(_note, parts, caller, "user.added", body.name, f"was added as {body.role}")
    return await to_thread.run_sync(_user, parts, body.name)


@users.patch("/{name}")
async def change_user(
    name: str, body: ChangedUser, request: Request, parts: Parts, people: People, caller: Caller
) -> UserView:
    """Change the role or the password of a user; a new password ends the user's sessions."""
    if body.role is not None and body.role is not Role.ADMIN:
        await to_thread.run_sync(_keep_an_admin, parts, name)
    if body.password is not None:
        limiter = request.app.state.hash_limiter
        if await to_thread.run_sync(people.change_password, name, body.password, limiter=limiter):
            await to_thread.run_sync(_note, parts, caller, "user.changed", name, "got a new password")
    if body.role is not None and await to_thread.run_sync(_change_role, parts, name, body.role):
        await to_thread.run_sync(_note, parts, caller, "user.changed", name, f"got the role {body.role}")
    return await to_thread.run_sync(_user, parts, name)


@users.delete("/{name}", status_code=204)
def remove_user(name: str, parts: Parts, caller: Caller) -> None:
    """Remove a user with all sessions and tokens; the last admin stays."""
    _keep_an_admin(parts, name)
    if not parts.state.accounts.remove_user(name):
        raise NotFound(f"there is no user {name}")
    _note(parts, caller, "user.removed", name, "was removed")


@tokens.get("")
def list_tokens(caller: Caller, parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Tokens:
    """One's own tokens; an admin sees all."""
    owner = None if caller.role is Role.ADMIN else caller.name
    found, more = paged(parts.state.accounts.tokens(owner), lambda one: one.id, cursor, limit)
    return Tokens(items=[_view(token) for token in found], next=more)


@tokens.post("", status_code=201)
def make_token(body: NewToken, caller: Caller, people: People, parts: Parts) -> MadeToken:
    """Make an API token. Its secret is in this answer and nowhere else."""
    token, secret = people.make_token(caller, body.name, body.role, body.days, may_write=body.may_write)
    writes = ", which may set values on devices" if body.may_write else ""
    _note(
        parts, caller, "token.made", caller.name, f"has a new API token '{body.name}' with the role {body.role}{writes}"
    )
    return MadeToken(**_view(token).model_dump(), token=secret)


@tokens.delete("/{token}", status_code=204)
def remove_token(token: int, caller: Caller, parts: Parts) -> None:
    """Revoke a token: one's own, or any for an admin."""
    owner = None if caller.role is Role.ADMIN else caller.name
    if not parts.state.accounts.remove_token(token, owner):
        raise NotFound(f"there is no token {token}")
    _note(parts, caller, "token.removed", caller.name, f"removed the API token {token}")


@screens.get("")
def list_screens(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Screens:
    """All wall screens that may look."""
    found, more = paged(parts.state.screens.all(), lambda one: one.id, cursor, limit)
    return Screens(items=[_screen_view(one) for one in found], next=more)


@screens.post("", status_code=201)
def add_screen(body: NewScreen, caller: Caller, people: People, parts: Parts) -> MadeScreen:
    """Make the key of a wall screen, for a link. It is in this answer and nowhere else; with it one can only look."""
    screen, key = people.add_screen(caller, body.name)
    _note(parts, caller, "screen.added", caller.name, f"made a key for the wall screen '{body.name}'")
    return MadeScreen(**_screen_view(screen).model_dump(), key=key)


@screens.delete("/{screen}", status_code=204)
def remove_screen(screen: int, caller: Caller, parts: Parts) -> None:
    """Take the key of a wall screen back."""
    if not parts.state.screens.remove(screen):
        raise NotFound(f"there is no wall screen {screen}")
    _note(parts, caller, "screen.removed", caller.name, f"took the key of the wall screen {screen} back")


def _screen_view(screen: Screen) -> ScreenView:
    return ScreenView(id=screen.id, name=screen.name, by=screen.by, created=screen.created, last_used=screen.used)


def _user(parts: Services, name: str) -> UserView:
    found = parts.state.accounts.credentials(name)
    if found is None:
        raise NotFound(f"there is no user {name}")
    user, _ = found
    return UserView(name=user.name, role=Role(user.role), created=user.created)


def _keep_an_admin(parts: Services, name: str) -> None:
    if not parts.state.accounts.other_admins(name):
        raise DataError(f"{name} is the only admin", hint="make another user an admin first")


def _change_role(parts: Services, name: str, role: Role) -> bool:
    return parts.state.accounts.change_user(name, role=role)


def _note(parts: Services, caller: Principal, kind: str, name: str, what: str) -> None:
    """Rights have changed: that is an event."""
    by = "" if caller.name == name else f" by {caller.name}"
    details = {"by": caller.name}
    parts.state.events.add([Event(parts.clock.now_us(), kind, f"user/{name}", f"{name} {what}{by}", details=details)])


def _view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        user=token.user,
        role=Role(token.role),
        created=token.created,
        expires=token.expires,
        last_used=token.used,
        may_write=token.may_write,
    )
