"""Passwords, roles and the lock-out."""

from __future__ import annotations

import pytest

from lineshaft.clock import VirtualClock
from lineshaft.errors import DataError
from lineshaft.hub.security import passwords
from lineshaft.hub.security.lockout import ADDRESS_FREE, LONGEST_LOCK, MOST_ENTRIES, NAME_FREE, Lockout
from lineshaft.hub.security.roles import Role, lower


@pytest.mark.parametrize(
    "password", ["short", "1234567890", "aaaaaaaaaaaa", "Password123", "administrator1", "x" * 201]
)
def test_weak_passwords_are_refused(password: str) -> None:
    """Short, common, repeated and endless passwords are refused with a reason; so is the own name."""
    with pytest.raises(DataError):
        passwords.check("administrator1", password)


def test_a_hash_belongs_to_one_password() -> None:
    """A hash knows its password and no other, is salted, and is not readable."""
    first, second = passwords.hashed("three green apples"), passwords.hashed("three green apples")
    assert first != second
    assert "apples" not in first
    assert passwords.matches(first, "three green apples")
    assert not passwords.matches(first, "three green apple")
    assert not passwords.matches("nonsense", "three green apples")
    assert not passwords.outdated(first)
    assert passwords.outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0TDfZ1rzRVw")


def test_an_unknown_name_costs_a_real_check() -> None:
    """The stand-in hash for unknown names has today's parameters, so that its check takes as long."""
    assert not passwords.outdated(passwords.NOBODY)
    assert not passwords.matches(passwords.NOBODY, "")


def test_roles_are_ordered() -> None:
    """Each role covers itself and the ones before it."""
    assert Role.ADMIN.covers(Role.VIEWER)
    assert Role.VIEWER.covers(Role.VIEWER)
    assert not Role.OPERATOR.covers(Role.ENGINEER)
    assert lower(Role.ADMIN, Role.OPERATOR) is Role.OPERATOR
    assert lower(Role.VIEWER, Role.ADMIN) is Role.VIEWER


async def test_a_name_is_locked_from_any_address_and_longer_each_time() -> None:
    """Wrong passwords lock the name wherever they come from; each further one doubles the lock up to a bound."""
    clock = VirtualClock()
    lockout = Lockout(clock)
    for number in range(NAME_FREE):
        assert lockout.start("ada", f"10.0.0.{number}") == 0
    waits = []
    for number in range(8):
        waits.append(lockout.start("ada", f"10.0.1.{number}"))
        await clock.advance(waits[-1])
        assert lockout.start("ada", f"10.0.1.{number}") == 0
    assert waits[:3] == [30, 60, 120]
    assert waits[-1] == LONGEST_LOCK
    assert lockout.start("bob", "10.0.1.1") == 0


def test_an_address_is_locked_over_many_names() -> None:
    """Trying many names from one address locks the address, not others."""
    lockout = Lockout(VirtualClock())
    for number in range(ADDRESS_FREE):
        assert lockout.start(f"user-{number}", "10.0.0.1") == 0
    assert lockout.start("somebody", "10.0.0.1") > 0
    assert lockout.start("somebody", "10.0.0.2") == 0


def test_people_of_one_office_do_not_lock_each_other() -> None:
    """Right passwords from one address never lock it."""
    lockout = Lockout(VirtualClock())
    for number in range(500):
        assert lockout.start(f"user-{number % 50}", "10.0.0.1") == 0
        lockout.succeeded(f"user-{number % 50}", "10.0.0.1")


def test_attempts_at_the_same_time_all_count() -> None:
    """Many attempts that have not been answered yet cannot slip past the bound."""
    lockout = Lockout(VirtualClock())
    assert sum(lockout.start("ada", "10.0.0.1") == 0 for _ in range(100)) == NAME_FREE


def test_memory_is_bounded() -> None:
    """Endless made-up names do not fill the memory."""
    lockout = Lockout(VirtualClock())
    for number in range(3 * MOST_ENTRIES):
        lockout.start(f"user-{number}", f"10.{number}")
    assert len(lockout._entries) <= MOST_ENTRIES + 2
