"""Why a tightening controller cannot be used, found step by step."""

from __future__ import annotations

from collections.abc import Sequence

from lineshaft.drivers.base import Finding
from lineshaft.drivers.open_protocol.fields import LAYOUTS, decode
from lineshaft.drivers.open_protocol.options import OpenProtocolConnection
from lineshaft.drivers.open_protocol.session import NOT_FOUND, Refused, Session
from lineshaft.errors import LineshaftError

START, RESULTS, OLD, SETS = "communication starts", "results are told", "last result can be read", "parameter sets"


async def diagnose(options: OpenProtocolConnection) -> Sequence[Finding]:
    """Try the connection, the subscription, the last result and the list of parameter sets; never raises."""
    session = Session(options)
    findings: list[Finding] = []
    check = START
    try:
        await session.open()
        name = session.controller.get("controller", "").strip()
        findings.append(Finding(START, True, f"controller '{name}' at {session.where}"))
        for check, step in ((RESULTS, _results), (OLD, _old), (SETS, _sets)):
            try:
                findings.append(await step(session))
            except Refused as refusal:
                findings.append(Finding(check, check == SETS, str(refusal), "check the controller's settings"))
    except LineshaftError as error:
        findings.append(Finding(check, False, str(error), error.hint or "check the controller and the network"))
    finally:
        await session.close()
    return tuple(findings)


async def _results(session: Session) -> Finding:
    most = session.options.revision
    revision = await session.subscribe(60, (999, 1) if most == 999 else tuple(range(most, 0, -1)))
    await session.ask(63, 1, {5})
    return Finding(RESULTS, True, f"in revision {revision}")


async def _old(session: Session) -> Finding:
    most = min(session.options.revision, max(LAYOUTS[65]))
    try:
        answer = await session.newest(64, tuple(range(most, 0, -1)), {65}, b"0000000000")
    except Refused as refusal:
        if refusal.code == NOT_FOUND:
            return Finding(OLD, True, "the controller has no result yet")
        return Finding(OLD, False, str(refusal), "results that come while the gateway is away will be missing")
    fields = decode(answer)
    return Finding(OLD, True, f"number {fields['tightening-id'].strip()} at {fields['time'].strip()}")


async def _sets(session: Session) -> Finding:
    answer = await session.ask(10, 1, {11})
    text = answer.text
    sets = [str(int(part)) for place in range(3, len(text), 3) if (part := text[place : place + 3]).isdecimal()]
    return Finding(SETS, True, ", ".join(sets) or "none")
