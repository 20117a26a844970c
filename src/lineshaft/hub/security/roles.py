"""The four roles; each may do what the ones before it may."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """viewer: look; operator: act on the shop floor; engineer: import and configure; admin: users."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    ADMIN = "admin"

    def covers(self, other: Role) -> bool:
        """True when this role may do everything that `other` may."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Role)


def lower(first: Role, second: Role) -> Role:
    """The one of the two that may do less."""
    return second if first.covers(second) else first
