"""One dropped file, from ``taking`` to ``done`` or ``failed``.

In this order, so that a crash between any two steps repeats nothing and loses nothing:

1. Its digest says whether its content was taken before.
2. Its requests go to the outbox, some hundred at a time; the answers of each batch are kept when
   the batch is on disk. A batch whose answers were not kept in time is sent again after a crash:
   its requests are known by their identity and answered as duplicates.
3. Its digest is noted as settled.
4. Its result is written, then it is moved, then its kept answers are dropped.

A step that was done before a crash finds its own traces and is not done again.
"""

import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from custody.errors import Unavailable
from custody.events import Micros
from producers import drop_place as place
from producers.config import DropConfig
from producers.drop_name import safe, wrong_in
from producers.drop_read import LEFT_OUT, Dropped, Fault, Reader, Unreadable
from producers.drop_result import SKIPPED, Report, chunks
from producers.drop_state import DropState, Item, Known
from producers.group import Answer
from producers.inlet import Take
from producers.outcome import Unread

DONE, FAILED, REPEATED = "done", "failed", "repeated"
"""What can become of a file."""

RETRY_S = 1.0
"""How long a batch waits for an outbox that takes nothing."""

BATCH_BYTES_MAX = 4 << 20
"""A batch of long lines is cut at this many bytes of the file."""

UNREAD_MAX = 1_000
"""A file with more rows that cannot be read is not what its name says."""

