"""What the hub (or the command `lineshaft connect`) may ask about a device that is to be connected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from lineshaft.config.bundle import Bundle
from lineshaft.config.models import Plant, ProfileConfig, SignalConfig
from lineshaft.drivers.base import Browses, Driver, DriverSpec, Point
from lineshaft.errors import ConfigError, LineshaftError, RetryableError
from lineshaft.gateway.connect import propose, visit
from lineshaft.gateway.connect.address import parse_address
from lineshaft.gateway.connect.draft import draft
from lineshaft.gateway.connect.propose import Proposal
from lineshaft.gateway.connect.trusting import Trusting, securities
from lineshaft.gateway.requests import Handler
from lineshaft.wire.requests import Request

IDLE: Final = 30.0
"""Seconds after which a connection for a look around is closed."""
_TRIALS: Final = 8.0  # seconds for trying profiles


@dataclass(slots=True)
class _Open:
    """A connection that is kept for the next question."""

    driver: Driver
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    points: dict[str, tuple[Sequence[SignalConfig], Sequence[Point]]] = field(default_factory=dict)
    closing: asyncio.TimerHandle | None = None


class Connector:
    """Visits devices for people who connect them. Used from one event loop; `close` at the end.

    plant, files  the plant that runs, and its folder as a bundle
    check         checks a bundle as a whole; raises ConfigError
    profiles      device profiles by id
    """

    def __init__(
        self,
        drivers: Mapping[str, DriverSpec],
        data_dir: Path,
        plant: Callable[[], Plant],
        files: Callable[[], Bundle],
        check: Callable[[Bundle], Plant],
        profiles: Callable[[], Mapping[str, ProfileConfig]],
    ) -> None:
        self._drivers = drivers
        self._data_dir = data_dir
        self._plant = plant
        self._files = files
        self._check = check
        self._profiles = profiles
        self._open: dict[str, _Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def handlers(self) -> Mapping[str, Handler]:
        """What the hub may ask for."""
        actions = {
            "address": self.address,
            "test": self.test,
            "browse": self.browse,
            "preview": self.preview,
            "draft": self.draft,
            "trust": self.trust,
        }
        return {f"connect.{name}": _handler(action) for name, action in actions.items()}

    async def close(self) -> None:
        """Close what is open."""
        for key in list(self._open):
            await self._forget(key)

    # -- what can be asked; bodies and answers are JSON

    async def address(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """{address} -> {driver, connection}: an address as people write it, taken apart."""
        driver, connection = parse_address(str(body.get("address", "")))
        return {"driver": driver, "title": self._spec(driver).title, "connection": connection}

    async def test(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """{driver, connection} -> findings, what the device is, profiles that may fit, whether it can be browsed."""
        spec = self._spec(body.get("driver"))
        connection = await self._complete(spec.name, _mapping(body, "connection"))
        options = visit.options_of(spec, connection)
        driver = visit.make(spec, options, self._data_dir)
        findings = await visit.test(driver, spec.title)
        answer: dict[str, Any] = {
            "connection": connection,
            "passed": all(one.passed for one in findings),
            "findings": [asdict(one) for one in findings],
            "browses": isinstance(driver, Browses),
            "identity": {},
            "proposals": [],
            "profiles": [
                {"profile": one.id, "title": one.title, "signals": len(one.signals)}
                for one in self._profiles().values()
                if spec.name in one.drivers
            ],
            "trust": await Trusting(self._data_dir).of(spec.name, options, findings),
        }
        if answer["passed"]:
            answer |= await self._what_is_it(spec, connection)
        return answer

    async def browse(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """{driver, connection, parent} -> everything with a value below `parent`, with guesses."""
        async with self._visit(body) as open_:
            items, complete = await visit.look_around(open_.driver, str(body.get("parent", "")))
        return {"items": [_found(one) for one in items], "complete": complete}

    async def preview(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """{driver, connection, profile, signals} -> what each signal shows now."""
        spec = self._spec(body.get("driver"))
        profile = self._profile(body)
        async with self._visit(body) as open_:
            wanted = json.dumps(body.get("signals") or [], sort_keys=True)
            if wanted not in open_.points:
                open_.points.clear()
                made = self._signals(spec, profile, body)
                open_.points[wanted] = made, visit.points_of(made)
            signals, points = open_.points[wanted]
            rows = await visit.read(open_.driver, signals, points) if points else ()
        return {"signals": [_described(one) for one in signals], "rows": [asdict(one) for one in rows]}

    async def draft(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """{device, equipment, by} -> {files, digest of the folder}: the plant file of the device, checked."""
        device, by = _mapping(body, "device"), str(body.get("by", ""))
        title = f"{device.get('name') or device.get('id')}, connected{f' by {by}' if by else ''}."
        files = await asyncio.to_thread(self._files)
        made = draft(self._plant(), files, device, _mapping(body, "equipment"), title)
        await asyncio.to_thread(self._check, {**files, **made})
        return {"files": made}

    async def trust(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """{action: list | accept | reject, thumbprint} -> certificates of OPC UA servers."""
        return Trusting(self._data_dir).act(str(body.get("action", "list")), str(body.get("thumbprint", "")))

    # -- inner parts

    def _spec(self, name: Any) -> DriverSpec:
        if name not in self._drivers:
            raise ConfigError(f"unknown driver '{name}'", hint=f"known: {', '.join(sorted(self._drivers))}")
        return self._drivers[str(name)]

    def _profile(self, body: Mapping[str, Any]) -> ProfileConfig | None:
        name = body.get("profile") or ""
        known = self._profiles()
        if name and name not in known:
            raise ConfigError(f"unknown device profile '{name}'", hint=f"known: {', '.join(sorted(known))}")
        return known.get(str(name))

    def _signals(
        self, spec: DriverSpec, profile: ProfileConfig | None, body: Mapping[str, Any]
    ) -> tuple[SignalConfig, ...]:
        given = tuple(visit.signal_of(spec, raw) for raw in body.get("signals") or ())
        return (*(visit.of_profile(spec, one) for one in (profile.signals if profile else ())), *given)

    async def _complete(self, driver: str, connection: dict[str, Any]) -> dict[str, Any]:
        """Fill in what the device itself can tell: the best security of an OPC UA server."""
        if driver != "opcua" or "security" in connection or not connection.get("url"):
            return connection
        try:
            return {**connection, **await securities(str(connection["url"]))}
        except RetryableError:
            return {**connection, "security": "none"}  # the test says step by step what is wrong

    async def _what_is_it(self, spec: DriverSpec, connection: Mapping[str, Any]) -> dict[str, Any]:
        """What the device says, and profiles that fit: told by the device first, then by trying to read."""
        mine = [one for one in self._profiles().values() if spec.name in one.drivers]
        driver = visit.make(spec, visit.options_of(spec, connection), self._data_dir)
        proposals: list[Proposal] = []
        try:
            await driver.connect()
            identity = await visit.identify(driver)
        except LineshaftError:
            return {}
        finally:
            await driver.close()
        proposals += propose.by_identity(mine, spec.name, identity)
        if not any(one.sure for one in proposals):
            proposals += await self._tried(spec, mine, connection)
        return {"identity": asdict(identity), "proposals": [asdict(one) for one in proposals]}

    async def _tried(
        self, spec: DriverSpec, profiles: Sequence[ProfileConfig], connection: Mapping[str, Any]
    ) -> list[Proposal]:
        """Profiles whose values can be read and can be right, best first, as far as time allows."""
        found: list[Proposal] = []
        try:
            async with asyncio.timeout(_TRIALS):
                for profile in profiles:
                    proposal = await self._try(spec, profile, connection)
                    found += [proposal] if proposal else []
        except TimeoutError:
            pass
        return sorted(found, key=lambda one: -one.share)

    async def _try(self, spec: DriverSpec, profile: ProfileConfig, connection: Mapping[str, Any]) -> Proposal | None:
        driver = visit.make(spec, visit.options_of(spec, connection, profile), self._data_dir)
        try:
            await driver.connect()
            signals = tuple(visit.of_profile(spec, one) for one in propose.samples_of(profile))
            batch = await driver.read(visit.points_of(signals))
            return propose.by_reading(profile, signals, batch, {})
        except LineshaftError:
            return None
        finally:
            await driver.close()

    def _visit(self, body: Mapping[str, Any]) -> _Visiting:
        spec, profile = self._spec(body.get("driver")), self._profile(body)
        connection = _mapping(body, "connection")
        options = visit.options_of(spec, connection, profile)
        key = json.dumps([spec.name, profile.id if profile else "", connection], sort_keys=True)
        return _Visiting(self, key, lambda: visit.make(spec, options, self._data_dir))

    async def enter(self, key: str, create: Callable[[], Driver]) -> _Open:
        """The open connection of this key; used by a visit."""
        if key not in self._open:
            driver = create()
            try:
                await driver.connect()
            except BaseException:
                await driver.close()
                raise
            self._open[key] = _Open(driver)
        found = self._open[key]
        if found.closing is not None:
            found.closing.cancel()
        await found.turn.acquire()
        return found

    async def leave(self, key: str, *, failed: bool) -> None:
        """The visit is over: keep the connection for a while, or close a broken one."""
        found = self._open.get(key)
        if found is None:
            return
        found.turn.release()
        if failed:
            await self._forget(key)
        else:
            found.closing = asyncio.get_running_loop().call_later(IDLE, self._close_later, key)

    def _close_later(self, key: str) -> None:
        task = asyncio.ensure_future(self._forget(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forget(self, key: str) -> None:
        found = self._open.pop(key, None)
        if found is not None:
            if found.closing is not None:
                found.closing.cancel()
            await found.driver.close()


class _Visiting:
    """`async with` over one question to an open connection."""

    def __init__(self, connector: Connector, key: str, create: Callable[[], Driver]) -> None:
        self._connector = connector
        self._key = key
        self._create = create

    async def __aenter__(self) -> _Open:
        return await self._connector.enter(self._key, self._create)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._connector.leave(self._key, failed=kind is not None)


def _handler(action: Callable[[Mapping[str, Any]], Any]) -> Handler:
    async def handle(request: Request) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await action({**request.body, "by": request.by})
        return answer

    return handle


def _mapping(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name) or {}
    if not isinstance(found, dict):
        raise ConfigError(f"{name} must be a mapping of key: value")
    return found


def _found(one: visit.Found) -> dict[str, Any]:
    return {
        "address": one.address,
        "path": one.path,
        "label": one.label,
        "datatype": one.datatype,
        "description": one.description,
        "name": one.guess.name,
        "kind": one.guess.kind,
        "unit": one.guess.unit,
        "decimals": one.guess.decimals,
        "states": dict(one.guess.states),
        "why": one.guess.why,
        "waveform": dict(one.waveform),
    }


def _described(one: SignalConfig) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "unit": one.unit,
        "decimals": one.decimals,
        "states": one.states,
        "description": one.description,
    }
