"""What operators have found, as it is stored: added once, and put right when rows prove it wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.hub.operators.plan import Binding
from lineshaft.hub.state.events import WITHDRAWN, SqlEventStore
from lineshaft.hub.state.predictions import SqlPredictions
from lineshaft.model.events import Event, Severity
from lineshaft.model.predictions import Prediction
from lineshaft.operators.base import Output

_EVER: Final = 2**62


@dataclass(slots=True, eq=False)
class Found:
    """Events and predictions of a run over a range of time."""

    events: list[Event] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)

    def take(self, output: Output) -> None:
        """More of them."""
        self.events += output.events
        self.predictions += output.predictions


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The stored findings of runs. All methods raise StoreUnavailable, and may then be called again."""

    events: SqlEventStore
    predictions: SqlPredictions
    now_us: Callable[[], int]

    def add(self, binding: Binding, found: Output) -> None:
        """What is stored already is left out."""
        self._predict(binding, found.predictions)
        self.events.add(found.events)

    def after(self, binding: Binding, start: int, until: int = _EVER) -> Found | None:
        """What is stored with start < time <= until (UTC microseconds); None when that is nothing."""
        events = self.events.of_operator(*binding.key, start, until)
        predictions = self.predictions.of_operator(*binding.key, start, until)
        return Found(list(events), list(predictions)) if events or predictions else None

    def correct(self, binding: Binding, before: Found, found: Found) -> None:
        """Of `before` stays what was found again; the rest is withdrawn, and what is new is added."""
        operator = binding.key[0]
        gone = [event for event in before.events if event not in found.events]
        still = {_identity(event) for event in found.events}
        notices = [_withdrawn(event, operator) for event in gone if _identity(event) not in still]
        self.events.withdraw(gone, notices)
        self.events.add([event for event in found.events if event not in before.events])
        wrong = [one for one in before.predictions if one not in found.predictions]
        self.predictions.supersede(operator, wrong, self.now_us())
        self._predict(binding, [one for one in found.predictions if one not in before.predictions])

    def _predict(self, binding: Binding, predictions: Sequence[Prediction]) -> None:
        if predictions:
            self.predictions.add(binding.key[0], binding.asset.equipment.type, predictions, self.now_us())


def _identity(event: Event) -> tuple[int, str, str, str]:
    """Two events with the same one are one event, whatever their details."""
    return event.time, event.kind, event.subject, event.message


def _withdrawn(event: Event, operator: str) -> Event:
    details: dict[str, str | int | float | bool | None] = {
        "operator": operator,
        "withdrawn": event.kind,
        "at": event.time,
    }
    words = f"Withdrawn after late data: {event.message}"
    return Event(event.time, WITHDRAWN, event.subject, words, Severity.INFO, details)
