"""Does what the hub asks of the gateway: one task a request, each with its deadline, each answered once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import structlog

from lineshaft.clock import Clock
from lineshaft.errors import ConfigError, DataError, LineshaftError, PermanentError
from lineshaft.wire.notes import AnswerNote
from lineshaft.wire.requests import (
    Answer,
    Assembler,
    Outcome,
    Request,
    decode_request,
    encode_answer,
)

log = structlog.get_logger(__name__)

Handler: TypeAlias = Callable[[Request], Awaitable[Mapping[str, Any]]]
"""Does one kind of request and gives the body of the answer.

ConfigError and PermanentError mean that it was refused and nothing has changed; another LineshaftError that it failed.
"""
Reply: TypeAlias = Callable[[AnswerNote], None]

AT_ONCE: Final = 16
"""Requests that are worked on together; a further one is answered that the gateway is busy."""
_REMEMBERED: Final = 1_000  # ids of requests, so that none is done twice


class Requests:
    """Takes requests from the uplinks while `run` runs."""

    def __init__(self, handlers: Mapping[str, Handler], clock: Clock) -> None:
        self._handlers = handlers
        self._clock = clock
        self._assembler = Assembler()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._group: asyncio.TaskGroup | None = None
        self._working = 0

    async def run(self) -> None:
        """Work until cancelled; requests that come at other times are answered that the gateway stops."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await asyncio.Event().wait()
        finally:
            self._group = None

    def take(self, part: bytes, reply: Reply) -> None:
        """A part of a request has come. `reply` passes a note on, if there still is a connection.

        Raises DataError for what is no request.
        """
        data = self._assembler.add(part)
        if data is None:
            return
        request = decode_request(data)
        if request.id in self._seen:
            return
        self._seen[request.id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        refusal = self._refusal(request)
        if refusal is not None:
            _send(refusal, reply)
        elif self._group is not None:
            self._working += 1
            self._group.create_task(self._work(request, reply), name=f"request {request.kind}")

    def _refusal(self, request: Request) -> Answer | None:
        """Why a request cannot be begun; None when it can."""
        late = self._clock.now_us() - request.deadline
        if request.kind not in self._handlers:
            known = ", ".join(sorted(self._handlers))
            return _refused(request, f"this gateway knows no request '{request.kind}' (known: {known})", "Update it.")
        if late >= 0:
            words = f"the request came {late / 1e6:.1f} s after its deadline by the gateway's clock"
            return _refused(request, words, "Is the gateway's clock right? Is the network slow?")
        if self._group is None:
            return _not_now(request, "the gateway is stopping or taking a new configuration")
        if self._working >= AT_ONCE:
            return _not_now(request, f"the gateway works on {AT_ONCE} requests already")
        return None

    async def _work(self, request: Request, reply: Reply) -> None:
        try:
            _send(await self._answer(request), reply)
        finally:
            self._working -= 1

    async def _answer(self, request: Request) -> Answer:
        seconds = (request.deadline - self._clock.now_us()) / 1e6
        try:
            async with asyncio.timeout(seconds):
                return Answer(request.id, "done", await self._handlers[request.kind](request))
        except TimeoutError:
            return Answer(request.id, "failed", error=f"'{request.kind}' was not done within {seconds:.1f} s")
        except ConfigError as error:
            words = LineshaftError.__str__(error)
            return Answer(request.id, "refused", error=words, mend=error.hint, problems=error.problems)
        except LineshaftError as error:
            outcome: Outcome = "refused" if isinstance(error, PermanentError) else "failed"
            return Answer(request.id, outcome, error=str(error), mend=error.hint)
        except Exception as error:  # the boundary: who asked from afar gets an answer, whatever a handler does wrong
            log.exception("request.fault", kind=request.kind)
            return Answer(request.id, "failed", error=f"a fault in the gateway: {error!r}", mend="See its log.")


def _refused(request: Request, error: str, mend: str) -> Answer:
    return Answer(request.id, "refused", error=error, mend=mend)


def _not_now(request: Request, error: str) -> Answer:
    return Answer(request.id, "failed", error=error, mend="Ask again in a moment.")


def _send(answer: Answer, reply: Reply) -> None:
    try:
        parts = encode_answer(answer)
    except DataError as error:
        parts = encode_answer(Answer(answer.id, "failed", error=str(error), mend="Ask for less at once."))
    for part in parts:
        reply(AnswerNote(part))
