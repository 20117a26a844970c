"""Accounts of the embedded broker, for administrators; each change counts at once."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from lineshaft.config.broker import BrokerAccountConfig
from lineshaft.errors import Unsupported
from lineshaft.hub.api.broker_models import Accounts, AccountView, MadeAccount, NewAccount, NewPassword, Rights
from lineshaft.hub.api.paging import PAGE, Cursor, Limit, paged
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Parts, Services, needs
from lineshaft.hub.broker.desk import BrokerDesk
from lineshaft.hub.broker.seen import Seen
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.model.events import Event

router = APIRouter(prefix="/broker/accounts", tags=["broker"], dependencies=[needs(Role.ADMIN)])


@router.get("")
def list_accounts(parts: Parts, limit: Limit = PAGE, cursor: Cursor = "") -> Accounts:
    """Devices and programs that may use the embedded broker, by name."""
    if isinstance(parts.broker, str):
        return Accounts(embedded=False, address=parts.broker, items=[])
    found, more = paged(_views(parts.broker), lambda one: one.user, cursor, limit)
    return Accounts(embedded=True, address=parts.broker.given().address, items=list(found), next=more)


@router.post("", status_code=201)
def add_account(body: NewAccount, parts: Parts, caller: Caller) -> MadeAccount:
    """Make an account. Its password is in this answer and nowhere else."""
    desk = _desk(parts)
    password = desk.add(body.model_dump(exclude={"password"}), body.password, caller.name)
    _note(parts, caller, "added", body.user, f"may now use the broker: {_may(_view(desk, body.user))}")
    return _with_password(desk, body.user, password)


@router.put("/{user}")
def change_account(user: str, body: Rights, parts: Parts, caller: Caller) -> AccountView:
    """Give an account other rights."""
    desk = _desk(parts)
    _view(desk, user)
    desk.change(user, body.model_dump(), caller.name)
    view = _view(desk, user)
    _note(parts, caller, "changed", user, f"has other rights at the broker: {_may(view)}")
    return view


@router.post("/{user}/password")
def set_password(user: str, body: NewPassword, parts: Parts, caller: Caller) -> MadeAccount:
    """Give an account another password, which is in this answer and nowhere else; its peers are hung up on."""
    desk = _desk(parts)
    _view(desk, user)
    password = desk.set_password(user, body.password, caller.name)
    _note(parts, caller, "changed", user, "has another password at the broker")
    return _with_password(desk, user, password)


@router.delete("/{user}", status_code=204)
def remove_account(user: str, parts: Parts, caller: Caller) -> None:
    """Take an account back; its peers are hung up on."""
    desk = _desk(parts)
    _view(desk, user)
    desk.remove(user)
    _note(parts, caller, "removed", user, "may no longer use the broker")


def _desk(parts: Services) -> BrokerDesk:
    if isinstance(parts.broker, str):
        raise Unsupported(f"this plant uses the broker {parts.broker}", hint="Make its accounts there.")
    return parts.broker


def _views(desk: BrokerDesk) -> list[AccountView]:
    seen = desk.seen()
    plant = [_one(one, seen, None, "") for one in desk.given().accounts]
    made = [_one(one.config, seen, one.changed, one.by) for one in desk.made()]
    return sorted(plant + made, key=lambda one: one.user)


def _view(desk: BrokerDesk, user: str) -> AccountView:
    for one in _views(desk):
        if one.user == user:
            return one
    raise NotFound(f"there is no account {user}")


def _with_password(desk: BrokerDesk, user: str, password: str) -> MadeAccount:
    return MadeAccount(**_view(desk, user).model_dump(), password=password)


def _one(config: BrokerAccountConfig, seen: Mapping[str, Seen], changed: int | None, by: str) -> AccountView:
    saw = seen.get(config.user, Seen())
    file = "" if changed is not None else config.password_file or f"{config.user}.password"
    return AccountView(
        user=config.user,
        description=config.description,
        publish=list(config.publish),
        receive=list(config.receive),
        sparkplug=config.sparkplug,
        origin="plant" if changed is None else "page",
        changed=changed,
        by=by,
        password_file=file,
        connections=saw.connections,
        address=saw.address,
        came=saw.came or None,
        went=saw.went or None,
        refused=saw.refused or None,
        reason=saw.reason,
    )


def _may(view: AccountView) -> str:
    """Rights in words."""
    parts = [f"publishes {', '.join(view.publish)}"] if view.publish else []
    parts += [f"receives {', '.join(view.receive)}"] if view.receive else []
    parts += [f"is the Sparkplug node {view.sparkplug}"] if view.sparkplug else []
    return "; ".join(parts)


def _note(parts: Services, caller: Principal, what: str, user: str, words: str) -> None:
    """Rights have changed: that is an event."""
    message = f"{user} {words}, by {caller.name}"
    event = Event(
        parts.clock.now_us(), f"broker.account.{what}", f"broker/{user}", message, details={"by": caller.name}
    )
    parts.state.events.add([event])
