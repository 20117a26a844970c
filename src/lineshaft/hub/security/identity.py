"""Signs people in, recognises cookies and API tokens, and makes the first user from a one-time link."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

import structlog

from lineshaft.clock import MICROSECONDS, Clock, SystemClock
from lineshaft.errors import AccessDenied, DataError, RetryableError
from lineshaft.hub.security import passwords
from lineshaft.hub.security.lockout import Lockout
from lineshaft.hub.security.roles import Role, lower
from lineshaft.hub.state.accounts import Accounts, Token
from lineshaft.hub.state.screens import Screen, Screens
from lineshaft.hub.state.state import State

log = structlog.get_logger(__name__)

SESSION_IDLE = 12 * 3600 * MICROSECONDS
SESSION_LONGEST = 7 * 86400 * MICROSECONDS
LINK_VALID = 24 * 3600 * MICROSECONDS
TOUCH_EVERY = 60 * MICROSECONDS
TOKEN_PREFIX = "lsh_"  # noqa: S105 - makes tokens findable for secret scanners
SCREEN_PREFIX = "lsw_"


class TooManyAttempts(RetryableError):
    """Wrong passwords: wait `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong passwords", hint=f"try again in {max(1, round(seconds))} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    name: str
    role: Role
    via: Literal["session", "token", "screen"]
    secret_hash: str
    expires: int | None  # UTC microseconds
    may_write: bool = True  # to devices; a token only when it was made so


class Identity:
    """People and programs; every call may block (database, password hash), so the event loop calls it in a thread."""

    def __init__(self, accounts: Accounts, screens: Screens, clock: Clock | None = None) -> None:
        self._accounts = accounts
        self._screens = screens
        self._clock = clock or SystemClock()
        self._lockout = Lockout(self._clock)

    def sign_in(self, name: str, password: str, address: str) -> tuple[Principal, str]:
        """The principal and the value of its cookie. Raises AccessDenied or TooManyAttempts."""
        wait = self._lockout.start(name, address)
        if wait > 0:
            raise TooManyAttempts(wait)
        found = self._accounts.credentials(name)
        if not passwords.matches(passwords.NOBODY if found is None else found[1], password) or found is None:
            log.warning("sign_in.refused", user=name, address=address)  # as many as the lock-out lets through
            raise AccessDenied("the name or the password is wrong")
        self._lockout.succeeded(name, address)
        user, password_hash = found
        if passwords.outdated(password_hash):
            self._accounts.change_user(name, password_hash=passwords.hashed(password))
        return self._new_session(user.name, Role(user.role), address)

    def sign_out(self, principal: Principal) -> None:
        """End the session of the principal."""
        self._accounts.remove_session(principal.secret_hash)

    def of_cookie(self, value: str) -> Principal | None:
        """Who has this cookie; None when it is not valid (any more)."""
        now = self._clock.now_us()
        secret_hash = digest(value)
        session = self._accounts.session(secret_hash, now)
        if session is None:
            return None
        if now - session.used > TOUCH_EVERY:
            expires = min(now + SESSION_IDLE, session.created + SESSION_LONGEST)
            self._accounts.touch_session(secret_hash, now, expires)
        return Principal(session.user, Role(session.role), "session", secret_hash, session.expires)

    def of_token(self, value: str) -> Principal | None:
        """Who has this API token; None when it is not valid (any more)."""
        now = self._clock.now_us()
        secret_hash = digest(value)
        token = self._accounts.token(secret_hash, now)
        if token is None:
            return None
        if token.used is None or now - token.used > TOUCH_EVERY:
            self._accounts.touch_token(token.id, now)
        role = lower(Role(token.role), Role(token.user_role))
        return Principal(token.user, role, "token", secret_hash, token.expires, token.may_write)

    def of_screen(self, key: str) -> Principal | None:
        """The wall screen that has this key; None when it was taken back. It can only look, see hub.api.gate."""
        secret_hash = digest(key)
        screen = self._screens.find(secret_hash)
        if screen is None:
            return None
        now = self._clock.now_us()
        if screen.used is None or now - screen.used > TOUCH_EVERY:
            self._screens.touch(screen.id, now)
        return Principal(f"screen {screen.name}", Role.VIEWER, "screen", secret_hash, None, may_write=False)

    def add_screen(self, owner: Principal, name: str) -> tuple[Screen, str]:
        """A new key of a wall screen and its secret, which cannot be read again."""
        secret = SCREEN_PREFIX + secrets.token_urlsafe(32)
        return self._screens.add(digest(secret), name, owner.name, self._clock.now_us()), secret

    def still_valid(self, principal: Principal) -> bool:
        """True while the session, token or key exists and the role is the same; asked again on long connections."""
        now = self._clock.now_us()
        if principal.via == "screen":
            return self._screens.find(principal.secret_hash) is not None
        if principal.via == "token":
            token = self._accounts.token(principal.secret_hash, now)
            return token is not None and lower(Role(token.role), Role(token.user_role)) is principal.role
        session = self._accounts.session(principal.secret_hash, now)
        return session is not None and session.role == principal.role

    def make_token(
        self, owner: Principal, name: str, role: Role, days: int | None, *, may_write: bool = False
    ) -> tuple[Token, str]:
        """A new API token and its secret, which cannot be read again. Raises AccessDenied above the owner's role."""
        if not owner.role.covers(role):
            raise AccessDenied(f"a token of {owner.name} cannot have the role {role}")
        if may_write and not owner.may_write:
            raise AccessDenied("a token that may not set values cannot make one that may")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now_us()
        expires = None if days is None else now + days * 86400 * MICROSECONDS
        return self._accounts.add_token(
            digest(secret), name, owner.name, role, now, expires, may_write=may_write
        ), secret

    def add_user(self, name: str, role: Role, password: str) -> None:
        """Add a user. Raises DataError for a weak password or a taken name."""
        passwords.check(name, password)
        if not self._accounts.add_user(name, role, passwords.hashed(password), self._clock.now_us()):
            raise DataError(f"there is a user {name} already")

    def change_password(self, name: str, password: str) -> bool:
        """Set a password; every session of the user ends. Raises DataError for a weak one. False: no such user."""
        passwords.check(name, password)
        return self._accounts.change_user(name, password_hash=passwords.hashed(password))

    def setup_needed(self) -> bool:
        """True until there is a first user."""
        return self._accounts.count() == 0

    def make_setup_link(self) -> str:
        """The secret of a new one-time link, valid for 24 hours; links made before are void."""
        secret = secrets.token_urlsafe(32)
        now = self._clock.now_us()
        self._accounts.replace_setup_link(digest(secret), now, now + LINK_VALID)
        return secret

    def set_up(self, link: str, name: str, password: str, address: str) -> tuple[Principal, str]:
        """Make the first user, an admin, and sign in. Raises AccessDenied for a bad link, DataError for bad words."""
        denied = AccessDenied(
            "this link is not valid (any more)", hint="start the hub again: it prints a new one while there is no user"
        )
        now = self._clock.now_us()
        secret_hash = digest(link)
        if not self._accounts.setup_link_valid(secret_hash, now) or not self.setup_needed():
            raise denied
        passwords.check(name, password)
        if not self._accounts.use_setup_link(secret_hash, name, Role.ADMIN, passwords.hashed(password), now):
            raise denied
        return self._new_session(name, Role.ADMIN, address)

    def _new_session(self, user: str, role: Role, address: str) -> tuple[Principal, str]:
        value = secrets.token_urlsafe(32)
        now = self._clock.now_us()
        expires = now + SESSION_IDLE
        self._accounts.add_session(digest(value), user, now, expires, address[:64])
        return Principal(user, role, "session", digest(value), expires), value


def digest(secret: str) -> str:
    """SHA-256 of a random secret of 256 bits; slow hashing would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def setup_link(state: State, base_url: str) -> str | None:
    """A one-time link for the first user, for the command to print; None when there is a user already."""
    identity = Identity(state.accounts, state.screens)
    if not identity.setup_needed():
        return None
    return f"{base_url.rstrip('/')}/setup?link={identity.make_setup_link()}"
