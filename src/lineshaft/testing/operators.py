"""What every operator promises, as a suite over a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from lineshaft.errors import DataError
from lineshaft.model.samples import GOOD_CLASS, Quality, SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


@dataclass(frozen=True)
class OperatorSetup:
    """An operator, an asset that it fits, and rows that make it find something.

    options    as a plant file would write them
    recording  rows in the order of their times; `signals` are places in the operator's inputs
    """

    spec: OperatorSpec
    options: Mapping[str, Any]
    asset: Asset
    recording: SampleBatch

    def operator(self) -> Operator:
        """A new one for the asset."""
        made = self.spec.create(self.spec.options.model_validate(self.options), self.asset)
        if made is None:
            raise AssertionError("the operator does not take the asset of the setup")
        return made

    def cuts(self, seed: int, parts: int) -> list[SampleBatch]:
        """The recording cut at chance places between different times."""
        edges = np.flatnonzero(np.diff(self.recording.times)) + 1
        count = min(parts - 1, len(edges))
        chosen = np.sort(np.random.default_rng(seed).choice(edges, count, replace=False))
        bounds = [0, *chosen.tolist(), len(self.recording)]
        return [self.recording.take(slice(a, b)) for a, b in pairwise(bounds)]


def run_whole(operator: Operator, batches: list[SampleBatch]) -> Output:
    """All that an operator finds in batches, as one output."""
    found = [operator.update(batch) for batch in batches]
    return _joined(found)


def _joined(found: Sequence[Output]) -> Output:
    return Output(
        tuple(event for one in found for event in one.events),
        SampleBatch.concat(one.samples for one in found),
        tuple(prediction for one in found for prediction in one.predictions),
    )


def _expect_same(one: Output, other: Output, when: str) -> None:
    _expect(one.events == other.events, f"{when}: {len(one.events)} and {len(other.events)} events, or different ones")
    _expect(one.predictions == other.predictions, f"{when}: the predictions differ")
    for name in ("signals", "times", "values", "qualities"):
        same = np.array_equal(getattr(one.samples, name), getattr(other.samples, name), equal_nan=name == "values")
        _expect(same, f"{when}: the {name} of samples differ")


class OperatorContract:
    """Subclass it and give a fixture `setup` that returns an OperatorSetup."""

    def test_finds_something(self, setup: OperatorSetup) -> None:
        """The recording gives events, samples or predictions, so that the other promises say something."""
        found = run_whole(setup.operator(), [setup.recording])
        _expect(bool(found.events or len(found.samples) or found.predictions), "nothing was found in the recording")

    def test_how_rows_are_cut_does_not_matter(self, setup: OperatorSetup) -> None:
        """One batch, or many cut by chance: the same events and samples, bit for bit."""
        whole = run_whole(setup.operator(), [setup.recording])
        for seed, parts in enumerate((2, 7, 50, len(setup.recording))):
            _expect_same(run_whole(setup.operator(), setup.cuts(seed, parts)), whole, f"in {parts} batches")

    def test_goes_on_from_a_snapshot(self, setup: OperatorSetup) -> None:
        """A new instance that takes the snapshot over, at any place, finds what the old one would have found."""
        whole = run_whole(setup.operator(), [setup.recording])
        operator, found = setup.operator(), []
        for batch in setup.cuts(1, 12):
            found.append(operator.update(batch))
            state = operator.snapshot()
            operator = setup.operator()
            operator.restore(state)
        _expect_same(_joined(found), whole, "with a restart after each batch")

    def test_a_snapshot_is_stable(self, setup: OperatorSetup) -> None:
        """A snapshot changes nothing, and the one of a restored instance is the same."""
        operator, other = setup.operator(), setup.operator()
        operator.update(setup.recording)
        state = operator.snapshot()
        other.restore(state)
        _expect(operator.snapshot() == state == other.snapshot(), "the snapshots differ")

    def test_a_foreign_snapshot_is_refused(self, setup: OperatorSetup) -> None:
        """Bytes that are no snapshot raise DataError."""
        try:
            setup.operator().restore(b"\x00no snapshot")
        except DataError:
            return
        raise AssertionError("bytes that are no snapshot were taken")

    def test_nothing_gives_nothing(self, setup: OperatorSetup) -> None:
        """An empty batch is allowed at any time and finds nothing."""
        operator = setup.operator()
        for _ in range(2):
            found = operator.update(SampleBatch.empty())
            nothing = not found.events and not len(found.samples) and not found.predictions
            _expect(nothing, "something was found in nothing")

    def test_names_what_it_makes(self, setup: OperatorSetup) -> None:
        """Events are about the asset or a part of it, predictions about the asset and one of a kind at a time, their
        times lie in the recording; samples name an output."""
        operator = setup.operator()
        found = run_whole(operator, [setup.recording])
        first, last = int(setup.recording.times[0]), int(setup.recording.times[-1])
        for event in found.events:
            inside = event.subject == setup.asset.path or event.subject.startswith(setup.asset.path + "/")
            _expect(inside, f"an event is about {event.subject}")
            _expect(first <= event.time <= last, f"an event at {event.time} is outside of the recording")
        for prediction in found.predictions:
            _expect(prediction.subject == setup.asset.path, f"a prediction is about {prediction.subject}")
            _expect(first <= prediction.time <= last, f"a prediction at {prediction.time} is outside of the recording")
        keys = [(one.time, one.kind, one.model, one.version) for one in found.predictions]
        _expect(len(set(keys)) == len(keys), "there are two predictions of one kind at one time")
        _expect(bool(np.all(found.samples.signals < len(operator.outputs))), "a sample is of no output")

    def test_bad_values_are_borne(self, setup: OperatorSetup) -> None:
        """Rows of bad quality without a value raise nothing, and are never more than the good rows tell."""
        bad = np.arange(len(setup.recording)) % 3 == 0
        values = np.where(bad, np.nan, setup.recording.values)
        qualities = np.where(bad, Quality.BAD_COMMUNICATION, GOOD_CLASS).astype(np.uint8)
        run_whole(setup.operator(), [replace(setup.recording, values=values, qualities=qualities)])
        nothing = np.full(len(setup.recording), np.nan)
        communication = np.full(len(setup.recording), Quality.BAD_COMMUNICATION, np.uint8)
        found = run_whole(setup.operator(), [replace(setup.recording, values=nothing, qualities=communication)])
        usable = found.samples.qualities & GOOD_CLASS != 0
        _expect(not bool(np.any(usable)), "good samples were made of bad rows alone")

    def test_an_asset_without_its_signals_is_passed_over(self, setup: OperatorSetup) -> None:
        """An asset that has none of the signals gives no operator, without an error."""
        made = setup.spec.create(setup.spec.options.model_validate(setup.options), replace(setup.asset, signals=()))
        _expect(made is None, "an operator was made for an asset without signals")
