"""The journal, the frame log and blocks, on a real file system."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ingest.blocks import Block, FrameRef, NoteRef, Part
from lineshaft.hub.ingest.frames import MAX_EPOCHS, MAX_HOLES, FrameLog, FrameState, Ranges
from lineshaft.hub.ingest.journal import Journal
from lineshaft.model.samples import SampleBatch

EPOCH = bytes(16)
NODE = "north/gw1"


def block(frame: int, rows: int = 5) -> Block:
    texts = [None] * (rows - 1) + ["tëxt"]
    batch = SampleBatch.of(np.arange(rows), np.arange(rows) + 7, np.arange(rows) / 3, 192, texts)
    note = NoteRef(NODE, '[{"type":"x"}]')
    return Block.of([Part(batch, np.ones(rows, np.bool_), 0.0, FrameRef(NODE, EPOCH, (frame,)), note)])


def opened(folder: Path) -> tuple[Journal, FrameLog, list[tuple[int, Block]]]:
    frames = FrameLog()
    journal = Journal(folder, frames)
    return journal, frames, journal.open()


def test_an_unfinished_block_comes_back_with_its_token(tmp_path: Path) -> None:
    """What was appended and not done is given back at the next start, unchanged and under the same token."""
    journal, frames, found = opened(tmp_path)
    assert found == []
    journal.done(journal.append(block(1)), block(1))
    number = journal.append(block(2))
    token = journal.token(number)
    assert frames.claim(NODE, EPOCH, 2) is FrameState.NEW  # not committed before it is done
    again, frames, found = opened(tmp_path)
    assert [(one, again.token(one)) for one, _ in found] == [(number, token)]
    batch = found[0][1].batch
    assert batch.times.tolist() == [7, 8, 9, 10, 11]
    assert batch.values.tolist() == [0, 1 / 3, 2 / 3, 1.0, 4 / 3]
    assert batch.texts is not None
    assert batch.texts.tolist() == [None, None, None, None, "tëxt"]
    assert found[0][1].notes == (NoteRef(NODE, '[{"type":"x"}]'),)
    assert frames.claim(NODE, EPOCH, 1) is FrameState.COMMITTED
    assert again.append(block(3)) > number
    journal.close()
    again.close()


@pytest.mark.parametrize("cut", [1, 10, 40, 200])
def test_a_torn_end_is_left_out(tmp_path: Path, cut: int) -> None:
    """A kill in the middle of a write costs that block alone, which was not acknowledged."""
    journal, _, _ = opened(tmp_path)
    journal.done(journal.append(block(1)), block(1))
    journal.append(block(2))
    journal.close()
    path = tmp_path / "journal.log"
    path.write_bytes(path.read_bytes()[:-cut])
    journal, frames, found = opened(tmp_path)
    assert found == []
    assert frames.claim(NODE, EPOCH, 1) is FrameState.COMMITTED
    assert frames.claim(NODE, EPOCH, 2) is FrameState.NEW
    journal.append(block(2))
    journal.close()
    journal, _, found = opened(tmp_path)
    assert len(found) == 1
    journal.close()


def test_a_full_journal_begins_anew_and_remembers(tmp_path: Path) -> None:
    """The file stays small; frames of before are still known."""
    journal = Journal(tmp_path, FrameLog(), rotate_bytes=2000)
    journal.open()
    for frame in range(1, 101):
        journal.done(journal.append(block(frame)), block(frame))
    token = journal.token(101)
    journal.close()
    assert (tmp_path / "journal.log").stat().st_size < 3000
    journal, frames, found = opened(tmp_path)
    assert found == []
    assert all(frames.claim(NODE, EPOCH, frame) is FrameState.COMMITTED for frame in range(1, 101))
    assert frames.claim(NODE, EPOCH, 101) is FrameState.NEW
    assert journal.token(journal.append(block(101))) == token
    journal.close()


def test_a_damaged_snapshot_is_not_passed_over(tmp_path: Path) -> None:
    """Starting without the memory of frames could store some twice: it is refused with words."""
    journal, _, _ = opened(tmp_path)
    journal.close()
    (tmp_path / "committed.json").write_text("{")
    with pytest.raises(StoreUnavailable, match=r"committed\.json"):
        opened(tmp_path)


def test_ranges_join_and_stay_few() -> None:
    """Ids in any order become ranges; beyond the bound the oldest hole is closed."""
    ranges = Ranges()
    for number in (5, 1, 3, 2, 4, 9, 7):
        ranges.add(number)
        ranges.add(number)
    assert ranges.pairs() == [(1, 5), (7, 7), (9, 9)]
    assert [number for number in range(12) if number in ranges] == [1, 2, 3, 4, 5, 7, 9]
    for number in range(0, 2 * MAX_HOLES + 20, 2):
        ranges.add(number)
    assert len(ranges.pairs()) == MAX_HOLES


def test_ranges_are_what_a_set_would_be() -> None:
    """Random ids in random order give the same membership as a set."""
    random = np.random.default_rng(3)
    numbers = random.integers(0, 400, 300).tolist()
    ranges = Ranges()
    for number in numbers:
        ranges.add(number)
    assert {number for number in range(400) if number in ranges} == set(numbers)
    pairs = ranges.pairs()
    assert all(left[1] + 1 < right[0] for left, right in pairwise(pairs))


def test_a_frame_is_pending_until_it_is_committed_or_released() -> None:
    """A repetition of a frame that waits is not taken again; a released one is."""
    frames = FrameLog()
    assert frames.claim(NODE, EPOCH, 1) is FrameState.NEW
    assert frames.claim(NODE, EPOCH, 1) is FrameState.PENDING
    assert frames.claim("north/gw2", EPOCH, 1) is FrameState.NEW
    frames.release(NODE, EPOCH, [1])
    assert frames.claim(NODE, EPOCH, 1) is FrameState.NEW
    frames.commit(NODE, EPOCH, [1])
    assert frames.claim(NODE, EPOCH, 1) is FrameState.COMMITTED


def test_only_the_last_epochs_of_a_node_are_kept() -> None:
    """Memory is bounded; the epochs in use stay."""
    frames = FrameLog()
    for number in range(MAX_EPOCHS + 5):
        frames.commit(NODE, number.to_bytes(16, "big"), [1])
        frames.commit(NODE, EPOCH, [number + 1])
    kept = {bytes.fromhex(epoch) for node, epoch, _ in frames.to_json()}
    assert len(kept) == MAX_EPOCHS
    assert EPOCH in kept
