"""Password hashes (Argon2id) and the rule for new passwords."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lineshaft.errors import DataError

SHORTEST = 10
LONGEST = 200

_hasher = PasswordHasher()
_COMMON = frozenset({"password", "lineshaft", "administrator", "qwertyuiop", "1234567890", "0123456789", "changeme"})


def check(name: str, password: str) -> None:
    """Refuse a weak new password. Raises DataError that says what is wrong (length counts, not character classes)."""
    if len(password) < SHORTEST:
        raise DataError(f"the password is shorter than {SHORTEST} characters", hint="three or four words are good")
    if len(password) > LONGEST:
        raise DataError(f"the password is longer than {LONGEST} characters")
    plain = password.lower().strip()
    stem = plain.rstrip("0123456789!.?")
    if plain in _COMMON or stem in _COMMON or len(set(plain)) < 4 or plain == name.lower() or stem == name.lower():
        raise DataError("the password is easy to guess", hint="three or four words are good")


def hashed(password: str) -> str:
    """Argon2id hash with its own salt and parameters; takes some 30 ms and 64 MiB on purpose."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """True when the password belongs to the hash."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def outdated(password_hash: str) -> bool:
    """True when the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$z4dHH4pf2igOeGVN3ijizw$HQ7QMUOXBjlQ25yDKP6wfQlXQiKUO+vhxqVapM/FTws"
"""A hash that is checked for unknown names, so that the answer takes as long as for known ones."""
