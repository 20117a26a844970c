"""Log lines and messages to the supervisor share one pipe and stay apart."""

from __future__ import annotations

import os
import subprocess
import sys

from lineshaft.server.messages import SUPERVISED, understand

CHATTER = """
import threading
import structlog
from lineshaft.server.logs import configure_logging
from lineshaft.server.messages import Message, tell

configure_logging()
log = structlog.get_logger()
threads = [threading.Thread(target=lambda: [log.info("words", n=n) for n in range(2000)]) for _ in range(3)]
for thread in threads:
    thread.start()
for n in range(1000):
    tell(Message("notice", str(n)))
for thread in threads:
    thread.join()
"""


def test_a_message_is_never_in_the_middle_of_a_log_line() -> None:
    """Three threads that log without pause hide not one of a thousand messages."""
    done = subprocess.run(
        [sys.executable, "-c", CHATTER], env={**os.environ, SUPERVISED: "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    messages = [message for line in lines if (message := understand(line)) is not None]
    assert [message.words for message in messages] == [str(n) for n in range(1000)]
    assert len(lines) == 7000
