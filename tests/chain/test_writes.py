"""A value is set through the API, over broker and gateway, in a real Modbus device, and the answer comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from tests.chain.field import ASSET, HEAD, ModbusField
from tests.chain.harness import PASSWORD, Chain, chain, wait_for

SIGNALS = """
      - {name: steady, address: "holding:1:int16", scale: 0.5, write: {low: 0, high: 50, max_step: 10, every: 10ms}}
"""


def plant(field: ModbusField) -> str:
    head = HEAD.replace("gateway: {", "gateway: {allow_writes: true, ")
    whole = field.config(name="plc")
    return f"{head}devices:\n{whole[: whole.index('      - {')]}{SIGNALS}"


def writer(whole: Chain) -> httpx.Client:
    """A client with a token that may write; made by the user in a session, for a token without the right cannot."""
    origin = {"Origin": f"http://127.0.0.1:{whole.port}"}
    with httpx.Client(base_url=whole.api.base_url, timeout=60) as session:
        session.post("/session", json={"name": "ada", "password": PASSWORD}, headers=origin)
        body = {"name": "writes", "role": "engineer", "may_write": True}
        token = session.post("/tokens", json=body, headers=origin).json()["token"]
    return httpx.Client(base_url=whole.api.base_url, timeout=60, headers={"Authorization": f"Bearer {token}"})


def ended(api: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """The attempt when the gateway has answered."""
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = {}

    def answered() -> bool:
        found.update(api.get(f"/writes/{answer.json()['id']}").json())
        return bool(found["outcome"] != "sent")

    wait_for(answered, 60, "the answer of the gateway")
    return found


def test_from_the_api_to_the_device_and_back(tmp_path: Path) -> None:
    """Dry run, write, read back, undo, and the refusals of the gateway's own judgement."""
    field = ModbusField()
    field.start()
    with chain(tmp_path, plant(field)) as whole:
        try:
            whole.start()
            path = f"{ASSET}/steady"
            wait_for(lambda: path in whole.signals(), 60, "the signal")
            signal = whole.signals()[path]
            bank = field.bank()
            refused = whole.api.post(f"/signals/{signal}/writes", json={"value": 8, "reason": "no right"})
            assert refused.status_code == 403
            with writer(whole) as api:
                ask = lambda **body: ended(api, api.post(f"/signals/{signal}/writes", json=body))  # noqa: E731
                dry = ask(value=8.5, reason="trial", dry_run=True)
                assert (dry["outcome"], dry["before"], bank[1]) == ("dry-run", 3.5, 7)
                done = ask(value=8.5, reason="trial", expected=3.5)
                assert (done["outcome"], done["before"], done["after"]) == ("done", 3.5, 8.5)
                assert bank[1] == 17
                changed = ask(value=9, reason="trial", expected=3.5)
                assert changed["message"] == "it is 8.5 now and not 3.5 any more"
                far = ask(value=49, reason="too far")
                assert (far["outcome"], bank[1]) == ("refused", 17)
                wait_for(lambda: newest(api, signal) == 8.5, 60, "the new value on the page")
                back = ended(api, api.post(f"/writes/{done['id']}/undo", json={"reason": "back"}))
                assert (back["outcome"], back["undo_of"], bank[1]) == ("done", done["id"], 7)
                log = api.get("/writes").json()["items"]
                assert len(log) == 6
                kinds = {one["kind"] for one in api.get("/events", params={"subject": path}).json()["items"]}
                assert {"write.refused", "write.dry-run", "write.done"} <= kinds
        finally:
            field.close()


def newest(api: httpx.Client, signal: int) -> float | None:
    found = api.get("/latest", params={"signals": str(signal)}).json()["value"]
    return found[0] if found else None
