"""Connecting a device from the page: the gateway tests, looks around and reads; the hub only passes questions on."""

from __future__ import annotations

from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter

from lineshaft.hub.api.gateway_models import (
    AddDevice,
    AddressAsked,
    BrowseAsked,
    Found,
    PreviewAsked,
    Previewed,
    Target,
    TestAsked,
    Tested,
    TrustAsked,
    TrustList,
    VersionView,
)
from lineshaft.hub.api.routers.gateways import version_view
from lineshaft.hub.api.services import Caller, Configs, Parts, needs
from lineshaft.hub.security.roles import Role
from lineshaft.model.events import Event

router = APIRouter(prefix="/gateways/{group}/{gateway}/connect", tags=["gateways"], dependencies=[needs(Role.ENGINEER)])
_QUICK: Final = 20.0
_LONG: Final = 60.0
"""Seconds that a gateway has for a test or a value, and for a look around."""


@router.post("/address")
async def address(group: str, gateway: str, body: AddressAsked, parts: Parts, caller: Caller) -> Target:
    """Take an address as people write it apart: driver and connection options."""
    answer = await parts.requests.ask(f"{group}/{gateway}", "connect.address", body.model_dump(), by=caller.name)
    return Target.model_validate(answer)


@router.post("/test")
async def test(group: str, gateway: str, body: TestAsked, parts: Parts, caller: Caller) -> Tested:
    """Let the gateway try the connection: findings in words, what the device is, and profiles that may fit."""
    node = f"{group}/{gateway}"
    return Tested.model_validate(
        await parts.requests.ask(node, "connect.test", body.model_dump(), by=caller.name, within=_LONG)
    )


@router.post("/browse")
async def browse(group: str, gateway: str, body: BrowseAsked, parts: Parts, caller: Caller) -> Found:
    """Let the gateway list everything with a value below `parent`, with guesses."""
    node = f"{group}/{gateway}"
    return Found.model_validate(
        await parts.requests.ask(node, "connect.browse", body.model_dump(), by=caller.name, within=_LONG)
    )


@router.post("/preview")
async def preview(group: str, gateway: str, body: PreviewAsked, parts: Parts, caller: Caller) -> Previewed:
    """Let the gateway read signals that are not in the plant yet."""
    node = f"{group}/{gateway}"
    return Previewed.model_validate(
        await parts.requests.ask(node, "connect.preview", body.model_dump(), by=caller.name, within=_QUICK)
    )


@router.post("/trust")
async def trust(group: str, gateway: str, body: TrustAsked, parts: Parts, caller: Caller) -> TrustList:
    """List the certificates of OPC UA servers at the gateway, accept or reject one."""
    node = f"{group}/{gateway}"
    answer = await parts.requests.ask(node, "connect.trust", body.model_dump(), by=caller.name)
    if body.action != "list":
        words = f"{caller.name} {body.action}ed the OPC UA server certificate {body.thumbprint}"
        event = Event(
            parts.clock.now_us(), f"opcua.certificate_{body.action}ed", node, words, details={"by": caller.name}
        )
        await to_thread.run_sync(parts.state.events.add, [event])
    return TrustList.model_validate(answer)


@router.post("/draft")
async def draft(group: str, gateway: str, body: AddDevice, parts: Parts, caller: Caller) -> dict[str, str]:
    """The plant file that the device would get, checked by the gateway."""
    return await _drafted(f"{group}/{gateway}", body, parts, caller)


@router.post("/add", status_code=201)
async def add(group: str, gateway: str, body: AddDevice, parts: Parts, configs: Configs, caller: Caller) -> VersionView:
    """Make a version of the configuration with the device, and bring it to the gateway."""
    node = f"{group}/{gateway}"
    files: dict[str, str | None] = {**await _drafted(node, body, parts, caller)}
    status = configs.status(node)
    why = body.why or f"connect {body.device.get('name') or body.device.get('id')}"
    made = await configs.make(node, files, base=status.digest if status else "", by=caller.name, why=why)
    configs.wake()
    return version_view(made)


async def _drafted(node: str, body: AddDevice, parts: Parts, caller: Caller) -> dict[str, str]:
    asked: dict[str, Any] = {"device": body.device, "equipment": body.equipment}
    answer = await parts.requests.ask(node, "connect.draft", asked, by=caller.name, within=_QUICK)
    return {str(name): str(text) for name, text in answer["files"].items()}
