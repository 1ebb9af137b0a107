"""What the gateway tells of itself to whoever keeps it: room, numbers, what it refused lately.

Read from the outbox's file by a connection of its own and closed again: nobody who takes or
publishes waits for a status page.
"""

import json
import shutil
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from producers import refused_share, store
from producers.config import OutboxConfig
from producers.room import shares
from producers.store import Refused
from producers.tally import stem_of

REFUSED_MAX = 100
"""Most refused requests in one answer."""

LOOKED_AT_MAX = 5_000
"""Most kept requests that are looked through for those of some sites."""

_NUMBERS = ("ticket_no", "certificate_no", "movement_id", "process_id", "claim_id", "shot_no", "id")
"""What a person calls a request by, where it has it."""


@dataclass(frozen=True, slots=True)
class Room:
    """How full an outbox is; None where the file or the disk cannot be read.

    Attributes:
        seq: Last number given.
        used_bytes: What the file holds beside refused requests.
        refused_bytes: What these take.
        refused_unkept: How many were refused and not kept since the outbox was made.
        free_bytes: Free space on its disk.
    """

    seq: int | None = None
    used_bytes: int | None = None
    refused_bytes: int | None = None
    refused_unkept: int | None = None
    free_bytes: int | None = None


def room(path: Path) -> Room:
    """Return how full the outbox in a file is. Reads the disk; does not wait for writers."""
    try:
        free = shutil.disk_usage(path.parent).free
        with closing(store.connect(path, read_only=True)) as connection:
            position = store.get_position(connection)
            used = shares(connection)
            unkept = refused_share.unkept_count(connection)
    except (sqlite3.Error, OSError):
        # A status page that fails when the disk does would fail when it is looked at.
        return Room()
    return Room(0 if position is None else position.seq, *used, unkept, free)


def figures(path: Path, config: OutboxConfig) -> dict[str, object]:
    """Return the room as fields of ``/health``, with the limits beside it.

    All of one look at the file: whoever made room there, whichever process, sees it here at once.
    """
    found = room(path)
    kept, most = found.refused_bytes, config.bytes_max
    return {
        "gateway_seq": found.seq,
        "outbox_bytes": found.used_bytes,
        "outbox_bytes_max": refused_share.records_limit_bytes(config.bytes_max),
        "refused_bytes": found.refused_bytes,
        "refused_bytes_max": refused_share.limit_bytes(config.bytes_max),
        "refused_full": None if kept is None else refused_share.is_full(kept, most),
        "refused_unkept": found.refused_unkept,
        "disk_free_bytes": found.free_bytes,
        "disk_free_bytes_min": config.disk_free_bytes_min,
    }


def refused_lately(path: Path, limit: int, sites: Collection[str] = ()) -> list[Refused]:
    """Return the requests refused last, newest first.

    Args:
        path: The outbox's file.
        limit: Most to return.
        sites: Only those that name one of these sites; all where it is empty.

    Raises:
        sqlite3.Error: The file cannot be read.
    """
    found: list[Refused] = []
    with closing(store.connect(path, read_only=True)) as connection:
        rows = connection.execute(
            "SELECT at, sender, code, reason, body FROM refused ORDER BY no DESC LIMIT ?",
            (LOOKED_AT_MAX if sites else limit,),
        )
        for columns in rows:
            row = Refused(*columns)
            if not sites or _body(row).get("site_id") in sites:
                found.append(row)
            if len(found) == limit:
                break
    return found


def refused_item(row: Refused, at: str | None) -> dict[str, object]:
    """Return a refused request as the status page shows it.

    Its body is left out: who needs it whole has ``custody refused``.

    Args:
        row: As it is kept.
        at: Its time as text.
    """
    body = _body(row)
    reason: dict[str, object] = json.loads(row.reason)
    named = (body.get(name) for name in _NUMBERS)
    return {
        "at": at,
        "sender": row.sender,
        "type": stem_of(body),
        "site_id": _text(body.get("site_id")),
        "lot_id": _text(body.get("lot_id")),
        "number": next((_text(value) for value in named if value is not None), None),
        **{name: reason.get(name) for name in ("code", "field", "found", "allowed")},
    }


def _body(row: Refused) -> Mapping[str, object]:
    """Return the kept request; empty where it was no object or was cut at its limit."""
    try:
        body = json.loads(row.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: object) -> str | None:
    if value is None:
        return None
    # Half a surrogate pair would break the answer.
    return str(value)[:100].encode(errors="backslashreplace").decode()
