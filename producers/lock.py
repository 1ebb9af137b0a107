"""One process per outbox: a lock that ends with its process, however it ends."""

import fcntl
import os
from pathlib import Path

from custody.errors import Unavailable


class OutboxInUse(Unavailable):
    """Another process has the outbox open."""

    def __init__(self, directory: object) -> None:
        super().__init__(
            f"outbox in {directory} is in use by another process",
            expected="one gateway per outbox",
            next_step="custody status, then custody down",
        )


def locked(directory: Path) -> int:
    """Return a descriptor that holds the outbox's lock until it is closed.

    Raises:
        OutboxInUse: Another process holds it.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OutboxInUse(directory) from None
    return descriptor
