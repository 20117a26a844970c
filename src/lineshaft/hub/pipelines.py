"""What the edge pipelines did to each signal, as the gateways last said; kept in memory, for it comes again soon."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lineshaft.wire.notes import PipelineNote, SignalPipeline


@dataclass(frozen=True, slots=True)
class ToldPipeline:
    """Figures of one signal since its gateway's start, and when they were told."""

    node: str
    time: int  # UTC microseconds
    figures: SignalPipeline


class Pipelines:
    """Thread-safe. A gateway that starts anew counts from 0, and so do these figures."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, ToldPipeline] = {}

    def told(self, node: str, note: PipelineNote) -> None:
        """See ports.PipelineSink."""
        new = {path: ToldPipeline(node, note.time, figures) for path, figures in note.signals.items()}
        with self._lock:
            self._told |= new

    def of(self, path: str) -> ToldPipeline | None:
        """The newest figures of a signal; None when no gateway has said anything about it."""
        with self._lock:
            return self._told.get(path)
