"""The hub's operators: opened before rows come, started when the hub listens, stopped after the last row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from lineshaft.clock import SystemClock
from lineshaft.config.models import ModelConfig, Plant
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.api.services import Check
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.models.desk import ModelDesk
from lineshaft.hub.models.wishes import Wishes
from lineshaft.hub.operators.backtest import Backtests
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import kinds_of, plan_operators
from lineshaft.hub.operators.trials import OperatorDesk
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream

_LOOK_EVERY: Final = 30.0  # seconds between two looks whether there is enough history for a model
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Working:
    """What works beside the API: operators, and the models that are trained for them."""

    desk: OperatorDesk
    live: Operators
    models: ModelDesk

    def replan(self, plant: Plant) -> None:
        """Run what a changed plant wants. Raises ConfigError when its section `operators` is wrong."""
        plan = plan_operators(plant)
        self.desk.plan = plan
        self.live.replan(plan)

    async def train_wanted(self, wanted: Sequence[ModelConfig], historian: Historian, state: State) -> None:
        """Train the models of the plant's files when there is enough history, for ever."""
        wishes = Wishes(wanted, self.models, historian, state)
        while wanted:
            try:
                await asyncio.to_thread(wishes.look, SystemClock().now_us())
            except StoreUnavailable as error:
                _log.error("models: later", error=str(error))
            await asyncio.sleep(_LOOK_EVERY)  # no event tells that there is enough history


@asynccontextmanager
async def working(
    plant: Plant, historian: ClickHouseHistorian, state: State, stream: LiveStream
) -> AsyncIterator[Working]:
    """Operators and backtests of a plant. Raises ConfigError when the section `operators` is wrong."""
    plan, site = plan_operators(plant), f"{plant.plant.enterprise}/{plant.plant.site}"
    models = ModelDesk(historian, state, SystemClock(), site)
    live = Operators(plan, historian, state, SystemClock(), publish=stream.publish, models=models.at_work)
    models.changed = live.refresh
    await asyncio.to_thread(live.open)
    historian.listen(live.feed.told)
    backtests = Backtests(historian)
    desk = OperatorDesk(plan, site, state.catalogue, backtests, live, models.can_be_tried, kinds_of(plant))
    try:
        yield Working(desk, live, models)
    finally:
        await asyncio.to_thread(models.stop)
        await asyncio.to_thread(backtests.stop)
        await asyncio.to_thread(live.stop)


def operator_check(live: Operators) -> Sequence[Check]:
    """Health of the operators; called in a thread."""
    found = live.figures()
    failing = [one for one in found if one.error]
    if not found:
        return ()
    if failing:
        first = failing[0]
        words = f"{len(failing)} of {len(found)} fail; {first.operator} on {first.asset}: {first.error}"
        return (Check("operators", "warn", words, "they are tried again by themselves; the others go on"),)
    return (Check("operators", "pass", f"{len(found)} run"),)
