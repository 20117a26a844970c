"""What people do to a gateway from afar: see whether it answers, and look after its configuration."""

from __future__ import annotations

import time
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query

from lineshaft.config.bundle import difference
from lineshaft.hub.api.gateway_models import (
    Checked,
    Configuration,
    FileChangeView,
    NewVersion,
    Pong,
    ProblemView,
    Restore,
    VersionDetail,
    VersionView,
)
from lineshaft.hub.api.paging import Cursor, mark, marked
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Caller, Configs, Parts, Services, needs
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.configurations import Version

router = APIRouter(prefix="/gateways/{group}/{gateway}", tags=["gateways"], dependencies=[needs(Role.ENGINEER)])


@router.post("/ping")
async def ping(group: str, gateway: str, parts: Parts, caller: Caller) -> Pong:
    """Ask the gateway whether it is there, and how long that takes."""
    began = time.monotonic()
    answer = await parts.requests.ask(f"{group}/{gateway}", "ping", by=caller.name, within=5.0)
    return Pong(milliseconds=round((time.monotonic() - began) * 1e3, 1), version=str(answer.get("version", "")))


@router.get("/configuration")
def configuration(
    group: str,
    gateway: str,
    parts: Parts,
    configs: Configs,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(description="only versions below this number")] = None,
    cursor: Cursor = "",
) -> Configuration:
    """Which configuration runs, and its versions, newest first."""
    node = f"{group}/{gateway}"
    if parts.state.sources.get(node) is None:
        raise NotFound(f"there is no gateway {node}")
    status = configs.status(node)
    running = None if status is None else parts.state.configurations.of_digest(node, status.digest)
    if cursor:
        _, before = marked(cursor) or (0, before)
    found = parts.state.configurations.versions(node, limit, before)
    return Configuration(
        node=node,
        reachable=parts.requests.reaches(node),
        digest="" if status is None else status.digest,
        running=None if running is None else running.number,
        state=None if status is None else status.state,
        words="" if status is None else status.words,
        versions=[version_view(one) for one in found],
        next=mark(0, found[-1].number) if len(found) == limit else None,
    )


@router.get("/configuration/{number}")
def version(
    group: str,
    gateway: str,
    number: int,
    parts: Parts,
    against: Annotated[int | None, Query(description="version to compare with; else what it was made from")] = None,
) -> VersionDetail:
    """One version with its files, and what it changed."""
    node = f"{group}/{gateway}"
    wanted = _version(parts, node, number)
    store = parts.state.configurations
    if against is not None:
        other: Version | None = _version(parts, node, against)
    else:
        other = store.of_digest(node, wanted.base) if wanted.base else store.version(node, number - 1)
    changes = difference((other.files if other else None) or {}, wanted.files or {})
    return VersionDetail(
        **version_view(wanted).model_dump(),
        files=dict(wanted.files or {}),
        against=other.number if other else None,
        changes=[
            FileChangeView(name=change.name, added=change.added, removed=change.removed, lines=list(change.lines))
            for change in changes
        ],
    )


@router.post("/configuration", status_code=201)
async def make(group: str, gateway: str, body: NewVersion, configs: Configs, caller: Caller) -> VersionView:
    """Make a version by changing files, and bring it to the gateway: now, or when it comes back."""
    made = await configs.make(f"{group}/{gateway}", body.files, base=body.base, by=caller.name, why=body.why)
    configs.wake()
    return version_view(made)


@router.post("/configuration/check")
async def check(group: str, gateway: str, body: NewVersion, parts: Parts, configs: Configs, caller: Caller) -> Checked:
    """Let the gateway check a version without using it; 422 with its problems when it would refuse it."""
    node = f"{group}/{gateway}"
    old = await to_thread.run_sync(parts.state.configurations.of_digest, node, body.base)
    if old is None:
        raise NotFound("this base is no version of the gateway")
    merged = {**(old.files or {}), **body.files}
    files = {name: text for name, text in merged.items() if text is not None}
    answer = await configs.check(node, files, by=caller.name)
    return Checked(devices=int(answer["devices"]))


@router.post("/configuration/{number}/restore", status_code=201)
async def restore(
    group: str, gateway: str, number: int, body: Restore, parts: Parts, configs: Configs, caller: Caller
) -> VersionView:
    """Go back: a new version with the files of an older one."""
    node = f"{group}/{gateway}"
    wanted = await to_thread.run_sync(_version, parts, node, number)
    status = configs.status(node)
    if status is None:
        raise NotFound(f"{node} has not told its configuration")
    running = await to_thread.run_sync(parts.state.configurations.of_digest, node, status.digest)
    if running is None:
        raise NotFound(f"it is not known what {node} runs now")
    changes = {**dict.fromkeys(running.files or {}), **(wanted.files or {})}
    made = await configs.make(node, changes, base=status.digest, by=caller.name, why=body.why)
    configs.wake()
    return version_view(made)


def _version(parts: Services, node: str, number: int) -> Version:
    found = parts.state.configurations.version(node, number)
    if found is None:
        raise NotFound(f"{node} has no version {number}")
    return found


def version_view(one: Version) -> VersionView:
    """A version as the API shows it."""
    return VersionView(
        number=one.number,
        digest=one.digest,
        time=one.time,
        by=one.by,
        why=one.why,
        state=one.state,
        decided=one.decided,
        words=one.words,
        problems=[
            ProblemView(file=p.file, line=p.line, key=p.key, value=p.value, message=p.message, allowed=p.allowed)
            for p in one.problems
        ],
    )
