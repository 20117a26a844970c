"""Frames that the disk does not take now, held in memory within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from lineshaft.gateway.frames import Frame


class Overflow:
    """Frames with consecutive ids, the oldest first, each with its bytes."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, tuple[Frame, bytes]] = OrderedDict()
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return (frame for frame, _ in self._frames.values())

    @property
    def first(self) -> int | None:
        """Id of the oldest frame."""
        return next(iter(self._frames), None)

    def get(self, number: int) -> Frame | None:
        """A frame by its id."""
        held = self._frames.get(number)
        return None if held is None else held[0]

    def add(self, frames: Sequence[Frame], data: Sequence[bytes]) -> None:
        """Hold frames behind all others."""
        for frame, piece in zip(frames, data, strict=True):
            self._frames[frame.id] = (frame, piece)
            self.bytes += len(piece)

    def oldest(self, count: int) -> tuple[list[Frame], list[bytes]]:
        """The oldest frames and their bytes, at most `count`."""
        held = [pair for pair, _ in zip(self._frames.values(), range(count), strict=False)]
        return [frame for frame, _ in held], [piece for _, piece in held]

    def pop(self, count: int = 1) -> list[Frame]:
        """Take the oldest frames out."""
        frames = []
        for _ in range(count):
            _, (frame, piece) = self._frames.popitem(last=False)
            self.bytes -= len(piece)
            frames.append(frame)
        return frames
