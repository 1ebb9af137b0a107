"""The file of tokens: beside the outbox, written by ``custody token``, read by the gateway.

SQLite, so that the command and the running gateway may both have it open, each change is whole
and durable, and the gateway sees from one number whether there is something new to read.
"""

import errno
import json
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from custody.errors import Refused, Unavailable
from custody.events import Micros
from producers import folders, reserve
from producers.tokens import Token

FILE = "tokens.sqlite3"

TOKENS_MAX = 10_000
"""Tokens of one gateway, revoked ones too: they are held in memory while it runs."""

_PATIENT_S, _BRIEF_S = 5.0, 0.05
"""How long one waits for another who writes."""

_TABLE = """
CREATE TABLE IF NOT EXISTS token (
  digest BLOB PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  sites TEXT NOT NULL,
  types TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) WITHOUT ROWID;
"""
_COLUMNS = "digest, name, sites, types, created_at, expires_at, last_used_at, revoked_at"


_NO_ROOM = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
)
"""What SQLite says of a disk without room; the last, where it begins its log."""


def _is_no_room(cause: Exception) -> bool:
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) in _NO_ROOM
    return isinstance(cause, OSError) and cause.errno == errno.ENOSPC


class TokensUnreadable(Unavailable):
    """The file of tokens cannot be opened, read or written."""

    def __init__(self, path: Path, cause: Exception) -> None:
        room = f"make room on the disk of {path.parent} and do it again; no token is lost"
        super().__init__(
            f"tokens {path}: {cause}",
            expected="a file of tokens that we may read and write",
            next_step=room if _is_no_room(cause) else "see docs/access.md, lost tokens",
        )


class NameTaken(Refused):
    """A name was given before."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is or was a token {name}",
            expected="a name of its own for each: what was sent and refused is kept under it",
            next_step=f"custody token create {name}-2",
        )


class TooManyTokens(Refused):
    """The file is full."""

    def __init__(self) -> None:
        super().__init__(f"there are {TOKENS_MAX} tokens", expected="one for each sender")


class UnknownToken(Refused):
    """No token has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no token is called {name}", next_step="custody token list")


class TokenStore:
    """Tokens by digest. One thread at a time may use it.

    Args:
        directory: The gateway's; made where it is not there.
        durable: Wait for the disk at every change, and for another who writes; a gateway that
            only notes uses waits for neither.

    Raises:
        TokensUnreadable: It cannot be opened or made.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.path = directory / FILE
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = reserve.opened(
                directory, lambda: _opened(self.path, durable=durable)
            )
        except (sqlite3.Error, OSError) as error:
            raise TokensUnreadable(self.path, error) from error

    def version(self) -> int:
        """Return a number that changes when another process has changed the file.

        Raises:
            TokensUnreadable: It cannot be read.
        """
        return int(self._rows("PRAGMA data_version")[0][0])

    def by_digest(self) -> dict[bytes, Token]:
        """Return every token, revoked and expired ones too.

        Raises:
            TokensUnreadable: It cannot be read.
        """
        rows = self._rows(f"SELECT {_COLUMNS} FROM token ORDER BY created_at, name")  # noqa: S608  ours
        return {row[0]: _token(row) for row in rows}

    def add(self, token: Token, digest: bytes) -> None:
        """Keep a new token; durable when it returns.

        Raises:
            NameTaken: The name was given before.
            TooManyTokens: There are as many as there may be.
            TokensUnreadable: It cannot be written.
        """
        if self._rows("SELECT count(*) FROM token")[0][0] >= TOKENS_MAX:
            raise TooManyTokens
        try:
            self._connection.execute(
                f"INSERT INTO token ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",  # noqa: S608  ours
                (
                    digest,
                    token.name,
                    json.dumps(sorted(token.sites)),
                    json.dumps(sorted(token.types)),
                    token.created_at,
                    token.expires_at,
                ),
            )
        except sqlite3.IntegrityError:
            raise NameTaken(token.name) from None
        except sqlite3.Error as error:
            raise TokensUnreadable(self.path, error) from error

    def revoke(self, name: str, at: Micros) -> Token:
        """Withdraw a token and return it; one that was withdrawn before keeps its time.

        Raises:
            UnknownToken: There is none of that name.
            TokensUnreadable: It cannot be written.
        """
        found = [token for token in self.by_digest().values() if token.name == name]
        if not found:
            raise UnknownToken(name)
        if found[0].revoked_at is not None:
            return found[0]
        self._rows("UPDATE token SET revoked_at = ? WHERE name = ?", (at, name))
        return replace(found[0], revoked_at=at)

    def note_used(self, name: str, at: Micros) -> None:
        """Write when a token was last used.

        Raises:
            TokensUnreadable: It cannot be written now.
        """
        self._rows("UPDATE token SET last_used_at = ? WHERE name = ?", (at, name))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, statement: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise TokensUnreadable(self.path, error) from error


def _opened(path: Path, *, durable: bool) -> sqlite3.Connection:
    """Open the file, made where it is not there; closed again where that fails."""
    folders.own(path)
    with ExitStack() as undo:
        connection = sqlite3.connect(
            path,
            isolation_level=None,
            timeout=_PATIENT_S if durable else _BRIEF_S,
            check_same_thread=False,
        )
        undo.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.executescript(_TABLE)
        undo.pop_all()
    return connection


def _token(row: tuple[Any, ...]) -> Token:
    _, name, sites, types, created_at, expires_at, last_used_at, revoked_at = row
    return Token(
        name=name,
        sites=frozenset(json.loads(sites)),
        types=frozenset(json.loads(types)),
        created_at=Micros(created_at),
        expires_at=_micros(expires_at),
        last_used_at=_micros(last_used_at),
        revoked_at=_micros(revoked_at),
    )


def _micros(value: int | None) -> Micros | None:
    return None if value is None else Micros(value)
