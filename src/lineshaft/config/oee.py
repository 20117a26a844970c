"""OEE in the plant folder: machines with their states and counters, lines, products and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from lineshaft.config.operators import OperatorConfig
from lineshaft.config.results import ShiftReportConfig, WebhookConfig
from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Id, duration_text

StateWord = Literal[
    "unknown", "running", "held", "setup", "waiting", "starved", "blocked", "stopped", "fault", "off"
]  # fmt: skip
LossWord = Literal["setup", "breakdown", "minor-stop", "starved", "blocked", "delay", "no-order"]


class BitConfig(Section):
    """A PLC bit that means a state."""

    signal: str = key(..., "Signal on the machine.")
    value: int = key(1, "It means the state when it has this value.")
    state: StateWord = key(..., "The state then.")


class PowerStatesConfig(Section):
    """States from electric power, for machines that tell nothing else."""

    signal: str = key("power", "Signal on the machine.")
    idle: float = key(..., "Below this it is off.", unit="signal", ge=0)
    running: float = key(..., "From this on it runs.", unit="signal", gt=0)
    hold: Duration = key(5.0, "A change counts when it lasts so long.", unit="s", ge=0)


class CountStatesConfig(Section):
    """States from the part counter alone."""

    longest: Duration = key(..., "Without a part for longer it stands.", unit="s", gt=0)


class MachineConfig(Section):
    """How OEE sees one machine. States come from exactly one of state, bits, power and counts."""

    asset: str = key(..., "Path of the asset below the site.")
    state: str = key("", "Signal that names the state.")
    standard: Literal["words", "packml", "packml-opc-30060", "mtconnect"] = key(
        "words", "What the values of `state` mean; a number counts as the word that the signal's `states` gives."
    )
    map: dict[str, StateWord] = key({}, "Raw value or word -> state, where the standard does not say it.")
    bits: tuple[BitConfig, ...] = key((), "PLC bits; the first that matches counts.")
    otherwise: StateWord = key("stopped", "The state when no bit matches.")
    power: PowerStatesConfig | None = key(None, "States from power.")
    counts: CountStatesConfig | None = key(None, "States from the part counter.")
    reason: str = key("", "Text signal in which the machine says why it stands.")
    good: str = key("", "Counter of good parts.")
    scrap: str = key("", "Counter of bad parts.")
    total: str = key("", "Counter of all parts, where there is none of good ones.")
    rework: str = key("", "Counter of reworked parts.")
    rollover: float | None = key(None, "The counters go from just below this to 0; none: every fall is a reset.", gt=0)
    product: str = key("", "Text signal with the product.")
    order: str = key("", "Text signal with the order.")
    speed: str = key("", "Signal that is drawn under the states.")
    cycle: Duration | None = key(None, "Ideal cycle of a product that has none of its own.", unit="s", gt=0)
    minor_stop: Duration = key(300.0, "A stop shorter than this is a minor one.", unit="s", gt=0)
    waiting: LossWord = key("no-order", "What waiting is that no neighbour in the line explains.")
    unplanned_work: bool = key(True, "Running in a break or outside of every shift counts as production.")
    hourly_cost: float = key(0.0, "What an hour of lost time costs, in the plant's currency.", ge=0)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = (bool(self.state), bool(self.bits), self.power is not None, self.counts is not None)
        if sum(given) != 1:
            raise ValueError("needs exactly one of state, bits, power and counts")
        if self.good and self.total:
            raise ValueError("has good and total; the good parts are counted by one of them")
        return self


class LineConfig(Section):
    """Machines that hand parts on."""

    path: str = key(..., "Path of the line below the site.")
    flow: tuple[str, ...] = key(..., "Its machines in the order of flow: ids below the line.", min_length=1)


class ProductConfig(Section):
    """What is made, with its ideal cycle on each machine."""

    id: str = key(..., "As the product signal and the orders write it.", min_length=1)
    name: str = key("", "Name that people read; the id when empty.")
    cycles: dict[str, Duration] = key({}, "Path of the machine below the site -> ideal cycle of one part.", unit="s")
    value: float = key(0.0, "What a good part is worth, in the plant's currency.", ge=0)
    load: float = key(
        1.0, "Load of the machines while it is made, by that of a usual product; counts for the remaining life.",
        gt=0, le=10,
    )  # fmt: skip


class ReasonConfig(Section):
    """Why a machine stood: a node of the tree that people choose from."""

    id: Id = key(..., "Unique in the whole tree.")
    name: str = key(..., "What people read and tap.")
    loss: LossWord = key("breakdown", "Which loss it is; what was planned belongs in the calendar, beforehand.")
    failure: bool = key(False, "It is a failure of the machine: it counts for MTBF, MTTR and reliability.")
    external: bool = key(False, "Set-up work that could be done while the machine still runs (SMED).")
    match: tuple[str, ...] = key((), "The machine's own words that mean it; '*' at the end for any rest.")
    equipment: tuple[str, ...] = key(("",), "Paths below the site where it is offered.")
    children: tuple[ReasonConfig, ...] = key((), "Finer reasons.")


class OeeConfig(Section):
    """Overall equipment effectiveness."""

    machines: tuple[MachineConfig, ...] = key((), "Machines whose effectiveness is measured.")
    lines: tuple[LineConfig, ...] = key((), "Lines, with the flow through their machines.")
    products: tuple[ProductConfig, ...] = key((), "Products.")
    reasons: tuple[ReasonConfig, ...] = key((), "The tree of reasons.")
    minor_stops: Literal["availability", "performance"] = key(
        "availability",
        "Which loss minor stops are: availability as ISO 22400-2 has it, or performance as the six big losses do.",
    )
    webhooks: tuple[WebhookConfig, ...] = key((), "Systems that are told when a shift or an order has ended.")
    reports: tuple[ShiftReportConfig, ...] = key((), "Shift reports by mail; they need `mail` of the hub.")
    settle: Duration = key(
        300.0, "A shift or an order is reported so long after its end, so that late rows are in.", unit="s", ge=0
    )
    stop_events: Duration | None = key(
        None, "A stop from this length on is an event; none: one that is no minor stop.", unit="s", ge=0
    )


class MachineStatesConfig(Section):
    """What the operator that tells machine states needs; for the section `oee` it is made by itself."""

    machines: tuple[MachineConfig, ...] = key((), "Machines.")
    lines: tuple[LineConfig, ...] = key((), "Lines, with the flow through their machines.")
    reasons: tuple[ReasonConfig, ...] = key((), "The tree of reasons.")
    names: dict[str, str] = key({}, "Path of a machine below the site -> the name that people read.")
    currency: str = key("", "Currency of the costs.")
    least: Duration | None = key(None, "See stop_events.", unit="s", ge=0)


_DAY = 86_400.0
STATES_ID = "machine-states"
"""Id of the operator that the section `oee` brings with it."""


def states_operator(oee: OeeConfig, names: Mapping[str, str], currency: str) -> OperatorConfig | None:
    """The operator over all lines and machines of the section, written as a plant file would; None without machines."""
    if not oee.machines:
        return None
    in_flow = {f"{line.path}/{name}" for line in oee.lines for name in line.flow}
    assets = [line.path for line in oee.lines] + [one.asset for one in oee.machines if one.asset not in in_flow]
    options: dict[str, Any] = {
        "machines": [_machine(one) for one in oee.machines],
        "lines": [one.model_dump(mode="json") for one in oee.lines],
        "reasons": [one.model_dump(mode="json", exclude_defaults=True) for one in oee.reasons],
        "names": {one.asset: names[one.asset] for one in oee.machines if one.asset in names},
        "currency": currency,
    }
    if oee.stop_events is not None:
        options["least"] = duration_text(oee.stop_events)
    return OperatorConfig(id=STATES_ID, operator=STATES_ID, assets=tuple(assets), options=options, past=_DAY)


def _machine(config: MachineConfig) -> dict[str, Any]:
    found = config.model_dump(mode="json", exclude_defaults=True)
    power, counts = found.get("power", {}), found.get("counts", {})
    for section, name in ((found, "cycle"), (found, "minor_stop"), (power, "hold"), (counts, "longest")):
        if name in section:
            section[name] = duration_text(section[name])
    return found
