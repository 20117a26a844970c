"""Where administrators make, change and remove accounts of the embedded broker; each change counts at once."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lineshaft.clock import Clock, SystemClock
from lineshaft.config.broker import BrokerAccountConfig
from lineshaft.errors import DataError
from lineshaft.hub.broker.accounts import hash_password
from lineshaft.hub.broker.book import AccountBook, MadeAccount
from lineshaft.hub.broker.seen import Seen, read_seen

LEAST_PASSWORD: Final = 10
"""Characters of a password that a person chose."""
_PASSWORD_BYTES: Final = 18  # 24 characters, which a person can still type into a controller


@dataclass(frozen=True, slots=True)
class Given:
    """What the plant's files say about the embedded broker."""

    address: str  # host:port where it listens
    accounts: tuple[BrokerAccountConfig, ...] = ()
    taken: Mapping[str, str] | None = None  # user names that are not free -> whose they are
    gateway: str = ""  # group/node of the plant's own gateway, for which no other account may speak


class BrokerDesk:
    """Thread-safe. given: asked each time, for plant files change while the hub runs."""

    def __init__(self, data_dir: Path, given: Callable[[], Given], clock: Clock | None = None) -> None:
        self._data_dir = data_dir
        self._book = AccountBook(data_dir)
        self._given = given
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()

    def given(self) -> Given:
        """What the plant's files say."""
        return self._given()

    def made(self) -> Sequence[MadeAccount]:
        """Accounts that were made here, but those whose names the plant's files have taken since."""
        taken = self._taken()
        return [one for one in self._book.read() if one.config.user not in taken]

    def seen(self) -> Mapping[str, Seen]:
        """What the broker saw of each user."""
        return read_seen(self._data_dir)

    def add(self, keys: Mapping[str, Any], password: str, by: str) -> str:
        """A new account; gives its password, made up where `password` is empty. Raises DataError."""
        config = self._config(keys)
        owner = self._taken().get(config.user)
        if owner is not None:
            raise DataError(f"the user name {config.user} is {owner} already", hint="Choose another name.")
        secret, hashed = _secret(password)
        with self._changing() as accounts:
            if config.user in accounts:
                raise DataError(f"there is an account {config.user} already", hint="Choose another name.")
            accounts[config.user] = MadeAccount(config, hashed, self._clock.now_us(), by)
        return secret

    def change(self, user: str, keys: Mapping[str, Any], by: str) -> None:
        """Other rights or another description. Raises DataError."""
        with self._changing() as accounts:
            old = self._mine(accounts, user)
            stored = old.config.model_dump(exclude={"password_file"})
            config = self._config({**stored, **keys, "user": user})
            accounts[user] = replace(old, config=config, changed=self._clock.now_us(), by=by)

    def set_password(self, user: str, password: str, by: str) -> str:
        """Another password, made up where `password` is empty; who is connected must sign in with it. Gives it."""
        secret, hashed = _secret(password)
        with self._changing() as accounts:
            old = self._mine(accounts, user)
            accounts[user] = replace(old, hash=hashed, changed=self._clock.now_us(), by=by)
        return secret

    def remove(self, user: str) -> None:
        """Take an account back; who uses it is hung up on. Raises DataError."""
        with self._changing() as accounts:
            self._mine(accounts, user)
            del accounts[user]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, MadeAccount]]:
        with self._lock:
            accounts = {one.config.user: one for one in self._book.read()}
            yield accounts
            self._book.write([accounts[user] for user in sorted(accounts)])

    def _mine(self, accounts: Mapping[str, MadeAccount], user: str) -> MadeAccount:
        owner = self._taken().get(user)
        if owner is not None:
            raise DataError(f"the user {user} is {owner}", hint="Change it in the plant's files.")
        if user not in accounts:
            raise DataError(f"there is no account {user}", hint="Somebody may have removed it; look again.")
        return accounts[user]

    def _taken(self) -> dict[str, str]:
        given = self._given()
        plant = {one.user: "one of the plant's files" for one in given.accounts}
        return {**(given.taken or {}), **plant}

    def _config(self, keys: Mapping[str, Any]) -> BrokerAccountConfig:
        try:
            config = BrokerAccountConfig.model_validate(dict(keys))
        except ValidationError as error:
            words = "; ".join(_words(one["loc"], one["msg"]) for one in error.errors(include_url=False))
            raise DataError(words) from error
        if config.sparkplug and config.sparkplug == self._given().gateway:
            raise DataError(f"sparkplug: {config.sparkplug} is the gateway of this plant, which speaks for itself")
        return config


def _words(where: Sequence[int | str], message: str) -> str:
    if where == ("user",):
        return "user: letters, digits, dot, dash and underscore, at most 64, the first a letter or digit"
    text = message.removeprefix("Value error, ")
    return f"{where[0]}: {text}" if where else text


def _secret(password: str) -> tuple[str, str]:
    """The password and its hash."""
    if password and len(password) < LEAST_PASSWORD:
        raise DataError(f"a password needs at least {LEAST_PASSWORD} characters", hint="Or leave it empty to get one.")
    secret = password or secrets.token_urlsafe(_PASSWORD_BYTES)
    return secret, hash_password(secret)
