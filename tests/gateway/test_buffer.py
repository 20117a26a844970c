"""The disk buffer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.clock import VirtualClock
from lineshaft.errors import ConfigError
from lineshaft.gateway.buffer import ID_GAP, Buffer
from lineshaft.gateway.cursor import Cursor
from lineshaft.gateway.frames import MAX_ROWS, Frame, pieces
from lineshaft.gateway.keys import SignalKey
from lineshaft.gateway.store import BufferOptions
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire.columns import encode_rows
from lineshaft.wire.frames import BatchHeader
from lineshaft.wire.notes import DropNote, EventNote, decode_notes

KEYS = [SignalKey("press", "acme/north/press", name, "measure", "Double") for name in ("force", "stroke")]


def opened(
    folder: Path, clock: VirtualClock | None = None, uplinks: tuple[str, ...] = ("hub",), **options: int
) -> Buffer:
    buffer = Buffer(folder, clock or VirtualClock(), uplinks, BufferOptions(subject="north/gw", **options))
    buffer.open()
    buffer.register(KEYS)
    return buffer


def rows(start: int, count: int, signal: int = 0) -> SampleBatch:
    return SampleBatch.of(np.full(count, signal), start + np.arange(count), np.arange(count, dtype=float))


def pending(buffer: Buffer, uplink: str = "hub") -> list[Frame]:
    found, at = [], 0
    while (number := buffer.next_open(uplink, at)) is not None:
        frame = buffer.read(number)
        assert frame is not None
        found.append(frame)
        at = number
    return found


def test_frames_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Samples of every kind, texts and positions survive closing and opening; ids go on."""
    buffer = opened(tmp_path)
    batch = SampleBatch.of([0, 1, 0], [5, 6, 7], [1.5, np.nan, np.inf], [192, Quality.STALE, 66], ["ä", None, ""])
    buffer.append("press", batch, "line 3")
    buffer.append("press", SampleBatch.empty(), "line 9")
    buffer.close()
    again = opened(tmp_path)
    assert again.epoch == buffer.epoch
    assert again.position("press") == "line 9"
    first, second = pending(again)
    assert (first.id, first.device, first.position, second.id, second.rows) == (1, "press", "line 3", 2, 0)
    assert first.batch is not None
    assert first.batch.texts is not None
    assert first.batch.texts.tolist() == ["ä", None, ""]
    np.testing.assert_array_equal(first.batch.values, batch.values)
    assert first.batch.qualities.tolist() == batch.qualities.tolist()
    again.append("press", rows(1, 2))
    assert again.last == 3
    assert again.totals()[1].tolist() == [4, 1]


def test_large_batches_are_cut_to_the_size_of_a_message(tmp_path: Path) -> None:
    """No frame holds more rows or text than one message can take, and no row changes."""
    buffer = opened(tmp_path)
    buffer.append("press", rows(0, 10_000), "end")
    texts = SampleBatch.of(np.zeros(50), np.arange(50), np.full(50, np.nan), 192, ["x" * 20_000] * 50)
    buffer.append("press", texts)
    frames = pending(buffer)
    assert max(frame.rows for frame in frames) <= MAX_ROWS
    assert sum(frame.rows for frame in frames) == 10_050
    assert [frame.position for frame in frames[:3]] == [None, None, "end"]
    assert buffer.pending("hub") == 10_050


def test_delivered_frames_go_and_stay_gone(tmp_path: Path) -> None:
    """What an uplink delivered is not offered again after a restart, and its segments are removed."""
    buffer = opened(tmp_path, segment_bytes=20_000)
    for i in range(100):
        buffer.append("press", rows(i * 100, 100))
    buffer.acknowledge("hub", [*range(1, 60), 70, 70, 999])
    buffer.syncing()()
    again = opened(tmp_path, segment_bytes=20_000)
    assert [frame.id for frame in pending(again)] == [*range(60, 70), *range(71, 101)]
    assert again.pending("hub") == 4000
    again.acknowledge("hub", range(1, 101))
    assert again.pending("hub") == 0
    assert len(list(tmp_path.glob("*.seg"))) == 1
    again.append("press", rows(0, 1))
    assert again.last == 101


