"""The first user, signing in and out."""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from lineshaft.errors import AccessDenied
from lineshaft.hub.api.gate import COOKIE
from lineshaft.hub.api.models import Credentials, FirstUser, OwnPassword, PlantView, ScreenKey, SessionView, SetupState
from lineshaft.hub.api.services import Caller, Parts, People, Services
from lineshaft.hub.security.identity import SESSION_LONGEST, Principal
from lineshaft.model.events import Event

router = APIRouter(tags=["session"])

SCREEN_SECONDS = 400 * 86_400
HASHES_AT_ONCE = 2
"""Each password check takes 64 MiB and a core; more of them wait without holding a thread."""


@router.get("/setup")
def setup_state(people: People) -> SetupState:
    """Whether the first user must still be made."""
    return SetupState(needed=people.setup_needed())


@router.post("/setup", status_code=201)
async def set_up(body: FirstUser, request: Request, response: Response, parts: Parts, people: People) -> SessionView:
    """Make the first user, an admin, with the one-time link that the command printed, and sign in."""
    principal, cookie = await to_thread.run_sync(
        people.set_up, body.link, body.name, body.password, _address(request), limiter=_limiter(request)
    )
    _set_cookie(request, response, cookie)
    return view(principal, parts)


@router.post("/session")
async def sign_in(body: Credentials, request: Request, response: Response, parts: Parts, people: People) -> SessionView:
    """Sign in; the answer sets a cookie. Wrong passwords are slowed down (429)."""
    principal, cookie = await to_thread.run_sync(
        people.sign_in, body.name, body.password, _address(request), limiter=_limiter(request)
    )
    _set_cookie(request, response, cookie)
    return view(principal, parts)


@router.post("/session/screen")
def open_screen(body: ScreenKey, request: Request, response: Response, parts: Parts, people: People) -> SessionView:
    """Let a wall screen look with its key; the answer sets a cookie, which stays until the key is taken back."""
    principal = people.of_screen(body.key)
    if principal is None:
        raise AccessDenied("this key is not valid (any more)", hint="an engineer makes a new link on the page Settings")
    _set_cookie(request, response, body.key, SCREEN_SECONDS)
    return view(principal, parts)


@router.get("/session")
def who_am_i(caller: Caller, request: Request, response: Response, parts: Parts) -> SessionView:
    """Who is signed in."""
    if caller.via == "screen":  # browsers keep no cookie for longer than 400 days: each look renews it
        _set_cookie(request, response, request.cookies[COOKIE], SCREEN_SECONDS)
    return view(caller, parts)


@router.patch("/session")
async def change_own_password(
    body: OwnPassword, request: Request, response: Response, parts: Parts, people: People, caller: Caller
) -> SessionView:
    """Change one's own password by telling the present one. All sessions of the user end; the answer has a new one."""
    if caller.via != "session":
        raise AccessDenied("an API token cannot change a password", hint="sign in with the password")
    name, address, limiter = caller.name, _address(request), _limiter(request)
    await to_thread.run_sync(people.sign_in, name, body.password, address, limiter=limiter)
    await to_thread.run_sync(people.change_password, name, body.new_password, limiter=limiter)
    principal, cookie = await to_thread.run_sync(people.sign_in, name, body.new_password, address, limiter=limiter)
    _set_cookie(request, response, cookie)
    event = Event(
        parts.clock.now_us(), "user.changed", f"user/{name}", f"{name} got a new password", details={"by": name}
    )
    await to_thread.run_sync(parts.state.events.add, [event])
    return view(principal, parts)


@router.delete("/session", status_code=204)
def sign_out(caller: Caller, people: People, response: Response) -> None:
    """Sign out."""
    if caller.via == "session":  # a screen only forgets its key
        people.sign_out(caller)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def view(principal: Principal, parts: Services) -> SessionView:
    """The signed-in user as the API shows it."""
    plant = PlantView(name=parts.plant.name, timezone=parts.plant.timezone, currency=parts.plant.currency)
    return SessionView(
        name=principal.name, role=principal.role, via=principal.via, expires=principal.expires, plant=plant
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _limiter(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.hash_limiter
    return limiter


def _set_cookie(request: Request, response: Response, value: str, seconds: int = SESSION_LONGEST // 1_000_000) -> None:
    response.set_cookie(
        COOKIE,
        value,
        path="/",
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
