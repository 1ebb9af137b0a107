"""A gateway that takes MQTT messages: a process of its own that kills itself at a moment."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from producers.mqtt_link import Link
from producers.outbox import Outbox
from tests.support import mqtt_line

BEFORE, COMMITTED, ACKNOWLEDGED, NEVER = "before", "committed", "acknowledged", "never"
"""Moments: the message is judged; it is on disk; its acknowledgement is handed to the socket."""

MOMENTS = (BEFORE, COMMITTED, ACKNOWLEDGED)


def main() -> None:
    """Take messages until the n-th such moment: directory, url, name, moment, n."""
    directory, url, name, moment, n = sys.argv[1:]
    left = [int(n)]

    def die_at(reached: str) -> None:
        if reached == moment:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    Outbox._write = _around(  # type: ignore[method-assign]  # the place to die at
        Outbox._write, lambda: die_at(BEFORE), lambda: die_at(COMMITTED)
    )
    Link._acknowledge = _around(  # type: ignore[method-assign]  # likewise
        Link._acknowledge, lambda: None, lambda: die_at(ACKNOWLEDGED)
    )
    with mqtt_line.taking(Path(directory), mqtt_line.config(url, name)):
        threading.Event().wait()


def _around(
    function: Callable[..., None], before: Callable[[], None], after: Callable[[], None]
) -> Callable[..., None]:
    @wraps(function)
    def stepped(*given: object) -> None:
        before()
        function(*given)
        after()

    return stepped


if __name__ == "__main__":
    main()