def test_each_uplink_has_its_own_place(tmp_path: Path) -> None:
    """A segment stays until the slowest uplink has delivered it."""
    buffer = opened(tmp_path, uplinks=("hub", "cloud"), segment_bytes=20_000)
    for i in range(100):
        buffer.append("press", rows(i, 100))
    buffer.acknowledge("hub", range(1, 101))
    assert (buffer.pending("hub"), buffer.pending("cloud")) == (0, 10_000)
    assert len(pending(buffer, "cloud")) == 100


@pytest.mark.parametrize("torn", [1, 7, 9, 100, 2107])
def test_a_torn_tail_is_cut(tmp_path: Path, torn: int) -> None:
    """After a write that did not finish everything before it is intact and writing goes on behind it."""
    buffer = opened(tmp_path)
    for i in range(3):
        buffer.append("press", rows(i * 1000, 100))
    buffer.syncing()()
    path = next(tmp_path.glob("*.seg"))
    os.truncate(path, path.stat().st_size - torn)
    again = opened(tmp_path)
    assert [frame.id for frame in pending(again)] == [1, 2]
    again.append("press", rows(5000, 1))
    assert [frame.id for frame in pending(opened(tmp_path))] == [1, 2, 3]


def test_a_batch_of_several_frames_is_whole_or_absent(tmp_path: Path) -> None:
    """When the last frame of a batch is torn, its other frames go too: a resumable source reads them again."""
    buffer = opened(tmp_path)
    buffer.append("press", rows(0, 10), "a")
    buffer.append("press", rows(0, 9000), "b")
    path = next(tmp_path.glob("*.seg"))
    os.truncate(path, path.stat().st_size - 1)
    again = opened(tmp_path)
    assert [frame.rows for frame in pending(again)] == [10]
    assert again.position("press") == "a"


def test_a_damaged_frame_is_told_and_disturbs_no_other(tmp_path: Path) -> None:
    """A flipped bit costs one frame, and an event says so."""
    buffer = opened(tmp_path)
    for i in range(3):
        buffer.append("press", rows(i * 1000, 100))
    path = next(tmp_path.glob("*.seg"))
    data = bytearray(path.read_bytes())
    data[16 + 2140 + 500] ^= 1
    path.write_bytes(data)
    assert buffer.read(2) is None
    found = pending(buffer)
    assert [frame.id for frame in found] == [1, 3, 4]
    assert "buffer.damaged" in found[2].note


def drops_of(frames: list[Frame]) -> Counter[str]:
    found: Counter[str] = Counter()
    for frame in frames:
        for note in decode_notes(frame.note) if frame.note else ():
            if isinstance(note, DropNote):
                for drop in note.drops:
                    found[drop.signal] += drop.rows
    return found


def test_at_the_bound_the_oldest_go_and_every_sample_is_accounted_for(tmp_path: Path) -> None:
    """expected = kept + dropped for each signal, whatever has been dropped; an event says so once."""
    buffer = opened(tmp_path, max_bytes=400_000)
    for i in range(2000):
        buffer.append("press", rows(i * 1000, 50, signal=i % 2))
        assert buffer.bytes < 420_000
    for _ in range(2):
        frames = pending(buffer)
        kept = Counter[str]()
        for frame in frames:
            if frame.batch is not None:
                kept[KEYS[int(frame.batch.signals[0])].path] += frame.rows
        assert kept + drops_of(frames) == {key.path: 50_000 for key in KEYS}
        events = [note for frame in frames if frame.note for note in decode_notes(frame.note)]
        assert sum(isinstance(note, EventNote) and note.event.kind == "buffer.dropped" for note in events) == 1
        assert buffer.status().dropped_rows + buffer.pending("hub") == 100_000
        assert buffer.totals()[1].tolist() == [50_000, 50_000]
        buffer.close()
        buffer = opened(tmp_path, max_bytes=400_000)


