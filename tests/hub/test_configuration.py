"""What runs at a gateway is known to the hub, or read when it is needed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from lineshaft.clock import SystemClock
from lineshaft.config.bundle import digest
from lineshaft.hub.configuration import Configurations
from lineshaft.hub.requests import Requests
from lineshaft.hub.state.state import State
from lineshaft.wire.requests import Answer, Assembler, decode_request, encode_answer
from lineshaft.wire.sparkplug import Metric

NODE = "acme/north"
FILES = {"plant.yaml": "plant: {enterprise: acme, site: north}\n"}


class ForgetfulGateway:
    """Answers each question but the first one, which comes before it listens."""

    def __init__(self) -> None:
        self.requests = Requests(self.send)
        self.asked: list[str] = []
        self.first = asyncio.Event()
        self._assembler = Assembler()

    def send(self, node: str, metric: Metric) -> bool:
        value: Any = metric.value
        data = self._assembler.add(bytes(value))
        if data is not None:
            request = decode_request(data)
            self.asked.append(request.kind)
            self.first.set()
            if len(self.asked) > 1:
                answer = Answer(request.id, "done", {"files": FILES, "digest": digest(FILES)})
                for part in encode_answer(answer):
                    self.requests.answered(node, part)
        return True


async def test_a_change_just_after_the_start_needs_no_second_try(tmp_path: Path) -> None:
    """The hub's first question for what runs got lost: a change by a person reads it and goes on, and keeps it once."""
    gateway = ForgetfulGateway()
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        configurations = Configurations(state, gateway.requests, SystemClock())
        state.sources.put(NODE, "", "online", 1, {"config": {"digest": digest(FILES)}})
        caring = asyncio.create_task(configurations.run())
        await gateway.first.wait()
        added = {"pump.yaml": "devices: []\n"}
        made = await configurations.make(NODE, added, base=digest(FILES), by="ann", why="a pump")
        caring.cancel()
        await asyncio.wait([caring])
        assert dict(made.files or {}) == {**FILES, **added}
        assert [one.state for one in state.configurations.versions(NODE)] == ["pending", "found"]
