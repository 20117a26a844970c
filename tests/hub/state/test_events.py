"""Events and accounts, and the schema itself."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lineshaft.apps import builtin
from lineshaft.hub.state.events import StoredEvent
from lineshaft.hub.state.schema import metadata
from lineshaft.hub.state.state import State
from lineshaft.model.events import Event, Severity


def test_migrations_give_the_declared_tables(state: State) -> None:
    """What the migrations make is what schema.py declares."""
    assert builtin.APPS  # their tables are declared beside the hub's
    with state.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_events_come_newest_first_in_pages(state: State) -> None:
    """Pages follow each other without gap or repetition, also over equal times."""
    told: list[StoredEvent] = []
    state.events.on_add(told.extend)
    events = [Event(100 + n // 3, "k", f"a/b{n % 2}", f"m{n}", Severity.LOW, {"n": n}) for n in range(10)]
    state.events.add(events)
    assert [one.event for one in told] == events
    seen: list[StoredEvent] = []
    before = None
    while page := state.events.find(limit=4, before=before):
        seen += page
        before = page[-1].event.time, page[-1].id
    assert [one.event for one in seen] == events[::-1]
    assert [one.id for one in seen] == [one.id for one in told][::-1]


@pytest.mark.parametrize(
    ("subject", "since", "found"),
    [("a", None, 3), ("a/b_c", None, 1), ("a/b", None, 0), ("", 3, 1), ("a", 1, 2)],
)
def test_events_of_a_subject_and_time(state: State, subject: str, since: int | None, found: int) -> None:
    """A subject finds itself and what is below it, not what only begins alike; wildcards mean themselves."""
    subjects = ("a", "a/b_c", "a/bxc/d", "ab")
    state.events.add([Event(n, "k", one, "m") for n, one in enumerate(subjects)])
    assert len(state.events.find(subject=subject, since=since)) == found


def test_an_event_that_is_told_again_is_stored_once(state: State) -> None:
    """The journal may tell an event again after a kill; it is stored and shown once."""
    told: list[StoredEvent] = []
    state.events.on_add(told.extend)
    first, second = Event(1, "k", "a", "m"), Event(1, "k", "a", "other words")
    state.events.add([first])
    state.events.add([first, second])
    state.events.add([first])
    assert [one.event for one in told] == [first, second]
    assert len(state.events.find()) == 2


def test_no_events_are_nothing(state: State) -> None:
    """An empty list stores and tells nothing."""
    told: list[object] = []
    state.events.on_add(told.extend)
    state.events.add([])
    assert told == []
    assert state.events.find() == []