async def test_old_samples_go_by_age(tmp_path: Path) -> None:
    """What is older than the bound is dropped, with its reason."""
    clock = VirtualClock()
    options = BufferOptions(max_age=80.0)
    buffer = Buffer(tmp_path, clock, ["hub"], options)
    buffer.open()
    buffer.register(KEYS)
    for i in range(120):
        buffer.append("press", rows(i, 10))
        buffer.tidy()
        await clock.advance(1.0)
    frames = pending(buffer)
    oldest = min(frame.written for frame in frames if frame.batch is not None)
    assert clock.now_us() - oldest <= 92_000_000
    assert sum(drops_of(frames).values()) + buffer.pending("hub") == 1200


def test_a_changed_plant_keeps_what_is_buffered(tmp_path: Path) -> None:
    """Signal numbers in the buffer never change, so that old frames keep their meaning."""
    buffer = opened(tmp_path)
    buffer.append("press", rows(0, 3))
    other = SignalKey("pump", "acme/north/pump", "flow", "measure", "Float")
    assert buffer.register([other, KEYS[1], KEYS[0]]).tolist() == [2, 1, 0]
    again = opened(tmp_path)
    assert list(again.keys) == [*KEYS, other]
    assert again.undelivered_keys() == {0}


def test_a_damaged_signal_list_is_a_clear_error(tmp_path: Path) -> None:
    """A file that cannot be trusted is named, instead of giving samples to wrong signals."""
    opened(tmp_path).close()
    (tmp_path / "signals.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match=r"signals\.jsonl:1"):
        opened(tmp_path)


def test_ids_are_not_used_twice_after_a_power_cut(tmp_path: Path) -> None:
    """When frames may have been sent that the disk never kept, new frames get other ids."""
    buffer = opened(tmp_path)
    buffer.append("press", rows(0, 3))
    (tmp_path / "state").write_text("open another-boot")
    again = opened(tmp_path)
    again.append("press", rows(5, 1))
    assert [frame.id for frame in pending(again)] == [1, ID_GAP + 2]
    again.acknowledge("hub", [1, ID_GAP + 2])
    again.close()
    last = opened(tmp_path)
    assert pending(last) == []
    last.append("press", rows(6, 1))
    assert last.last == ID_GAP + 3


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from lineshaft.clock import SystemClock
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.store import BufferOptions
from lineshaft.gateway.keys import SignalKey
from lineshaft.model.samples import SampleBatch
buffer = Buffer(Path(sys.argv[1]), SystemClock(), ["hub"], BufferOptions(segment_bytes=50_000))
buffer.open()
ids = buffer.register([SignalKey("press", "acme/north/press", "force", "measure", "Double")])
n = int(buffer.position("press") or 0)
while True:
    count = 1 + n % 7
    batch = SampleBatch.of(np.full(count, ids[0]), n + np.arange(count), np.zeros(count))
    buffer.append("press", batch, str(n + count))
    n += count
    os.write(1, b"%d\\n" % n)
"""


def test_kill_9_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """Ten kills in the middle of writing: each sample is there once, in order, and the count is right."""
    for _ in range(10):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        last = b""
        for _ in range(300):
            last = process.stdout.readline()
        process.kill()
        rest = process.stdout.read().splitlines(keepends=True)
        told = int([line for line in [last, *rest] if line.endswith(b"\n")][-1])
        process.wait()
        process.stdout.close()
        buffer = opened(tmp_path)
        frames = pending(buffer)
        times = np.concatenate([frame.batch.times for frame in frames if frame.batch is not None])
        np.testing.assert_array_equal(times, np.arange(len(times)))
        assert len(times) >= told
        assert buffer.totals()[1][0] == len(times)
        assert buffer.position("press") == str(len(times))
        assert [frame.id for frame in frames] == list(range(1, len(frames) + 1))


FULL = """
import resource, signal, sys, json
from pathlib import Path
import numpy as np
from lineshaft.clock import SystemClock
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.store import BufferOptions
from lineshaft.gateway.keys import SignalKey
from lineshaft.model.samples import SampleBatch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
buffer = Buffer(Path(sys.argv[1]), SystemClock(), ["hub"], BufferOptions(memory_bytes=int(sys.argv[2])))
buffer.open()
ids = buffer.register([SignalKey("press", "acme/north/press", "force", "measure", "Double")])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for i in range(100):
    buffer.append("press", SampleBatch.of(np.full(100, ids[0]), i * 100 + np.arange(100), np.zeros(100)))
full = buffer.disk_full
held = buffer.pending("hub")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
buffer.close()
print(json.dumps([full, held, buffer.disk_full, int(buffer.totals()[1][0])]))
"""


@pytest.mark.parametrize("memory", [10_000_000, 30_000])
def test_a_full_disk_holds_samples_in_memory_and_counts_what_does_not_fit(tmp_path: Path, memory: int) -> None:
    """While the disk takes nothing the newest samples wait in memory; later all is on disk or in a drop note."""
    command = [sys.executable, "-c", FULL, str(tmp_path), str(memory)]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    full, held, still_full, total = json.loads(result.stdout.splitlines()[-1])
    assert (full, still_full, total) == (True, False, 10_000)
    buffer = opened(tmp_path)
    frames = pending(buffer)
    dropped = sum(drops_of(frames).values())
    assert sum(frame.rows for frame in frames) + dropped == 10_000
    assert held + dropped == 10_000
    assert (dropped > 0) == (memory == 30_000)
    kinds = [note.event.kind for f in frames if f.note for note in decode_notes(f.note) if isinstance(note, EventNote)]
    assert "buffer.disk_recovered" in kinds
    assert ("buffer.disk_full" in kinds) or dropped


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=20))
def test_a_cursor_is_a_set(ranges: list[tuple[int, int]]) -> None:
    """Ranges added in any order hold exactly the ids that were added."""
    cursor, plain = Cursor(), set[int]()
    for first, length in ranges:
        cursor.add(first, first + length - 1)
        plain.update(range(first, first + length))
    assert [number for number in range(50) if number in cursor] == sorted(plain)
    for number in range(1, 45):
        assert cursor.next_open(number) == next(n for n in range(number, 100) if n not in plain)
        assert cursor.covers(number, number + 2) == plain.issuperset(range(number, number + 3))
        assert [n for part in cursor.overlap(5, number) for n in part] == sorted(plain & set(range(5, number + 1)))
    assert cursor.low_water == next(n for n in range(1, 100) if n not in plain) - 1


@pytest.mark.parametrize("text", [None, "x", "€" * 40, "long " * 2000])
def test_no_message_is_too_long(text: str | None) -> None:
    """Whatever the rows are, what is cut for one message stays below 200 KB on the wire."""
    n = 20_000 if text is None or len(text) < 100 else 300
    texts = None if text is None else [text] * n
    worst = SampleBatch.of(np.zeros(n), 1_700_000_000_000_123, np.full(n, 1.5 if text is None else np.nan), 8, texts)
    parts = pieces(worst)
    assert sum(map(len, parts)) == n
    for part in parts:
        header = BatchHeader.of(bytes(16), [2**40], [len(part)])
        types = np.full(len(part), 10 if text is None else 12, np.uint8)
        aliases = np.full(len(part), 2**31, np.uint64)
        data = encode_rows(
            part, aliases, types, timestamp=1, seq=255, historical=True, header=header, header_alias=2**31
        )
        assert len(data) < 200_000


def test_a_drop_that_was_cut_short_is_finished_and_not_counted_twice(tmp_path: Path) -> None:
    """When the process dies between the drop note and the removal, the next start removes what the note told."""
    buffer = opened(tmp_path, max_bytes=200_000)
    written, gone, before = 0, list[Path](), dict[Path, bytes]()
    while not gone:
        before = {path: path.read_bytes() for path in tmp_path.glob("*.seg")}
        buffer.append("press", rows(written * 1000, 50))
        written += 1
        gone = [path for path in before if not path.exists()]
    gone[0].write_bytes(before[gone[0]])
    again = opened(tmp_path, max_bytes=200_000)
    assert not gone[0].exists()
    frames = pending(again)
    kept = sum(frame.rows for frame in frames)
    assert kept + drops_of(frames)[KEYS[0].path] == 50 * written
    assert again.pending("hub") == kept
