"""How much the outbox may hold, and what is done about it, in this order.

Refused requests have a share to themselves (``producers/refused_share.py``): what follows is of all
else.

From ``WARN_SHARE`` of the limit on it says so: in the log once, as a metric, in ``/health``. Above
the limit what Kafka has already goes first, oldest first. Where nothing of that is left, nothing is
accepted: never is anything dropped that was. It opens again by itself when there is room.
"""

import logging
import shutil
import sqlite3
from typing import NamedTuple

from custody.events import Micros
from producers import refused_share, reserve, store
from producers.config import OutboxConfig

WARN_SHARE = 0.8
"""Share of the limit from which the outbox says that it fills."""

PRUNE_ROWS = 2_000
"""Rows deleted at once, so that no sender waits for a long delete."""

DISK, FULL = "disk", "full"
"""Why there is no room."""

_US = 1_000_000
_MINUTE_S = 60
_EVER = Micros((1 << 63) - 1)

log = logging.getLogger(__name__)


class Shares(NamedTuple):
    """What an outbox's file holds, bytes: of records with all that goes with them, of refused."""

    records: int
    refused: int


def shares(connection: sqlite3.Connection) -> Shares:
    """Return what records take, and what refused requests do (``refused_share``)."""
    refused = refused_share.kept_bytes(connection)
    return Shares(max(0, store.used_bytes(connection) - refused), refused)


class Room:
    """The limit of one outbox; called by the thread that writes it.

    Args:
        config: The limit, and how long what is done with is kept.
        writer: The outbox's file.
    """

    def __init__(self, config: OutboxConfig, writer: sqlite3.Connection) -> None:
        self._config = config
        self._writer = writer
        self._pruned_at: Micros | None = None
        self._warned = False
        self.limit_bytes = refused_share.records_limit_bytes(config.bytes_max)
        """What the file may hold beside refused requests."""
        self.refused_limit_bytes = refused_share.limit_bytes(config.bytes_max)
        """What refused requests may take."""
        self._look()

    def _look(self) -> None:
        found = shares(self._writer)
        self.refused_bytes = found.refused
        """What refused requests take."""
        self.used_bytes = found.records
        """What the file holds beside them; pages that are free again are not counted."""

    @property
    def refused_bytes_left(self) -> int:
        """How much more of refused requests may be kept; none where there are too many."""
        return max(0, self.refused_limit_bytes - self.refused_bytes)

    @property
    def used_share(self) -> float:
        """Share of the limit that is used; a little above 1 when it is reached."""
        return self.used_bytes / self.limit_bytes

    @property
    def is_filling(self) -> bool:
        """Whether so much is used that somebody should look."""
        return self.used_share >= WARN_SHARE

    def refusal(self, floor: int, waiting: int) -> tuple[str, str] | None:
        """Return why nothing may be accepted, reason and detail, or None; makes room where it may.

        Args:
            floor: All entries below are published.
            waiting: How many are not.
        """
        try:
            free = shutil.disk_usage(self._config.directory).free
            if free < self._config.disk_free_bytes_min:
                return DISK, f"{free >> 20} MiB free on its disk"
            self._look()
            self._warn(waiting)
            while self.used_bytes > self.limit_bytes:
                # What is published is kept for convenience only, however young it is.
                if not store.prune(self._writer, _EVER, floor, PRUNE_ROWS):
                    return FULL, f"{self.used_bytes >> 20} MiB used, {waiting} entries wait"
                self._look()
        except (sqlite3.Error, OSError) as error:
            return DISK, str(error)
        return None

    def prune(self, now: Micros, floor: int) -> None:
        """Once a minute, drop what need not be kept; in small steps.

        Args:
            now: Time of day.
            floor: All entries below are published.
        """
        at = self._pruned_at
        # A clock that was set back is a reason to look, not to wait until it has caught up.
        if at is not None and 0 <= now - at < _MINUTE_S * _US:
            return
        published_before = Micros(now - int(self._config.keep_published_s * _US))
        refused_before = Micros(now - int(self._config.keep_refused_s * _US))
        try:
            deleted = store.prune(self._writer, published_before, floor, PRUNE_ROWS)
            store.forget_refused(self._writer, refused_before)
        except sqlite3.Error as error:
            log.warning("outbox not pruned", extra={"reason": str(error)})
            deleted = 0
        reserve.keep(self._config.directory, self._config.disk_free_bytes_min)
        if deleted < PRUNE_ROWS:
            self._pruned_at = now

    def _warn(self, waiting: int) -> None:
        if self.is_filling and not self._warned:
            used = {"used_mib": self.used_bytes >> 20, "limit_mib": self.limit_bytes >> 20}
            log.warning("outbox fills", extra={**used, "waiting": waiting})
        self._warned = self.is_filling