_CHUNK_BYTES = 1 << 20

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The gateway stops; the file stays where it is until the next start."""


class StillWritten(Exception):
    """The file changed while it was read."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What taking a file needs.

    Attributes:
        places: The folders.
        state: What is known of files.
        take: Takes requests.
        clock: Time of day.
        limits: What a file may take.
        stop: Set when the gateway stops.
        note: Told that the outbox takes nothing, and why; or, with an empty text, that it does.
        gateway_id: Who takes them.
        readers: How to read them, by the end of the name.
    """

    places: place.Places
    state: DropState
    take: Take
    clock: Callable[[], Micros]
    limits: DropConfig
    stop: threading.Event
    note: Callable[[str], None]
    gateway_id: str
    readers: Mapping[str, Reader]


def settle(name: str, given: Workplace) -> str | None:
    """Deal with the file of that name in ``taking``. Blocks until it is moved.

    Returns:
        What became of it; None where it was put back, because it is still being written.

    Raises:
        Stopped: The gateway stops.
        OSError: A folder cannot be used; the file is where it was.
        sqlite3.Error: The outbox's file cannot be written; likewise.
    """
    path = given.places.taking / name
    report = Report(name, given.gateway_id, given.clock())
    wrong = wrong_in(name)
    if wrong is not None:
        return _finish(replace(report, fault=Fault.BAD_NAME, detail=wrong), None, given)
    one = None
    try:
        with _opened(path) as file:
            one = _One(name, path, file, given)
            report = one.report(report)
            _read(one)
    except StillWritten:
        assert one is not None, "only what was opened can have changed"
        given.state.forget(one.digest)
        _put_back(name, given)
        return None
    except Unreadable as error:
        report = replace(report, fault=error.fault, detail=error.detail)
    except (OSError, sqlite3.Error, Stopped):
        raise
    except Exception as error:
        # A bug, ours or a reader's: the file is put aside, so that the next ones are not kept.
        log.exception("a dropped file could not be taken", extra={"file": name})
        report = replace(report, fault=Fault.INTERNAL, detail=type(error).__name__)
    digest = None if one is None else one.digest
    known = None if digest is None else given.state.get(digest)
    return _finish(replace(report, known=known, at=given.clock()), digest, given)


def refuse(name: str, what: str, given: Workplace) -> None:
    """Write the result of something that is no file; it is neither followed nor moved.

    Raises:
        OSError: The result cannot be written.
    """
    report = Report(name, given.gateway_id, given.clock(), fault=Fault.NOT_A_FILE, detail=what)
    shown = name if wrong_in(name) is None else safe(name)
    place.write_result(given.places.failed, shown, chunks(report, ()))
    log.warning("not a file in the drop folder", extra={"file": shown, "found": what})


class _One:
    """A file that is open, and what is known of it at the beginning."""

    def __init__(self, name: str, path: Path, file: BinaryIO, given: Workplace) -> None:
        self.given = given
        self.name = name
        reader = given.readers.get(path.suffix.lower())
        if reader is None:
            raise Unreadable(Fault.UNKNOWN_KIND, f"known: {', '.join(given.readers)}")
        self.reader = reader
        size_bytes, bytes_max = os.fstat(file.fileno()).st_size, reader.bytes_max(given.limits)
        if not size_bytes:
            raise Unreadable(Fault.EMPTY, "0 bytes; nothing was taken")
        if size_bytes > bytes_max:
            raise Unreadable(Fault.TOO_LARGE, f"{size_bytes} bytes, at most {bytes_max}")
        self.dropped = Dropped(file, path, given.places.folder, name, given.limits)
        self.content = _sha256(file)
        self.digest = self._with_beside()

    def report(self, report: Report) -> Report:
        """Return the report with what is known from the beginning."""
        known = self.given.state.get(self.digest)
        repeated = known is not None and known.moved and not known.refused
        return replace(report, sha256=self.content.hex(), repeated=repeated)

    def assert_unchanged(self) -> None:
        """Raise where somebody wrote to it since.

        Raises:
            StillWritten: Somebody did.
        """
        if _sha256(self.dropped.file) != self.content:
            raise StillWritten

    def _with_beside(self) -> bytes:
        """Return what the file is known by: its content, and that of what decides how to read it.

        Raises:
            Unreadable: What lies beside it cannot be read.
        """
        digests = [self.content]
        for path in self.reader.beside(self.given.places.folder, self.name):
            with _opened(path) as file:
                digests.append(_sha256(file))
        if len(digests) == 1:
            return self.content
        return hashlib.sha256(b"".join(digests)).digest()


def _opened(path: Path) -> BinaryIO:
    try:
        return place.opened(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(Fault.UNREADABLE, f"{path.name}: {error.strerror}") from error


def _sha256(file: BinaryIO) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return digest.digest()


def _read(one: _One) -> None:
    """Have each request of a file answered, as far as it was not before."""
    state, digest = one.given.state, one.digest
    known = state.get(digest)
    if known is not None and known.settled_at is not None:
        if not (known.moved and known.refused):
            return
        # It failed before and comes again: somebody has mended what made it fail.
        known = None
    if known is None:
        known = state.begin(digest, one.name, one.given.clock())
    _send_rows(one, known)
    one.assert_unchanged()
    state.settle(digest, one.given.clock())


def _send_rows(one: _One, known: Known) -> None:
    batch: list[tuple[int, object]] = []
    reached = unread = begun = 0
    for row, request in one.reader.rows(one.dropped):
        reached += 1
        unread += isinstance(request, Unread)
        if unread > UNREAD_MAX:
            raise Unreadable(
                Fault.UNREADABLE_ROWS, f"more than {UNREAD_MAX} rows; the last is {row}"
            )
        if reached <= known.reached:
            continue
        if not batch:
            begun = one.dropped.file.tell()
        batch.append((row, request))
        if (
            len(batch) == one.given.limits.batch_requests_max
            or one.dropped.file.tell() - begun > BATCH_BYTES_MAX
        ):
            _send(one, batch, reached)
            batch = []
    if batch:
        _send(one, batch, reached)


def _send(one: _One, batch: Sequence[tuple[int, object]], reached: int) -> None:
    """Have a batch answered and keep the answers."""
    requests = [request for _, request in batch if request is not LEFT_OUT]
    answers = iter(_durable(requests, one) if requests else ())
    items: list[Item] = [
        {"row": row, **(SKIPPED if request is LEFT_OUT else next(answers).item)}
        for row, request in batch
    ]
    one.given.state.add(one.digest, items, reached)


def _durable(requests: Sequence[object], one: _One) -> list[Answer]:
    """Return the answers to requests once they are on disk; waits while nothing can be put there.

    Raises:
        Stopped: The gateway stops.
    """
    given = one.given
    while not given.stop.is_set():
        try:
            answers = given.take(requests, f"drop:{one.name}").result()
        except Unavailable as error:
            given.note(error.what)
            given.stop.wait(RETRY_S)
        else:
            given.note("")
            return answers
    raise Stopped


def _put_back(name: str, given: Workplace) -> None:
    """Leave a file to its writer; what was taken of it is known when it comes again."""
    log.warning("a dropped file changed while it was read", extra={"file": name})
    folder = given.places.folder
    place.move(given.places.taking / name, folder / place.free_name(folder, name))


def _finish(report: Report, digest: bytes | None, given: Workplace) -> str:
    """Write the result, move the file, and only then drop the kept answers."""
    places, state = given.places, given.state
    folder = places.failed if report.failed else places.done
    wanted = report.name if report.fault is not Fault.BAD_NAME else safe(report.name)
    target = place.free_name(folder, wanted)
    keeps = digest if digest is not None and not report.repeated else None
    if keeps is not None:
        skipped = sum(item["result"] == SKIPPED["result"] for item in state.items(keeps))
        report = replace(report, skipped=skipped)
    items = () if keeps is None else state.items(keeps)
    place.write_result(folder, target, chunks(report, items))
    place.move(places.taking / report.name, folder / target)
    if digest is not None and report.fault is not None:
        state.forget(digest)
    elif digest is not None:
        state.close_moved(digest)
    if report.failed:
        log.warning("a dropped file failed", extra={"file": target, "folder": str(folder)})
        return FAILED
    return REPEATED if report.repeated else DONE
