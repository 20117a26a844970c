"""Texts that never change: a maker's name, a version."""

from __future__ import annotations

from collections.abc import Mapping

from lineshaft.simulator.machines.base import Machine, Step
from lineshaft.simulator.tracks import Track


class Label(Machine):
    """Publishes fixed texts."""

    def __init__(self, path: str, texts: Mapping[str, str]) -> None:
        super().__init__(path, 0)
        self._texts = texts

    def advance(self, step: Step) -> None:
        """See Machine."""
        for name, text in self._texts.items():
            step.tracks[f"{self.path}/{name}"] = Track(step.begin, text)
