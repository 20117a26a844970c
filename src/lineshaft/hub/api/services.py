"""What the API serves from: the parts of the hub, put together by the process that starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import Depends
from starlette.requests import HTTPConnection

from lineshaft.clock import Clock, SystemClock
from lineshaft.errors import AccessDenied
from lineshaft.hub.asset_figures import AssetFigures
from lineshaft.hub.broker.desk import BrokerDesk
from lineshaft.hub.commands import Commands, Send
from lineshaft.hub.configuration import Configurations
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.models.desk import ModelDesk
from lineshaft.hub.operators.trials import OperatorDesk
from lineshaft.hub.pipelines import Pipelines
from lineshaft.hub.plans import Plans
from lineshaft.hub.requests import Requests
from lineshaft.hub.security.identity import Identity, Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.shift_calendars import ShiftCalendars
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.hub.usage import Uses


@dataclass(frozen=True, slots=True)
class PlantInfo:
    """What pages say about the plant."""

    name: str
    timezone: str  # IANA name
    currency: str = "EUR"  # ISO 4217
    calendar: ShiftCalendars = field(default_factory=ShiftCalendars)  # shifts of equipment or a signal


@dataclass(frozen=True, slots=True)
class Check:
    """Health of one part: what was found, in words, and how to mend it."""

    part: str
    state: Literal["pass", "warn", "fail"]
    words: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Restart:
    """How the hub starts anew when somebody asks for it."""

    waiting: Callable[[], Sequence[str]]  # sections of the plant folder that were changed and are not taken yet
    seconds: Callable[[], float]  # how long the last start took
    ask: Callable[[str], None]  # thread-safe; by whom: end in order, and start again


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one hub. `state` and `historian` are open, and stay open longer than the app."""

    historian: Historian
    state: State
    stream: LiveStream
    plant: PlantInfo
    clock: Clock = field(default_factory=SystemClock)
    requests: Requests = field(default_factory=lambda: Requests(lambda node, metric: False))  # asks gateways
    checks: tuple[Callable[[], Sequence[Check]], ...] = ()  # health of broker, ingest ...; called in a thread
    figures: Callable[[], Mapping[str, Any]] = dict  # counters of ingest, shown with the health; called in a thread
    rate_limit: float = 0.0  # requests a second that one user or token may make; 0: no bound
    pipelines: Pipelines = field(default_factory=Pipelines)  # what the gateways' steps did
    command: Send = lambda node, command: False  # sends a command to a gateway
    operators: OperatorDesk | None = None  # operators at work and backtests
    models: ModelDesk | None = None  # what is trained and can be
    uses: Uses = field(default_factory=Uses)  # who uses a signal
    assets: AssetFigures = field(default_factory=AssetFigures)  # what apps can tell about an asset over time
    plans: Plans = field(default_factory=Plans)  # what assets are planned to do, and did
    broker: BrokerDesk | str = "none"  # accounts of the embedded broker, or the URL of another one
    restart: Restart | None = None  # None: only who started the hub can start it anew
    fault_url: str = ""  # http://host:port of the simulator's fault API; '' when there is no simulator
    fault_token: str = ""  # its bearer token


async def services_of(connection: HTTPConnection) -> Services:
    """The services of the running app."""
    services: Services = connection.app.state.services
    return services


async def identity_of(connection: HTTPConnection) -> Identity:
    """Signs people in and out."""
    identity: Identity = connection.app.state.identity
    return identity


async def configurations_of(connection: HTTPConnection) -> Configurations:
    """The configurations of the gateways."""
    configurations: Configurations = connection.app.state.configurations
    return configurations


async def commands_of(connection: HTTPConnection) -> Commands:
    """Sets values on devices."""
    services: Services = connection.app.state.services
    return Commands(services.state, services.command, services.clock)


async def principal_of(connection: HTTPConnection) -> Principal:
    """Who is asking. Raises AccessDenied on a route that is open to all and where nobody is signed in."""
    principal: Principal | None = connection.scope["state"].get("principal")
    if principal is None:
        raise AccessDenied("nobody is signed in")
    return principal


Parts = Annotated[Services, Depends(services_of)]
People = Annotated[Identity, Depends(identity_of)]
Configs = Annotated[Configurations, Depends(configurations_of)]
Desk = Annotated[Commands, Depends(commands_of)]
Caller = Annotated[Principal, Depends(principal_of)]


def needs(role: Role) -> Any:
    """A dependency that lets only this role and those above it through."""

    async def check(caller: Caller) -> None:
        if not caller.role.covers(role):
            raise AccessDenied(f"this needs the role {role}; {caller.name} has {caller.role}")

    return Depends(check)
