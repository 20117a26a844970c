"""Users, their sessions and API tokens, and the one-time links for the first user; only hashes of secrets are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import api_tokens, sessions, setup_links, users


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in."""

    name: str
    role: str
    created: int  # UTC microseconds


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    user: str
    role: str
    created: int  # UTC microseconds, as the two below
    expires: int
    used: int


@dataclass(frozen=True, slots=True)
class Token:
    """An API token; the secret itself is not kept."""

    id: int
    name: str
    user: str
    role: str
    user_role: str  # the owner's role now: a token never has more rights than its owner
    created: int  # UTC microseconds, as the two below
    expires: int | None
    used: int | None
    may_write: bool = False  # to devices


class Accounts:
    """Who may do what. Hashes are made by the caller (lineshaft.hub.security)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def users(self) -> Sequence[User]:
        """All users by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(users).order_by(users.c.name))
            return [User(row.name, row.role, row.created) for row in rows]

    def count(self) -> int:
        """How many users there are."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(users)).scalar_one())

    def credentials(self, name: str) -> tuple[User, str] | None:
        """The user called `name` and the hash of the password; None when there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else (User(row.name, row.role, row.created), row.password_hash)

    def add_user(self, name: str, role: str, password_hash: str, time: int) -> bool:
        """Add a user; False when the name is taken."""
        with self._database.write() as connection:
            if connection.execute(select(users.c.name).where(users.c.name == name)).first():
                return False
            values = {"name": name, "role": role, "password_hash": password_hash, "created": time}
            connection.execute(insert(users).values(values))
            return True

    def change_user(self, name: str, *, role: str | None = None, password_hash: str | None = None) -> bool:
        """Give a user another role or password; sessions end when the password changes. False: no such user."""
        values = {"role": role, "password_hash": password_hash}
        values = {key: value for key, value in values.items() if value is not None}
        with self._database.write() as connection:
            if not connection.execute(select(users.c.name).where(users.c.name == name)).first():
                return False
            if values:
                connection.execute(update(users).where(users.c.name == name).values(values))
            if password_hash is not None:
                connection.execute(delete(sessions).where(sessions.c.user_name == name))
        return True

    def remove_user(self, name: str) -> bool:
        """Remove a user with all sessions and tokens; False when there is none."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.user_name == name))
            connection.execute(delete(api_tokens).where(api_tokens.c.user_name == name))
            return connection.execute(delete(users).where(users.c.name == name)).rowcount == 1

    def other_admins(self, name: str) -> int:
        """How many users beside `name` have the role admin."""
        query = select(func.count()).select_from(users).where(users.c.role == "admin", users.c.name != name)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def replace_setup_link(self, link_hash: str, created: int, expires: int) -> None:
        """Make `link_hash` the only link that can make the first user."""
        with self._database.write() as connection:
            connection.execute(delete(setup_links))
            connection.execute(insert(setup_links).values(hash=link_hash, created=created, expires=expires))

    def setup_link_valid(self, link_hash: str, time: int) -> bool:
        """True when the link would be taken at `time`."""
        query = select(setup_links.c.hash).where(setup_links.c.hash == link_hash, setup_links.c.expires > time)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def use_setup_link(self, link_hash: str, name: str, role: str, password_hash: str, time: int) -> bool:
        """Make the first user and spend the link, both or none; False when the link is not valid or users exist."""
        spend = delete(setup_links).where(setup_links.c.hash == link_hash, setup_links.c.expires > time)
        with self._database.write() as connection:
            if connection.execute(spend).rowcount != 1:
                return False
            if connection.execute(select(func.count()).select_from(users)).scalar_one():
                return False
            values = {"name": name, "role": role, "password_hash": password_hash, "created": time}
            connection.execute(insert(users).values(values))
            return True

    def add_session(self, session_hash: str, user: str, time: int, expires: int, address: str) -> None:
        """Remember a signed-in browser; forgets those that expired."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= time))
            connection.execute(
                insert(sessions).values(
                    hash=session_hash, user_name=user, created=time, used=time, expires=expires, address=address
                )
            )

    def session(self, session_hash: str, time: int) -> Session | None:
        """The session that is valid at `time`."""
        query = (
            select(sessions, users.c.role)
            .join(users, users.c.name == sessions.c.user_name)
            .where(sessions.c.hash == session_hash, sessions.c.expires > time)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Session(row.user_name, row.role, row.created, row.expires, row.used)

    def touch_session(self, session_hash: str, time: int, expires: int) -> None:
        """A session was used: it lives on until `expires`."""
        with self._database.write() as connection:
            change = update(sessions).where(sessions.c.hash == session_hash)
            connection.execute(change.values(used=time, expires=expires))

    def remove_session(self, session_hash: str) -> None:
        """Sign out."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.hash == session_hash))

    def add_token(
        self,
        token_hash: str,
        name: str,
        user: str,
        role: str,
        time: int,
        expires: int | None,
        *,
        may_write: bool = False,
    ) -> Token:
        """Remember an API token."""
        values = {
            "hash": token_hash,
            "name": name,
            "user_name": user,
            "role": role,
            "created": time,
            "expires": expires,
            "may_write": may_write,
        }
        with self._database.write() as connection:
            connection.execute(insert(api_tokens).values(values))
            return _token(connection.execute(_TOKENS.where(api_tokens.c.hash == token_hash)).one())

    def tokens(self, user: str | None = None) -> Sequence[Token]:
        """The tokens of one user, or of all."""
        query = _TOKENS.order_by(api_tokens.c.id)
        if user is not None:
            query = query.where(api_tokens.c.user_name == user)
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(query)]

    def token(self, token_hash: str, time: int) -> Token | None:
        """The token that is valid at `time`."""
        with self._database.read() as connection:
            row = connection.execute(_TOKENS.where(api_tokens.c.hash == token_hash)).first()
        if row is None or (row.expires is not None and row.expires <= time):
            return None
        return _token(row)

    def touch_token(self, token: int, time: int) -> None:
        """A token was used."""
        with self._database.write() as connection:
            connection.execute(update(api_tokens).where(api_tokens.c.id == token).values(used=time))

    def remove_token(self, token: int, user: str | None = None) -> bool:
        """Revoke a token, of `user` where given; False when there is none."""
        change = delete(api_tokens).where(api_tokens.c.id == token)
        if user is not None:
            change = change.where(api_tokens.c.user_name == user)
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1


_TOKENS = select(api_tokens, users.c.role.label("user_role")).join(users, users.c.name == api_tokens.c.user_name)


def _token(row: Row[Any]) -> Token:
    return Token(
        row.id, row.name, row.user_name, row.role, row.user_role, row.created, row.expires, row.used, row.may_write
    )
