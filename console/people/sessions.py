"""Sessions: 256 random bits in a cookie, their SHA-256 in the file."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from console.people.file import PeopleFile
from console.people.register import user_of
from console.people.user import Session
from custody.events import Micros

_BYTES = 32
_SEEN_EVERY_US = 60_000_000
"""The last use is written once a minute, so that looking costs no write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """When a session is over.

    Attributes:
        idle_s: So long without a request.
        absolute_s: So long after the login, used or not.
    """

    idle_s: float = 8 * 3_600.0
    absolute_s: float = 7 * 86_400.0


class Sessions:
    """The sessions of a console. Threads may share it.

    Args:
        file: Where they are kept; closed by the caller.
        ends: When they are over.
        clock: Time of day.
    """

    def __init__(self, file: PeopleFile, ends: Ends, clock: Callable[[], Micros]) -> None:
        self._file = file
        self._ends = ends
        self._clock = clock

    def begin(self, name: str) -> str:
        """Begin a session of a user and return its secret; those that are over are forgotten."""
        now, secret = self._clock(), secrets.token_urlsafe(_BYTES)
        idle, absolute = self._limits(now)
        self._file.rows("DELETE FROM session WHERE seen_at < ? OR created_at < ?", (idle, absolute))
        self._file.rows(
            "INSERT INTO session (digest, user, created_at, seen_at) VALUES (?, ?, ?, ?)",
            (_digest(secret), name, now, now),
        )
        return secret

    def find(self, secret: str, *, used: bool = True) -> Session | None:
        """Return the session of a secret; None where there is none, or it is over.

        Args:
            secret: Of the session.
            used: Somebody did something; a page that only watches does nothing.
        """
        now, digest = self._clock(), _digest(secret)
        idle, absolute = self._limits(now)
        found = self._file.rows(
            "SELECT user.name, role, must_change, user.created_at, changed_at, disabled_at,"
            " session.created_at, seen_at FROM session JOIN user ON user.name = session.user"
            " WHERE digest = ? AND seen_at >= ? AND session.created_at >= ?"
            " AND disabled_at IS NULL",
            (digest, idle, absolute),
        )
        if not found:
            return None
        *user, created_at, seen_at = found[0]
        if used and now - seen_at >= _SEEN_EVERY_US:
            self._file.rows("UPDATE session SET seen_at = ? WHERE digest = ?", (now, digest))
        return Session(
            user=user_of(tuple(user)), created_at=Micros(created_at), seen_at=Micros(seen_at)
        )

    def end(self, secret: str) -> None:
        """End a session; one that is over stays so."""
        self._file.rows("DELETE FROM session WHERE digest = ?", (_digest(secret),))

    def _limits(self, now: Micros) -> tuple[int, int]:
        return now - round(self._ends.idle_s * 1e6), now - round(self._ends.absolute_s * 1e6)


def csrf_of(secret: str) -> str:
    """Return what a page of a session sends along with every change.

    It follows from the secret, which no script can read and no other site knows, and it does not
    tell the secret.
    """
    mac = hmac.new(secret.encode(), b"custody csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
