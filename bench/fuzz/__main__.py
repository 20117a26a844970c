"""`python -m bench.fuzz [--inputs N] [--seed N] [name ...]`: all decoders, or those whose name holds a word."""

from __future__ import annotations

import argparse
import sys

from bench.fuzz.run import fuzz
from bench.fuzz.targets import TARGETS


def main() -> int:
    """Run the decoders; 0 when all stood."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*")
    options.add_argument("--inputs", type=int, default=1_000_000, help="for each decoder")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    words = [name.lower() for name in chosen.names]
    stood = True
    for target in TARGETS:
        if not words or any(word in target.name.lower() for word in words):
            outcome = fuzz(target, chosen.inputs, chosen.seed)
            print(outcome, flush=True)
            stood = stood and not outcome.failure
    return 0 if stood else 1


if __name__ == "__main__":
    sys.exit(main())
