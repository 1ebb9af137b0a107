"""Which incarnation of the outbox this is, told by a small file beside it.

A restored copy of an outbox would number new events with numbers that other events already have.
So a second file holds the epoch and the highest number given; it is written after every commit.
A copy that is older than the file, a new outbox, a missing or unreadable file: each begins the
next epoch, and ``gateway_seq`` starts again at 1. A copy of the whole directory, file included,
cannot be told from the original: restore ``outbox.sqlite3`` alone.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from producers import folders

_BYTES = 256
"""Fixed length, so that one write replaces the whole."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a gateway got: epoch and highest sequence number given in it."""

    epoch: int
    last_seq: int


def next_epoch(stored: Mark | None, beside: Mark | None) -> tuple[int, bool]:
    """Return the epoch to go on with, and whether the chain begins anew.

    Args:
        stored: What the outbox says of itself; None for a new one.
        beside: What the file says; None where it is missing or unreadable.
    """
    if stored is None:
        return (1 if beside is None else beside.epoch + 1), True
    if beside is None:
        return stored.epoch + 1, True
    older = (stored.epoch, stored.last_seq) < (beside.epoch, beside.last_seq)
    return (beside.epoch + 1, True) if older else (stored.epoch, False)


class EpochFile:
    """The file; opened once, overwritten in place. For one thread: it has one place in the file.

    Args:
        path: Where it lies; made where missing.

    Raises:
        OSError: It cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        folders.own(path)
        # Unbuffered and binary: a write is one call, and no system changes a byte of it.
        self._file = path.open("r+b", buffering=0)

    def read(self) -> Mark | None:
        """Return the mark, or None where there is no readable one."""
        try:
            self._file.seek(0)
            found = json.loads(self._file.read(_BYTES))
            return Mark(int(found["epoch"]), int(found["last_seq"]))
        except (ValueError, KeyError, TypeError):
            return None

    def write(self, mark: Mark, *, durable: bool = False) -> None:
        """Replace the mark.

        Args:
            mark: What to write.
            durable: Wait for the disk. Not needed while numbers grow: after a power cut the file
                may be behind the outbox, which means nothing, but never before it.
        """
        self._file.seek(0)
        self._file.write(json.dumps(asdict(mark)).ljust(_BYTES - 1).encode() + b"\n")
        if durable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
