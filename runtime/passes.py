"""Passes beside the sink: the same work again and again, in a thread of its own, until stopped."""

import logging
import threading
from collections.abc import Callable

from confluent_kafka import KafkaException

from custody.errors import CustodyError


def repeat(
    go_over: Callable[[], None],
    name: str,
    log: logging.Logger,
    interval_s: float,
    ready: threading.Event,
    stop: threading.Event,
) -> None:
    """Make passes until ``stop`` is set; what is away is waited for, and said once.

    Args:
        go_over: One pass.
        name: What the log calls it.
        log: Where to.
        interval_s: Between two passes.
        ready: Set when the tables are there.
        stop: Set by another thread.
    """
    reason = ""
    while not stop.wait(interval_s):
        if not ready.is_set():
            continue
        try:
            go_over()
            reason = ""
        except (CustodyError, KafkaException) as error:
            if str(error) != reason:
                log.warning("%s waits", name, extra={"reason": str(error)})
            reason = str(error)
        except Exception:
            # A process edge: rows go on being stored, whatever a pass trips over.
            log.exception("%s failed", name)
