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
    """Faults that the simulator knows (`catalogue`) and those that are injected (`active`)."""
    return _call(parts, "GET", "/faults")


@router.post("", status_code=201, dependencies=[needs(Role.OPERATOR)])
def inject_fault(body: Annotated[dict[str, Any], Body()], parts: Parts) -> Any:
    """Inject a fault: `{id, asset, severity?}`."""
    return _call(parts, "POST", "/faults", body)


@router.delete("/{number}", dependencies=[needs(Role.OPERATOR)])
def take_back_fault(number: int, parts: Parts) -> Any:
    """Take an injected fault back by its number."""
    return _call(parts, "DELETE", f"/faults/{number}")


def _call(parts: Services, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    if not parts.fault_url:
        raise Unsupported("this plant has no simulator", hint="faults are for `lineshaft demo`")
    connection = http.client.HTTPConnection(urlsplit(parts.fault_url).netloc, timeout=TIMEOUT)
    headers = {"authorization": f"Bearer {parts.fault_token}", "content-type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"null")
    except TimeoutError as error:
        raise PeerTimeout("the simulator does not answer") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ConnectionFailed(f"the simulator cannot be reached: {error}", hint="is it running?") from error
    finally:
        connection.close()
    if response.status >= 400:
        words = answer if isinstance(answer, dict) else {}
        raise DataError(
            str(words.get("title") or f"the simulator answered {response.status}"), hint=str(words.get("detail") or "")
        )
    return answer
