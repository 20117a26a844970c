"""Reasons for a stop from what the machine's past stops like it turned out to be, with the count as evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known about a stop when it begins; '' is "none"."""

    state: str
    hour: float  # local time of day, 0 <= hour < 24
    alarm: str = ""  # what the alarm nearest to the beginning says, without its figures
    words: str = ""  # the reason that the machine's own words stand for
    named: str = ""  # the reason that the alarm's words stand for


@dataclass(frozen=True, slots=True)
class PastStop:
    """An earlier stop of the same machine and the reason that a person gave."""

    signs: Signs
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reason, and why: `count` of `of` past stops with the same `signs` had it. of = 0: the machine's word alone."""

    reason: str
    count: int
    of: int
    signs: tuple[str, ...]  # names of fields of Signs; () is "all stops of the machine"


_LEVELS: tuple[tuple[str, ...], ...] = (
    ("alarm", "words", "state"), ("alarm", "state"), ("alarm",), ("words", "state"), ("words",), ("state", "hour"),
    ("state",), (),
)  # fmt: skip
"""Likenesses from the closest to the widest."""
_HOURS = 1.5
_Z = 1.0


def propose(
    signs: Signs, past: Sequence[PastStop], allowed: frozenset[str], most: int = 3, least: int = 3
) -> tuple[Proposal, ...]:
    """At most `most` reasons, the likeliest first; only those that are `allowed` on this machine.

    Of all likenesses with at least `least` past stops the one counts first whose leading reason is the surest: by the
    lower bound of the Wilson score interval (J. Am. Stat. Assoc. 22, 1927) at one standard deviation, so that 3 of 3 do
    not beat 38 of 40. Wider ones fill up. What the machine or its alarm itself says stands first until people have said
    otherwise.
    """
    found: list[tuple[float, int, tuple[str, ...], Counter[str], int]] = []
    for place, level in enumerate(_LEVELS):
        if any(not getattr(signs, name) for name in level if name != "hour"):
            continue
        alike = [one.reason for one in past if one.reason in allowed and _alike(signs, one.signs, level)]
        if len(alike) >= least:
            counts = Counter(alike)
            found.append((_lower(max(counts.values()), len(alike)), -place, level, counts, len(alike)))
    found.sort(key=lambda one: (-one[0], -one[1]))
    result: dict[str, Proposal] = {}
    told = {name for _, _, level, _, _ in found for name in level}
    if signs.words in allowed and "words" not in told:
        result[signs.words] = Proposal(signs.words, 0, 0, ("words",))
    if signs.named in allowed and "alarm" not in told:
        result.setdefault(signs.named, Proposal(signs.named, 0, 0, ("alarm",)))
    for _, _, level, counts, whole in found:
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            result.setdefault(reason, Proposal(reason, count, whole, level))
    return tuple(result.values())[:most]


def _alike(one: Signs, other: Signs, level: tuple[str, ...]) -> bool:
    for name in level:
        if name == "hour":
            apart = abs(one.hour - other.hour) % 24
            if min(apart, 24 - apart) > _HOURS:
                return False
        elif getattr(one, name) != getattr(other, name):
            return False
    return True


def _lower(count: int, of: int) -> float:
    """Lower bound of the Wilson score interval of count / of."""
    share, z2 = count / of, _Z * _Z
    middle = share + z2 / (2 * of)
    return (middle - _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of))) / (1 + z2 / of)
