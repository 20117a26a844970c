"""Brings wanted configurations to their gateways, and keeps what became of them.

The hub never assumes: which configuration runs is what the gateway tells with its status. What the hub does not know
(the first one, or files that were changed at the gateway) it reads and keeps as a version of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

import structlog

from lineshaft.clock import Clock
from lineshaft.config.bundle import Bundle, digest, refuse_odd
from lineshaft.errors import ConfigError, DataError, LineshaftError, StoreUnavailable
from lineshaft.hub.requests import GatewayRefused, Requests
from lineshaft.hub.state.configurations import Version, VersionState
from lineshaft.hub.state.state import State
from lineshaft.model.events import Event, Severity
from lineshaft.wire.notes import ConfigStatus

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at what the gateways tell."""
WITHIN: Final = 30.0
"""Seconds that a gateway has to check a configuration."""
READ_WITHIN: Final = 5.0
"""Seconds that it has to tell the one that runs; then it is asked anew: a question can be lost at its start."""
FORGOTTEN_US: Final = 120_000_000
"""A version that a gateway took and does not speak of for so long is no longer there: its data folder is another."""
_log = structlog.get_logger(__name__)


class Conflict(LineshaftError):
    """Somebody else has changed it since."""


class Configurations:
    """One per hub; its coroutines run in one event loop."""

    def __init__(self, state: State, requests: Requests, clock: Clock) -> None:
        self._state = state
        self._store = state.configurations
        self._requests = requests
        self._clock = clock
        self._wake = asyncio.Event()
        self._failed: dict[str, str] = {}
        self._busy: set[str] = set()
        self._settled: dict[str, ConfigStatus] = {}  # what a gateway told when nothing was left to do

    # -- what people do

    def status(self, node: str) -> ConfigStatus | None:
        """What the gateway said last about its configuration; None when it never did."""
        source = self._state.sources.get(node)
        found = None if source is None else source.details.get("config")
        if not found:
            return None
        known = {name: value for name, value in found.items() if name in ConfigStatus.__dataclass_fields__}
        return ConfigStatus(**known)

    async def make(self, node: str, changes: Mapping[str, str | None], *, base: str, by: str, why: str) -> Version:
        """A new version: the files of `base` (a digest) with these changed (None: removed). It is sent at once.

        Raises Conflict when `base` is not what runs or waits now, ConfigError for what is no plant folder, and what
        Requests.ask raises where the hub has to read first what runs.
        """
        status = self.status(node)
        if status is not None and status.digest == base:
            await self._learn(node, status)  # a change that is made just after the start needs what runs now
        return await asyncio.to_thread(self._make, node, changes, base, by, why)

    def _make(self, node: str, changes: Mapping[str, str | None], base: str, by: str, why: str) -> Version:
        old = self._store.of_digest(node, base)
        status, waiting = self.status(node), self._store.open(node)
        if old is None or old.files is None or status is None or status.digest != base:
            hint = "Load the page again and make the change in what runs now."
            raise Conflict("the configuration of the gateway has changed since this was made", hint=hint)
        if waiting is not None and waiting.state == "trying":
            raise Conflict(f"version {waiting.number} is being tried", hint="Wait until the gateway has decided.")
        merged = {**old.files, **changes}
        files = {name: text for name, text in merged.items() if text is not None}
        refuse_odd(files)
        if digest(files) == base:
            raise DataError("nothing is changed")
        made = self._store.add(node, files, base=base, by=by, why=why, state="pending", time=self._clock.now_us())
        self._settled.pop(node, None)
        self._event("config.pushed", made, f"{by} made version {made.number} of the configuration: {why}", by=by)
        return made

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    async def check(self, node: str, files: Bundle, *, by: str) -> Mapping[str, Any]:
        """What the gateway says to these files, without using them. Raises what Requests.ask raises."""
        refuse_odd(files)
        body = {"files": dict(files), "digest": digest(files)}
        return await self._requests.ask(node, "config.check", body, by=by, within=WITHIN)

    # -- what runs beside

    async def run(self) -> None:
        """Look after all gateways until cancelled, each by itself: one that hangs holds up no other."""
        async with asyncio.TaskGroup() as group:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._wake.wait()
                self._wake.clear()
                for source in self._state.sources.all():
                    node = source.node
                    if not source.device and node not in self._busy and self._requests.reaches(node):
                        self._busy.add(node)
                        group.create_task(self._care(node), name=f"configuration of {node}")

    async def _care(self, node: str) -> None:
        status = self.status(node)
        try:
            if status is not None and self._settled.get(node) != status:
                await self._learn(node, status)
                if await self._bring(node, status):
                    self._settled[node] = status
            self._failed.pop(node, None)
        except LineshaftError as error:
            if self._failed.get(node) != str(error):
                _log.warning("configuration: not brought", node=node, error=str(error))
            self._failed[node] = str(error)
        except Exception as error:  # noqa: BLE001 - the boundary: an odd gateway must not end the care for the others
            if self._failed.get(node) != repr(error):
                _log.exception("configuration: fault", node=node)
            self._failed[node] = repr(error)
        finally:
            self._busy.discard(node)

    async def _learn(self, node: str, status: ConfigStatus) -> None:
        """Keep what runs at the gateway, when the hub did not bring it there."""
        last = await asyncio.to_thread(self._store.in_use, node)
        waiting = await asyncio.to_thread(self._store.open, node)
        brought = waiting is not None and waiting.tag == status.version
        if brought or (last is not None and last.digest == status.digest):
            return
        answer = await self._requests.ask(node, "config.read", within=READ_WITHIN)
        files = {str(name): str(text) for name, text in dict(answer.get("files") or {}).items()}
        if digest(files) != status.digest:
            return  # it changes just now; the next status will tell
        now = await asyncio.to_thread(self._store.in_use, node)
        if now is not None and now.digest == status.digest:
            return  # it was asked twice, and the other answer was faster
        why = "as the gateway had it" if last is None else "changed at the gateway"
        made = await asyncio.to_thread(
            lambda: self._store.add(node, files, base="", by="", why=why, state="found", time=self._clock.now_us())
        )
        if last is not None:
            words = f"the plant folder was changed at the gateway; kept as version {made.number}"
            await asyncio.to_thread(self._event, "config.found", made, words)

    async def _bring(self, node: str, status: ConfigStatus) -> bool:
        """Bring the version that waits, or note what became of it. True when nothing is left to do."""
        version = await asyncio.to_thread(self._store.open, node)
        if version is None:
            return True
        if status.version == version.tag:
            await asyncio.to_thread(self._outcome, version, status)
        elif version.state == "pending":
            await self._push(version)
        elif self._clock.now_us() > version.decided + FORGOTTEN_US:
            words = "The gateway does not know it any more."
            await asyncio.to_thread(self._store.decide, version, "superseded", self._clock.now_us(), words)
        return False

    def _outcome(self, version: Version, status: ConfigStatus) -> None:
        """The gateway has this version, and tells how it does."""
        states: dict[str, VersionState] = {
            "settled": "applied" if status.digest == version.digest else "superseded",
            "trying": "trying",
            "rolled-back": "rolled-back",
        }
        state = states[status.state]
        if (state, status.words) != (version.state, version.words):
            self._store.decide(version, state, self._clock.now_us(), status.words)

    async def _push(self, version: Version) -> None:
        body = {
            "version": version.tag,
            "files": dict(version.files or {}),
            "digest": version.digest,
            "base": version.base,
        }
        try:
            answer = await self._requests.ask(version.node, "config.push", body, by=version.by, within=WITHIN)
        except (ConfigError, GatewayRefused, DataError) as error:
            await asyncio.to_thread(self._refused, version, error)
        else:
            state: VersionState = "applied" if answer.get("state") == "settled" else "trying"
            await asyncio.to_thread(self._store.decide, version, state, self._clock.now_us())

    def _refused(self, version: Version, error: LineshaftError) -> None:
        problems = error.problems if isinstance(error, ConfigError) else ()
        words = " ".join(part for part in (str(error.args[0]), error.hint) if part)
        self._store.decide(version, "refused", self._clock.now_us(), words, problems)
        message = f"The gateway refused version {version.number} of its configuration: {error.args[0]}"
        self._event("config.refused", version, message, Severity.MEDIUM, by=version.by)

    def _event(
        self, kind: str, version: Version, message: str, severity: Severity = Severity.INFO, *, by: str = ""
    ) -> None:
        details: dict[str, str | int | float | bool | None] = {"version": version.number, "by": by}
        event = Event(self._clock.now_us(), kind, version.node, message, severity, details)
        try:
            self._state.events.add([event])
        except StoreUnavailable as error:
            _log.error("configuration: event not stored", error=str(error))
