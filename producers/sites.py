"""Which site an event of the outbox is of: for tokens that are bound to sites."""

import threading
from pathlib import Path

from custody.ids import parse_event_id
from producers import store
from schemas.codec import decode


class Sites:
    """Looks events up in the outbox's file, by a connection of its own. Threads may share it.

    Args:
        path: The outbox's file; it is there.
    """

    def __init__(self, path: Path) -> None:
        self._reader = store.connect(path, read_only=True)
        self._lock = threading.Lock()

    def of(self, event_id: str) -> str | None:
        """Return the site of an event.

        None where this gateway never took it, no longer has its record, or the record belongs to
        no site.
        """
        known = parse_event_id(event_id)
        if known is None:
            return None
        with self._lock:
            identity = store.get_identity(self._reader, known)
            row = (
                identity
                and self._reader.execute(
                    "SELECT stem, body FROM entry WHERE no = ?", (identity.no,)
                ).fetchone()
            )
        if not row:
            return None
        site: str | None = getattr(decode(row[0], row[1]), "site_id", None)
        return site

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
