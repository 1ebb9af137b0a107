"""Room on the disk that is set aside, so that a gateway starts again where there is none left.

SQLite needs a little to open a file: it makes anew what it took away when it was last closed, the
index of the write-ahead log above all. On a disk that others have filled to the last byte a gateway
that was stopped in good order would not start, and nobody would be told 503. So a small file lies
beside the outbox. It is given up then; what is left of it is taken again at once, and what SQLite
lets go when the gateway stops, so that it starts any number of times. With room again it is whole.

It is not synced: the room is taken when it is written, and after a power cut SQLite finds what it
needs beside its files. Its bytes are random, as some file systems store no others for nothing.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from custody.errors import Unavailable
from producers import folders

FILE = "reserve"
BYTES = 1 << 17
"""Twice what SQLite needs to open the outbox and the tokens."""

_PIECE = 1 << 12

T = TypeVar("T")

log = logging.getLogger(__name__)


class OutboxNotOpened(Unavailable):
    """The file cannot be opened or made, most often for want of room."""

    def __init__(self, path: Path, cause: Exception) -> None:
        free = shutil.disk_usage(path.parent).free
        super().__init__(
            f"the outbox cannot be opened: {path}: {cause}; {free:,} bytes are free on its disk",
            expected="a disk that can be written, with room for some MB",
            next_step="make room and start again; see docs/gateway.md, when the outbox is full",
        )


def opened(directory: Path, attempt: Callable[[], T]) -> T:
    """Open something in a directory; where that fails, once more without the reserve.

    Args:
        directory: Where the reserve lies.
        attempt: Opens it; leaves nothing open where it fails.

    Raises:
        sqlite3.Error, OSError: It cannot be opened, and there is no reserve, or with it neither.
    """
    try:
        return attempt()
    except (sqlite3.Error, OSError) as error:
        try:
            (directory / FILE).unlink()
        except OSError:
            raise error from None
        log.warning("opened by the reserve of its disk", extra={"reason": str(error)})
        made = attempt()
        take(directory)
        return made


def keep(directory: Path, disk_free_bytes_min: int) -> None:
    """Set the reserve aside where it is missing, or not whole, and there is room.

    Args:
        directory: Where it is to lie.
        disk_free_bytes_min: Least free space on the disk at which it is.
    """
    with contextlib.suppress(OSError):
        if _held(directory) < BYTES and shutil.disk_usage(directory).free >= disk_free_bytes_min:
            take(directory)


def take(directory: Path) -> None:
    """Set aside as much of the reserve as there is room for: before others fill what is let go."""
    with contextlib.suppress(OSError):
        folders.own(directory / FILE)
        with (directory / FILE).open("ab", buffering=0) as file:
            while file.tell() < BYTES:
                file.write(os.urandom(_PIECE))


def _held(directory: Path) -> int:
    path = directory / FILE
    return path.stat().st_size if path.exists() else 0


def refill(directory: Path) -> None:
    """Make a reserve that is not whole as large as there is room for; none where there was none."""
    if 0 < _held(directory) < BYTES:
        take(directory)
