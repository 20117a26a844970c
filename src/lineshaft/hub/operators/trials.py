"""Where the API asks about operators: what runs, and what would have been found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lineshaft.config.operators import OperatorConfig
from lineshaft.errors import DataError
from lineshaft.hub.operators.backtest import BacktestJob, Backtests
from lineshaft.hub.operators.engine import Operators, RunFigures
from lineshaft.hub.operators.plan import Binding, Kinds, Planned, bindings, planned
from lineshaft.hub.ports import OPERATOR_NODE
from lineshaft.hub.state.catalogue import SqlCatalogue


@dataclass(slots=True)
class OperatorDesk:
    """`live` None: nothing runs, but backtests do. `plan` is replaced when the plant folder changes."""

    plan: tuple[Planned, ...]
    site: str  # path of the site
    catalogue: SqlCatalogue
    backtests: Backtests
    live: Operators | None = None
    models: Callable[[], Sequence[Planned]] = tuple  # versions of models that can be tried, one entry for each asset
    kinds: Kinds = field(default_factory=dict)

    def figures(self) -> Sequence[RunFigures]:
        """Every operator on every asset."""
        return () if self.live is None else self.live.figures()

    def try_now(self, operator: str, asset: str) -> bool:
        """Try one that fails without waiting; False when none fails there."""
        return self.live is not None and self.live.try_now(operator, asset)

    def known(self, id_: str) -> Sequence[Planned]:
        """An operator of the plant, or a version of a model like pumps-2. Raises DataError."""
        found = [one for one in (*self.plan, *self.models()) if one.id == id_]
        if found:
            return found
        known = ", ".join(candidate.id for candidate in self.plan) or "none"
        raise DataError(f"there is no operator {id_!r}", hint=f"the plant has: {known}")

    def tried(self, config: OperatorConfig) -> Planned:
        """An operator that is only tried. Raises DataError or ConfigError.

        Modules are loaded only when the plant's own files name them.
        """
        if ":" in config.operator and config.operator not in {one.config.operator for one in self.plan}:
            raise DataError(f"the plant does not use {config.operator}", hint="name it in the plant's operators first")
        return planned(config, self.site, self.kinds)

    def ask(self, wanted: Sequence[Planned], asset: str, start: int, end: int, by: str) -> BacktestJob:
        """A backtest over start <= time < end. Raises DataError when it fits no asset or too many wait."""
        if start >= end:
            raise DataError("start is not before end", hint="both in UTC microseconds")
        found = [one for one in self._bindings(wanted) if not asset or one.asset.path == asset]
        if not found:
            where = f"the asset {asset}" if asset else "any asset"
            raise DataError(
                f"operator {wanted[0].id} does not fit {where}", hint="does it have the signals that it needs?"
            )
        job = self.backtests.ask(
            lambda number: BacktestJob(
                id=number, by=by, operator=wanted[0].id, bindings=tuple(found), start=start, end=end
            )
        )
        if job is None:
            raise DataError("too many backtests wait already", hint="try again when one has ended")
        return job

    def using(self, path: str) -> Sequence[tuple[Binding, bool]]:
        """Operators and versions of models that read the signal with this path or write it (True: they write it)."""
        above = {path.rsplit("/", depth)[0] for depth in range(1, path.count("/") + 1)}
        nodes = [node for node in self.catalogue.equipment()[1] if node.path in above]
        own = self.catalogue.signals(min(above, key=len, default=""))
        ids = {one.path: one.id for one in own}
        signals = [one.born.signal for one in own if one.born.node != OPERATOR_NODE]
        found = []
        for one in bindings((*self.plan, *self.models()), nodes, signals, ids.__getitem__):
            if any(signal.path == path for signal in one.inputs):
                found.append((one, False))
            elif any(signal.path == path for signal in one.outputs):
                found.append((one, True))
        return found

    def _bindings(self, wanted: Sequence[Planned]) -> list[Binding]:
        _, equipment = self.catalogue.equipment()
        catalogued = self.catalogue.signals()
        ids = {one.path: one.id for one in catalogued}
        signals = [one.born.signal for one in catalogued if one.born.node != OPERATOR_NODE]
        return list(bindings(wanted, equipment, signals, ids.__getitem__))
