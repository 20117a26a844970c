"""Rules: a condition over signals that holds long enough is an event, at the edge and in the hub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineshaft.clock import MICROSECONDS
from lineshaft.config.expressions import Expression
from lineshaft.config.rules import RuleConfig
from lineshaft.errors import DataError
from lineshaft.model.equipment import Signal
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import CLASS_MASK, SampleBatch
from lineshaft.operators.aligned import Aligned
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule; delays in microseconds. Without `until` it ends when `when` holds no more."""

    id: str
    subject: str  # path of the asset
    inputs: tuple[tuple[str, int], ...]  # (name, handle)
    when: Expression
    until: Expression | None
    delay: int
    until_delay: int
    severity: Severity
    message: str
    mend: str = ""

    @staticmethod
    def of(config: RuleConfig, subject: str, handles: Mapping[str, int]) -> Rule:
        """A rule ready to run; `handles`: name in `config.inputs` -> handle. Raises ConfigError for a bad formula."""
        return Rule(
            id=config.id,
            subject=subject,
            inputs=tuple((name, handles[name]) for name in config.inputs),
            when=Expression(config.when, config.inputs),
            until=Expression(config.until, config.inputs) if config.until else None,
            delay=round(config.delay * MICROSECONDS),
            until_delay=round(config.until_delay * MICROSECONDS),
            severity=config.severity,
            message=config.message,
            mend=config.mend,
        )


class Judge:
    """State of one rule. Unknown (an input is bad or missing) begins and ends nothing, and a delay starts anew."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._aligned = Aligned(rule.inputs)
        self._raised = False
        self._raised_at = 0
        self._since: int | None = None

    def update(self, batch: SampleBatch) -> list[Event]:
        """What begins and ends with the rows; `batch.signals` are the rule's handles, rows come in time order."""
        aligned = self._aligned.update(batch)
        if aligned is None:
            return []
        times, columns, worst = aligned
        rule = self._rule
        usable = worst & CLASS_MASK != 0
        begins = np.where(usable, rule.when(columns, len(times)), np.nan)
        if rule.until is None:
            ends = 1.0 - (begins != 0)
            ends[np.isnan(begins)] = np.nan
        else:
            ends = np.where(usable, rule.until(columns, len(times)), np.nan)
        events = []
        for row, (time, begin, end) in enumerate(zip(times.tolist(), begins.tolist(), ends.tolist(), strict=True)):
            wanted = end if self._raised else begin
            if wanted != wanted or not wanted:  # NaN: unknown
                self._since = None
                continue
            self._since = time if self._since is None else self._since
            if time - self._since >= (rule.until_delay if self._raised else rule.delay):
                events.append(self._turn(time, {name: float(column[row]) for name, column in columns.items()}))
        return events

    def _turn(self, time: int, values: dict[str, float]) -> Event:
        rule = self._rule
        self._raised, self._since = not self._raised, None
        details: dict[str, str | int | float | bool | None] = {"rule": rule.id, **values}
        if self._raised:
            self._raised_at = time
            details |= {"condition": rule.when.text, "mend": rule.mend}
            return Event(time, f"rule.{rule.id}.raised", rule.subject, rule.message, rule.severity, details)
        details |= {"seconds": (time - self._raised_at) / 1e6}
        return Event(time, f"rule.{rule.id}.ended", rule.subject, f"Over: {rule.message}", Severity.INFO, details)

    def snapshot(self) -> bytes:
        """The whole state."""
        return json.dumps([self._aligned.snapshot(), self._raised, self._raised_at, self._since]).encode()

    def restore(self, snapshot: bytes) -> None:
        """Go on as the instance that gave the snapshot. Raises DataError."""
        try:
            aligned, self._raised, self._raised_at, self._since = json.loads(snapshot)
            self._aligned.restore(aligned)
        except (ValueError, TypeError) as error:
            raise DataError(f"no snapshot of a rule: {error}") from error


class RuleOperator:
    """One rule over one asset; implements operators.base.Operator."""

    def __init__(self, config: RuleConfig, subject: str, inputs: Mapping[str, Signal]) -> None:
        self.inputs: Sequence[Signal] = tuple(inputs.values())
        self.outputs: Sequence[Signal] = ()
        self._judge = Judge(Rule.of(config, subject, {name: place for place, name in enumerate(inputs)}))

    def update(self, batch: SampleBatch) -> Output:
        """See operators/base.py."""
        return Output(tuple(self._judge.update(batch)))

    def snapshot(self) -> bytes:
        """See operators/base.py."""
        return self._judge.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """See operators/base.py."""
        self._judge.restore(snapshot)


def _create(config: RuleConfig, asset: Asset) -> Operator | None:
    found = {name: asset.signal(path) for name, path in config.inputs.items()}
    inputs = {name: signal for name, signal in found.items() if signal is not None}
    return RuleOperator(config, asset.path, inputs) if len(inputs) == len(found) else None


SPEC = OperatorSpec("rule", "Rule", RuleConfig, _create, "A condition that holds long enough is an event.")
