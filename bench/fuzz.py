"""Throws damaged documents and messages at the decoders: only DataError, no hang, no growth of memory."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
from tests.drivers.mtconnect import test_xml as mtconnect
from tests.drivers.open_protocol import test_wire as open_protocol

from bench import fuzz_plc
from lineshaft.drivers.mtconnect.multipart import Splitter
from lineshaft.drivers.mtconnect.xml import parse
from lineshaft.drivers.open_protocol.fields import decode
from lineshaft.drivers.open_protocol.items import ITEMS, meaning
from lineshaft.drivers.open_protocol.trace import decode_trace
from lineshaft.drivers.open_protocol.wire import Framer, Message, encode
from lineshaft.errors import DataError

WARM_UP = 2000
SLOWEST_S = 2.0
MOST_GROWTH = 20 * 2**20


@dataclass(frozen=True)
class Target:
    """One decoder, and good inputs that are damaged for it. It may raise DataError alone."""

    name: str
    attempt: Callable[[bytes], object]
    seeds: Sequence[bytes]


def _open_protocol(data: bytes) -> None:
    for message in Framer().feed(data):
        if message.mid == 900:
            decode_trace(message)
            continue
        for name, raw in decode(message).items():
            if name in ITEMS:
                meaning(ITEMS[name], raw, as_text=True)


_PARTS = mtconnect.TestMultipart.wire(mtconnect.TestMultipart.PARTS, lengths=True, end=b"\r\n")
_CURVES = [open_protocol.trace_message(revision) for revision in (1, 2, 3)]
TARGETS = (
    Target("MTConnect XML", parse, (mtconnect.CURRENT, mtconnect.PROBE, mtconnect.ERROR, mtconnect.BOMB)),
    Target("MTConnect multipart", lambda data: list(Splitter("b0", 4096).feed(data)), (_PARTS,)),
    Target(
        "Open Protocol messages",
        _open_protocol,
        (*(text.encode() + b"\0" for text in open_protocol.VECTORS), *map(encode, _CURVES)),
    ),
    Target(
        "Open Protocol curves",
        lambda data: decode_trace(Message(900, data[0] % 3 + 1 if data else 1, data)),
        tuple(curve.data for curve in _CURVES),
    ),
    Target("S7 replies", fuzz_plc.s7_reply, fuzz_plc.S7_REPLIES),
    Target("S7 contents", fuzz_plc.s7_contents, fuzz_plc.S7_CONTENTS),
    Target("EtherNet/IP replies", fuzz_plc.tag_reply, fuzz_plc.TAG_REPLIES),
    Target("JSON mapping", fuzz_plc.document, fuzz_plc.DOCUMENTS),
    Target("CSV", fuzz_plc.table, fuzz_plc.TABLES),
)


def damaged(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A seed with one to five bytes changed, pieces cut out, doubled, or taken from another seed."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(data) + 1)
        length = chance.randrange(1, 24)
        what = chance.randrange(5)
        if what == 0:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif what == 1:
            del data[place : place + length]
        elif what == 2:
            data[place:place] = data[place : place + length]
        elif what == 3:
            data[place : place + length] = chance.randbytes(length)
        else:
            other = chance.choice(seeds)
            begin = chance.randrange(len(other))
            data[place : place + length] = other[begin : begin + length]
    return bytes(data)


def fuzz(target: Target, inputs: int, seed: int) -> bool:
    """Run one decoder; prints a line and returns whether it stood."""
    chance, process = random.Random(seed), psutil.Process()  # noqa: S311 - repeatable, not secret
    refused, slowest, before = 0, 0.0, 0
    began = time.perf_counter()
    for turn in range(inputs):
        data = damaged(chance, target.seeds)
        start = time.perf_counter()
        try:
            target.attempt(data)
        except DataError:
            refused += 1
        slowest = max(slowest, time.perf_counter() - start)
        if turn == WARM_UP:
            before = process.memory_info().rss
    grown = process.memory_info().rss - before if inputs > WARM_UP else 0
    rate = inputs / (time.perf_counter() - began)
    print(
        f"{target.name:24} {inputs:>9,} inputs, {refused:>9,} refused, {rate:>8,.0f}/s, "
        f"slowest {1000 * slowest:.1f} ms, memory {grown / 2**20:+.1f} MiB"
    )
    return slowest < SLOWEST_S and grown < MOST_GROWTH


def main() -> int:
    """Run all decoders."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=1_000_000, help="for each decoder")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    stood = [fuzz(target, chosen.inputs, chosen.seed) for target in TARGETS]
    return 0 if all(stood) else 1


if __name__ == "__main__":
    sys.exit(main())
