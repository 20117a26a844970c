"""Who may use the broker: accounts with topic rights, random passwords, and their hashes in a file.

The hash file has the form of Mosquitto's password file (PBKDF2-SHA512), so the same file serves both brokers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.config.broker import BrokerAccountConfig
from lineshaft.errors import ConfigError
from lineshaft.wire import topics

PASSWORDS: Final = "broker.passwords"
"""Name of the hash file in the data folder."""
_ITERATIONS: Final = 20_000  # the passwords are random; this is for those that people choose
_SALT_BYTES: Final = 12
_PASSWORD_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Account:
    """One client of the broker and the topic filters that it may publish to and receive from."""

    user: str
    publish: tuple[str, ...]
    receive: tuple[str, ...]


def hub_account(user: str) -> Account:
    """The hub may everything in the Sparkplug namespace."""
    return Account(user, (topics.all_sparkplug(),), (topics.all_sparkplug(),))


def edge_account(user: str, group: str, node: str, sensors: tuple[str, ...] = ()) -> Account:
    """An edge node may publish its own births, data and deaths, and receive its own commands and host states.

    sensors: topics on which devices of the node publish at this broker; it may receive these as well.
    """
    receive = (*topics.command_topics(group, node), topics.state("+"), *sensors)
    return Account(user, topics.node_topics(group, node), receive)


def sensor_account(user: str, sensors: tuple[str, ...]) -> Account:
    """Sensors may publish on their own topics, and receive nothing."""
    return Account(user, sensors, ())


def foreign_account(config: BrokerAccountConfig) -> Account:
    """A device or program that the plant names."""
    publish, receive = config.publish, config.receive
    if config.sparkplug:
        group, _, name = config.sparkplug.partition("/")
        node = edge_account(config.user, group, name)
        publish, receive = publish + node.publish, receive + node.receive
    return Account(config.user, publish, receive)


def covers(allowed: str, wanted: str) -> bool:
    """True when every topic that the filter `wanted` matches is matched by the filter `allowed` too."""
    have, want = allowed.split("/"), wanted.split("/")
    for index, level in enumerate(have):
        if level == "#":
            return True
        if index >= len(want) or want[index] == "#" or (level != "+" and level != want[index]):
            return False
    return len(have) == len(want)


def ensure_credentials(data_dir: Path, names: Iterable[str], own: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Make a random password for each name that has none; gives the password file of each name.

    Writes `<name>.password` and the hash file, readable by their owner only. What exists stays; a password file that
    a person changed gets a new hash.
    own: name -> password file of a person's making, relative to the folder.
    Raises ConfigError when the folder cannot be written, a name has a ':', or a file of `own` has no password.
    """
    own = own or {}
    files: dict[str, Path] = {}
    hashes = _read_hashes(data_dir / PASSWORDS)
    before = dict(hashes)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        for name in names:
            if ":" in name or "/" in name or not name:
                raise ConfigError(f"broker user {name!r} may not be empty or have ':' or '/'")
            path = data_dir / (own.get(name) or f"{name}.password")
            if not path.exists() and name not in own:
                write_private(path, secrets.token_urlsafe(_PASSWORD_BYTES) + "\n")
            files[name] = path
            password = _password(path, name)
            if name not in hashes or not verify(password, hashes[name]):
                hashes[name] = hash_password(password)
        if hashes != before:
            write_private(data_dir / PASSWORDS, "".join(f"{name}:{hashed}\n" for name, hashed in hashes.items()))
    except OSError as error:
        raise ConfigError(f"cannot write broker credentials: {error}") from error
    return files


def _password(path: Path, name: str) -> str:
    try:
        password = path.read_text("utf-8").split("\n", 1)[0].strip()
    except FileNotFoundError:
        password = ""
    if not password:
        hint = "Write a password into its first line, or leave password_file out to have one made."
        raise ConfigError(f"{path}: no password for the broker user {name}", hint=hint)
    return password


def hash_password(password: str) -> str:
    """Salted PBKDF2-SHA512 in the form `$7$iterations$salt$hash`."""
    salt = os.urandom(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def verify(password: str, hashed: str) -> bool:
    """True when `password` has this hash; False for a hash of another form."""
    try:
        empty, kind, iterations, salt, digest = hashed.split("$")
        if empty or kind != "7":
            return False
        found = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
        return hmac.compare_digest(found, base64.b64decode(digest))
    except ValueError:
        return False


def load_hashes(path: Path) -> Mapping[str, str]:
    """User -> hash. Raises ConfigError when the file is missing."""
    if not path.exists():
        raise ConfigError(f"broker password file {path} is missing", hint="it is made by `ensure_credentials`")
    return _read_hashes(path)


def mosquitto_acl(accounts: Iterable[Account]) -> str:
    """The same rights as an ACL file for Mosquitto (`acl_file`, beside `password_file` and `allow_anonymous false`)."""
    lines: list[str] = []
    for account in accounts:
        lines.append(f"user {account.user}")
        lines += [f"topic write {topic}" for topic in account.publish]
        lines += [f"topic read {topic}" for topic in account.receive]
        lines.append("")
    return "\n".join(lines)


def _read_hashes(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.split(":", 1) for line in path.read_text("utf-8").splitlines() if ":" in line)
    return {name: hashed.strip() for name, hashed in pairs}


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but the owner can ever read it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
