"""Files of SQLite that only their owner may read."""

import os
import sqlite3
from pathlib import Path


def opened(
    path: Path, tables: str, *, patient_s: float = 5.0, one_thread: bool = True
) -> sqlite3.Connection:
    """Open a file, made where it is not there; each change is synced before it is done.

    Args:
        path: The file; its folder is made, too.
        tables: Statements that make what is not there.
        patient_s: How long a change waits for that of another process.
        one_thread: False where the caller sees to it that calls do not overlap.

    Raises:
        sqlite3.Error: It is no such file, or cannot be written.
        OSError: It cannot be opened or made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before SQLite would make it, and readable by more than its owner; the log and the index
    # beside it get the mode of the file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=patient_s, check_same_thread=one_thread
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(tables)
    return connection
