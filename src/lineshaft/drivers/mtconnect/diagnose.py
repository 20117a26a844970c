"""Why an MTConnect agent cannot be used, found step by step."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.drivers.base import Finding
from lineshaft.drivers.mtconnect.agent import Agent
from lineshaft.drivers.mtconnect.documents import UNAVAILABLE, AgentError, Probe, Streams
from lineshaft.drivers.mtconnect.options import MtconnectConnection
from lineshaft.errors import LineshaftError

PROBE, CURRENT, SAMPLE, STREAM = "agent answers", "values can be read", "history can be read", "agent streams"


async def diagnose(options: MtconnectConnection) -> Sequence[Finding]:
    """Ask for the device model, the values and one stored observation; stops at the first failure, never raises."""
    agent = Agent(options)
    agent.open()
    findings: list[Finding] = []
    check = PROBE
    try:
        probe = await agent.probe()
        findings.append(Finding(PROBE, True, _model(probe)))
        check = CURRENT
        current = await agent.current({item.id for item in probe.items})
        findings.append(_current(current))
        if isinstance(current, Streams):
            check = SAMPLE
            findings.append(await _sample(agent, current))
            if options.mode == "stream":
                check = STREAM
                findings.append(await _stream(agent, current))
    except LineshaftError as error:
        findings.append(Finding(check, False, str(error), error.hint or "check the address and the agent's log"))
    finally:
        await agent.close()
    return tuple(findings)


def _model(probe: Probe) -> str:
    devices = [component for component in probe.components if not component.parent]
    names = ", ".join(device.name or device.id for device in devices)
    return f"MTConnect {probe.header.version or 'without a version'}: {names}; {len(probe.items)} data items"


def _current(document: Streams | AgentError) -> Finding:
    if isinstance(document, AgentError):
        return Finding(CURRENT, False, str(document), "the agent's log says more")
    texts = document.observations.texts
    empty = sum(text is None or text.startswith(UNAVAILABLE) for text in texts)
    detail = f"{len(texts)} values, {empty} of them unavailable"
    if texts and empty == len(texts):
        return Finding(CURRENT, False, detail, "the agent runs, but has no connection to the machine's adapter")
    return Finding(CURRENT, True, detail)


async def _sample(agent: Agent, current: Streams) -> Finding:
    header = current.header
    document = await agent.sample(header.first, 1, ())
    if isinstance(document, AgentError):
        return Finding(SAMPLE, False, str(document), "an outage will leave a gap")
    return Finding(SAMPLE, True, f"{header.last - header.first + 1} observations are in the agent's buffer")


async def _stream(agent: Agent, current: Streams) -> Finding:
    async for document in agent.stream(current.header.next, ()):
        if document is None:
            return Finding(STREAM, False, "it answers once and ends", "set mode: poll")
        break
    return Finding(STREAM, True)
