"""The table of docs/guide/sparkplug.md: each statement, and where it is checked."""

from __future__ import annotations

from tests.sparkplug import host_active
from tests.sparkplug.checks import EDGE, HOST, NO_DATASETS, NO_TEMPLATES
from tests.sparkplug.edge_active import ACTIVE, NEVER
from tests.sparkplug.ids import ALL, GROUPS, TITLES

SERVER = ("conformance-mqtt-qos0", "conformance-mqtt-qos1", "conformance-mqtt-retained")
WILLS = "conformance-mqtt-will-messages"
COVERED = {*EDGE, *HOST, *ACTIVE, *SERVER, WILLS}
NEVER_DONE = {*NEVER, *NO_DATASETS, *NO_TEMPLATES}
PLACES = ("subscriber", "connection", "broker", "never done", "not checked")
assert host_active


def place(name: str) -> str:
    """Where a statement is checked, one of PLACES."""
    if name in NEVER_DONE:
        return "never done"
    if name in EDGE or name in HOST:
        return "subscriber"
    if name in ACTIVE:
        return "connection"
    return "broker" if name in COVERED else "not checked"


def markdown() -> str:
    """The counts, and then all ids by group."""
    lines = [f"| group | about | statements | {' | '.join(PLACES)} |", f"|---|---|{'---|' * (len(PLACES) + 1)}"]
    places = {name: place(name) for name in ALL}
    for group, title in TITLES.items():
        names = [name for name, (of, _) in ALL.items() if of == group]
        counts = [sum(places[name] == one for name in names) for one in PLACES]
        lines.append(f"| {group} | {title} | {len(names)} | {' | '.join(str(count or '') for count in counts)} |")
    totals = [sum(one == found for found in places.values()) for one in PLACES]
    lines.append(f"| | all | {len(ALL)} | {' | '.join(map(str, totals))} |")
    for group, tags in GROUPS.items():
        lines += ["", f"### {group} {TITLES[group]}", "", "| checked | ids |", "|---|---|"]
        names = [name for ids in tags.values() for name in ids]
        for one in PLACES:
            found = [name for name in names if places[name] == one]
            if found:
                lines.append(f"| {one} | {', '.join(found)} |")
    return "\n".join(lines) + "\n"
