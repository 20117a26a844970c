"""Faults of the simulated factory (demo only), passed on to the simulator."""

from __future__ import annotations

import http.client
import json
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Body

from lineshaft.errors import ConnectionFailed, DataError, PeerTimeout, Unsupported
from lineshaft.hub.api.services import Parts, Services, needs
from lineshaft.hub.security.roles import Role

router = APIRouter(prefix="/faults", tags=["faults"])

TIMEOUT = 10.0  # seconds


@router.get("")
def list_faults(parts: Parts) -> Any:
    """Faults that the simulator knows, and which are active."""
    return _call(parts, "GET", None)


@router.post("", dependencies=[needs(Role.OPERATOR)])
def change_fault(body: Annotated[dict[str, Any], Body()], parts: Parts) -> Any:
    """Inject a fault or take it back; the body is the simulator's."""
    return _call(parts, "POST", body)


def _call(parts: Services, method: str, body: dict[str, Any] | None) -> Any:
    if not parts.fault_url:
        raise Unsupported("this plant has no simulator", hint="faults are for `lineshaft demo`")
    address = urlsplit(parts.fault_url).netloc
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, "/faults", text, {"content-type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read() or b"null")
    except TimeoutError as error:
        raise PeerTimeout("the simulator does not answer") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ConnectionFailed(f"the simulator cannot be reached: {error}", hint="is it running?") from error
    finally:
        connection.close()
    if response.status >= 400:
        words = answer.get("detail") or answer.get("error") if isinstance(answer, dict) else None
        raise DataError(str(words or f"the simulator answered {response.status}"))
    return answer
