"""Operators in a process of their own: what raises, hangs or eats memory there harms nobody else.

Parent and child speak pickles over pipes; `python -m lineshaft.hub.operators.worker` is the child.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import struct
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from lineshaft.errors import LineshaftError
from lineshaft.hub.operators.plan import Binding
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Operator, Output

_HEAD: Final = struct.Struct("<Q")
_SLOW: Final = "look in it for a loop without end, or for work that grows with every row"
_GREEDY: Final = "look in it for what it keeps for ever, or give it a shorter past"
_RAISED: Final = "check its options and its code, and try it in a backtest over this time"
Key = tuple[str, str]
"""Operator id and asset path."""


class OperatorFailed(LineshaftError):
    """An operator raised; the message is its error."""


class WorkerGone(LineshaftError):
    """The worker did not answer in time, or ended; the message says which."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator may take."""

    seconds: float = 10.0  # for one batch
    memory: int = 1 << 30  # bytes that a worker may allocate
    folders: tuple[str, ...] = ()  # where modules of own operators are, besides those that Python knows


class Worker:
    """A child with operators; used by one thread. `close` at the end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def make(self, binding: Binding, state: bytes | None) -> None:
        """An operator in the child, restored from `state`. Raises OperatorFailed or WorkerGone."""
        self._ask(("make", binding, state))

    def update(self, key: Key, batch: SampleBatch) -> tuple[Output, float]:
        """What it finds, and the seconds that it took. Raises OperatorFailed or WorkerGone."""
        began = time.perf_counter()
        found: Output = self._ask(("update", key, batch))
        return found, time.perf_counter() - began

    def snapshot(self, key: Key) -> bytes:
        """Its state. Raises OperatorFailed or WorkerGone."""
        state: bytes = self._ask(("snapshot", key))
        return state

    def close(self) -> None:
        """End the child, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, message: tuple[Any, ...]) -> Any:
        process = self._started()
        try:
            _send(process.stdin, message)
            kind, content = pickle.loads(self._received(process.stdout))  # noqa: S301 - of our own child
        except (OSError, EOFError) as error:
            code = process.poll()
            self.close()
            words = f"its process ended ({code if code is not None else error})"
            raise WorkerGone(words, hint="look at the log of the hub for what ended it") from error
        if kind == "error":
            words, hint = content
            raise OperatorFailed(words, hint=hint)
        return content

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [sys.executable, "-m", "lineshaft.hub.operators.worker", str(self._limits.memory)]
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join([*self._limits.folders, *filter(None, sys.path)]),
                "OMP_NUM_THREADS": "1",
            }
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
            )
            self._read(self._process.stdout, 1, 60.0)  # it has loaded what it needs
        return self._process

    def _received(self, pipe: Any) -> bytes:
        (size,) = _HEAD.unpack(self._read(pipe, _HEAD.size, self._limits.seconds))
        return self._read(pipe, size, self._limits.seconds)

    def _read(self, pipe: Any, size: int, seconds: float) -> bytes:
        parts: list[bytes] = []
        deadline = time.monotonic() + seconds
        poll = select.poll()  # select() takes no file above number 1023
        poll.register(pipe, select.POLLIN)
        while size:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1e3):
                self.close()
                raise WorkerGone(f"it did not answer within {seconds:g} s", hint=_SLOW)
            data = os.read(pipe.fileno(), min(size, 1 << 20))
            if not data:
                raise EOFError("end of the pipe")
            parts.append(data)
            size -= len(data)
        return b"".join(parts)


def _send(pipe: Any, message: Any) -> None:
    data = memoryview(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
    parts = [memoryview(_HEAD.pack(len(data))), data]
    for part in parts:
        while part:
            part = part[os.write(pipe.fileno(), part) :]


def _child(source: BinaryIO, target: Any) -> None:
    """Answer until the parent is gone."""
    operators: dict[Key, Operator] = {}
    while head := source.read(_HEAD.size):
        message = pickle.loads(source.read(_HEAD.unpack(head)[0]))  # noqa: S301 - of our own parent
        try:
            answer = ("ok", _act(operators, message))
        except Exception as error:  # noqa: BLE001 - the boundary: whatever an operator raises is told to the parent
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = str(error)[:400]
            if isinstance(error, MemoryError):
                what = f"it may take {resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20:,} MiB"
            words = f"{type(error).__name__}: {what} ({place.filename.rpartition('/')[2]}:{place.lineno})"
            answer = ("error", (words, _GREEDY if isinstance(error, MemoryError) else _RAISED))
        _send(target, answer)


def _act(operators: dict[Key, Operator], message: tuple[Any, ...]) -> Any:
    match message:
        case ("make", Binding() as binding, state):
            operator = binding.planned.create(binding.asset)
            if operator is None:
                raise OperatorFailed("the asset has not the signals that it needs")
            if state is not None:
                operator.restore(state)
            operators[binding.key] = operator
            return None
        case ("update", key, batch):
            return operators[key].update(batch)
        case ("snapshot", key):
            return operators[key].snapshot()
    raise OperatorFailed(f"unknown message {message[0]}")


def _end_with_parent(parent: int) -> None:
    """An operator that hangs must not outlive a hub that was killed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _main() -> None:
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    target = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what an operator prints goes to the log
    target.write(b"+")
    _child(sys.stdin.buffer, target)


if __name__ == "__main__":
    _main()
