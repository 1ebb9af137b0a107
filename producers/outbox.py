"""The outbox: what is accepted is on disk before its sender hears so.

Callers hand in submissions and get a future. One thread takes all submissions that wait, decides
what is new (an id seen before is a duplicate or a conflict), numbers and links the new records,
and commits them in one transaction: one fsync for all callers of the moment. Only then are the
futures resolved. A group that cannot be committed leaves no trace: the chain goes back to where
it stood, so ``gateway_seq`` has no holes.

Acknowledgements from Kafka come back through the same thread. Heads are written by it, one a
minute, behind all that they speak of.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing

from custody.errors import Unavailable
from custody.events import Micros
from custody.heads import SeenHead
from producers import folders, laid_out, refused_share, reserve, signing, store, waiting
from producers.acked import Acked
from producers.chain import Chain, Position, genesis
from producers.config import OutboxConfig
from producers.epoch import EpochFile, Mark, next_epoch
from producers.group import Answer, Group, Submission
from producers.known import Known
from producers.lock import locked
from producers.past import Past
from producers.room import DISK, Room
from producers.steady import Steady
from producers.witness import Seen

SUBMISSIONS_PER_GROUP = 256
"""Most submissions of one transaction, so that the first does not wait for too many."""

ACK_WAIT_S = 0.05
"""Acknowledgements alone are no hurry: they wait so long for a group to travel with."""

CLOSED_WAIT_S = 1.0
"""The same while the disk takes nothing."""

STOPPING = "stopping"
"""Why an outbox is closed, beside ``DISK`` and ``FULL``."""

EXIT_RESTART = 70
"""Exit code that asks the supervisor for a restart."""

_US = 1_000_000
_MINUTE_S = 60

log = logging.getLogger(__name__)

_Work = tuple[Submission, Future[list[Answer]]]


class OutboxClosed(Unavailable):
    """Nothing can be accepted now; ``reason`` is ``full``, ``disk`` or ``stopping``."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(
            f"the outbox accepts nothing: {detail}",
            expected="room on the disk, and Kafka taking what waits",
            next_step="send again later; see docs/gateway.md, when the outbox is full",
        )


class Outbox:
    """A durable, ordered, duplicate-free queue in one file. Threads may share it.

    Args:
        config: Where it lies and what it may take.
        clock: Time of day; given to heads and acknowledgements.

    Raises:
        OutboxInUse: Another process has it open.
        OutboxUnreadable: The file is of another format or gateway.
        OutboxNotOpened: It cannot be opened or made, on a full disk for one.
        KeyUnreadable: Its signing key is none.
    """

    def __init__(self, config: OutboxConfig, clock: Callable[[], Micros]) -> None:
        self._config = config
        self._clock = clock
        self.seen = Seen(config.gateway_id)
        """Heads of other gateways, for the next head."""
        folders.make(config.directory, mode=0o700)
        self.path = config.directory / "outbox.sqlite3"
        self._wake = threading.Condition()
        self._waiting: list[_Work] = []
        self._acks: list[store.Ack] = []
        self._stopping = False
        self._head_wanted = False
        self._committed_no = 0
        self._closed: OutboxClosed | None = None
        with ExitStack() as undo:
            self._open(undo)
            self._opened = undo.pop_all()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def _open(self, undo: ExitStack) -> None:
        try:
            undo.callback(locked(self._config.directory).close)
            self.signer = signing.load_or_make(self._config.directory, self._config.gateway_id)
            writer = reserve.opened(self._config.directory, lambda: store.create(self.path))
            self._writer = undo.enter_context(closing(writer))
            self._epoch_file = EpochFile(self._config.directory / "epoch.json")
            undo.callback(self._epoch_file.close)
            # SQLite has synced the names of its own files, this one came after them. Without it a
            # power cut would begin the next epoch.
            folders.sync(self._config.directory)
            self._chain = self._resume()
            self._lay_out()
        except (sqlite3.Error, OSError) as error:
            raise reserve.OutboxNotOpened(self.path, error) from error
        self._reader = undo.enter_context(closing(store.connect(self.path, read_only=True)))
        self._reader_lock = threading.Lock()
        self.known = Known(store.get_references(self._writer))
        self._pending_count = waiting.count(self._writer)
        self._newest = waiting.newest(self._writer)
        first = waiting.lowest(self._writer)
        floor = self._committed_no + 1 if first is None else first
        self._acked = Acked(floor, waiting.published_from(self._writer, floor))
        self.room = Room(self._config, self._writer)
        if (no_room := self._no_room()) is not None:
            self._fail([], no_room)

    @property
    def gateway(self) -> tuple[str, int]:
        """Gateway id and epoch."""
        return self._config.gateway_id, self._epoch

    @property
    def depth(self) -> int:
        """Entries that Kafka has not acknowledged."""
        return self._pending_count

    @property
    def committed_no(self) -> int:
        """Number of the last durable entry."""
        return self._committed_no

    @property
    def floor(self) -> int:
        """All entries below are acknowledged."""
        return self._acked.floor

    def newest(self) -> tuple[int, dict[waiting.Place, int]]:
        """Return the number of the last durable entry, and of the last of each partition.

        A partition is missing of which nothing has waited since the start.
        """
        with self._wake:
            return self._committed_no, dict(self._newest)

    @property
    def closed(self) -> OutboxClosed | None:
        """Why the last group was not taken; None when all is well."""
        return self._closed

    def submit(self, submission: Submission) -> Future[list[Answer]]:
        """Hand in judged requests; returns at once.

        Returns:
            A future of one answer per outcome, in order, resolved when they are durable. It raises
            ``OutboxClosed`` where they cannot be made so: then nothing of them was taken.
        """
        future: Future[list[Answer]] = Future()
        with self._wake:
            if self._stopping:
                future.set_exception(OutboxClosed(STOPPING, "the gateway is stopping"))
                return future
            self._waiting.append((submission, future))
            self._wake.notify_all()
        return future

    def write_head(self) -> None:
        """Have a head written now, whatever the minute; returns at once."""
        with self._wake:
            self._head_wanted = True
            self._wake.notify_all()

    def acknowledge(self, acks: Sequence[store.Ack]) -> None:
        """Take Kafka's acknowledgements, in order per partition; durable a moment later."""
        with self._wake:
            first = not self._acks
            self._acks.extend(acks)
            if first:
                self._wake.notify_all()

    def wait_beyond(self, no: int, timeout_s: float) -> bool:
        """Block until an entry beyond a number is durable; False on timeout or stop."""
        with self._wake:
            return self._wake.wait_for(
                lambda: self._committed_no > no or self._stopping, timeout_s
            ) and (self._committed_no > no)

    def way(self, event_id: str) -> tuple[store.Identity, list[store.Stage]] | None:
        """Return what is known of an event: its identity and its entries so far, or None."""
        with self._reader_lock:
            known = store.get_identity(self._reader, event_id)
            return None if known is None else (known, store.get_ways(self._reader, known))

    def refused(self, since: Micros, limit: int) -> list[store.Refused]:
        """Return refused requests from a time on, oldest first."""
        with self._reader_lock:
            return store.get_refused(self._reader, since, limit)

    def oldest_waiting_at(self) -> Micros | None:
        """Return when the oldest unacknowledged entry was taken, or None."""
        with self._reader_lock:
            return waiting.since(self._reader, self.floor) if self._pending_count else None

    def close(self) -> None:
        """Take what waits, stop the thread, close the file. A second call does nothing."""
        with self._wake:
            if self._stopping:
                return
            self._stopping = True
            self._wake.notify_all()
        self._thread.join()
        self._opened.close()
        # What SQLite has let go just now it needs at the next start.
        reserve.refill(self._config.directory)

    def _resume(self) -> Chain:
        """Go on with the epoch, or begin the next where the file is new or an older copy."""
        found = store.get_meta(self._writer, "gateway_id")
        if found is None:
            store.put_meta(self._writer, {"gateway_id": self._config.gateway_id})
        elif found != self._config.gateway_id:
            raise store.OutboxUnreadable(
                self.path, f"of gateway {found}", f"gateway {self._config.gateway_id}"
            )
        stored = store.get_position(self._writer)
        mark = None if stored is None else Mark(stored.epoch, stored.seq)
        epoch, anew = next_epoch(mark, self._epoch_file.read())
        if stored is None or anew:
            stored = genesis(epoch, 0 if stored is None else stored.no)
            self._epoch_file.write(Mark(epoch, 0), durable=True)
            store.put_position(self._writer, stored)
            log.info("outbox epoch begins", extra={"epoch": epoch})
        self._epoch = epoch
        self._committed_no = stored.no
        self._steady = Steady(store.last_time(self._writer))
        own = self._config
        return Chain(own.gateway_id, own.partitions, stored, self.signer, self._steady)

    def _lay_out(self) -> None:
        """Have what waits follow the partition count that is set now."""
        laid_out.lay_out(self._writer, self._chain, self._config.partitions, self._clock())
        position = self._chain.position()
        self._epoch_file.write(Mark(position.epoch, position.seq))
        self._committed_no = position.no

    def _run(self) -> None:
        try:
            self._serve()
        except Exception:
            # What is committed and what is in memory may differ now: only a restart, which reads
            # the file, makes them one. Senders get no answer and send again, harmlessly.
            log.exception("outbox thread failed, the process ends")
            os._exit(EXIT_RESTART)

    def _serve(self) -> None:
        while True:
            work, acks, stopping = self._take()
            if work or acks or self._head_due():
                self._commit(work, acks)
            if stopping:
                return
            # Requests are large; the next may be long in coming.
            del work, acks
            self.room.prune(self._clock(), self.floor)

    def _take(self) -> tuple[list[_Work], list[store.Ack], bool]:
        """Wait for work; acknowledgements alone wait a little for a group to travel with."""
        with self._wake:
            until_head_s = _MINUTE_S - self._clock() / _US % _MINUTE_S
            self._wake.wait_for(self._has_work, until_head_s)
            if self._acks:
                patience_s = ACK_WAIT_S if self._closed is None else CLOSED_WAIT_S
                self._wake.wait_for(lambda: bool(self._waiting or self._stopping), patience_s)
            taken = self._waiting[:SUBMISSIONS_PER_GROUP]
            del self._waiting[:SUBMISSIONS_PER_GROUP]
            acks, self._acks = self._acks, []
            stopping = self._stopping and not self._waiting
        # A caller that gave up before this point is left out; from here on it cannot.
        work = [pair for pair in taken if pair[1].set_running_or_notify_cancel()]
        return work, acks, stopping

    def _has_work(self) -> bool:
        return bool(self._waiting or self._acks or self._stopping or self._head_wanted)

    def _head_due(self) -> bool:
        return self._head_wanted or self._chain.head_due(self._clock())

    def _commit(self, work: list[_Work], acks: list[store.Ack]) -> None:
        """Decide, number and write a group; on failure nothing of it was taken."""
        no_room = self._no_room()
        if no_room is not None:
            # Acknowledgements and heads still go through: they are what makes room again.
            self._fail(work, no_room)
            work = []
        before = self._chain.position()
        seen = self.seen.take() if self._head_due() else ()
        try:
            group = Group(self._chain, Past(self._writer), self.room.refused_bytes_left)
            if self._head_due():
                # Before the group: a head speaks of what is on disk.
                group.add_head(self._clock(), seen)
            answers = [group.add(submission) for submission, _ in work]
            self._write(group, acks)
        except (sqlite3.Error, OSError) as error:
            self._undo(before, acks, seen)
            self._fail(work, OutboxClosed(DISK, str(error)))
            return
        except Exception as error:  # noqa: BLE001  a process edge, see below
            # One request that trips over a bug of ours must not stop the others.
            self._undo(before, acks, seen)
            self._apart(work, error)
            return
        self._closed = no_room
        self._publish(group, acks)
        futures = [future for _, future in work]
        # Whoever is answered gives his room to the next: nothing of him may be held by then.
        work.clear()
        group.refused.clear()
        for future, answer in zip(futures, answers, strict=True):
            future.set_result(answer)

    def _apart(self, work: list[_Work], error: Exception) -> None:
        """Commit submissions one by one, so that only the guilty one gets the error."""
        if len(work) > 1:
            for one in work:
                self._commit([one], [])
            return
        log.error("submission failed", exc_info=error)
        for _, future in work:
            future.set_exception(error)

    def _fail(self, work: list[_Work], error: OutboxClosed) -> None:
        """Note why nothing is taken, and tell those who wait."""
        if self._closed is None:
            log.error("outbox accepts nothing", extra={"reason": error.reason, "what": error.what})
        self._closed = error
        for _, future in work:
            future.set_exception(error)

    def _undo(self, before: Position, acks: list[store.Ack], seen: tuple[SeenHead, ...]) -> None:
        """Go back to before a group; what it took along goes with the next."""
        self._chain.go_to(before)
        self.seen.put_back(seen)
        with self._wake:
            self._acks = acks + self._acks

    def _write(self, group: Group, acks: list[store.Ack]) -> None:
        """Commit a group; returns when it is on disk."""
        position = self._chain.position()
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            group.past.write(self._epoch)
            store.put_refused(self._writer, (kept() for kept in group.refused))
            refused_share.add_unkept(self._writer, group.unkept)
            for reference in group.references:
                store.put_reference(self._writer, reference)
            store.put_acks(self._writer, acks)
            store.put_position(self._writer, position)
            store.put_last_time(self._writer, self._steady.last)
            self._writer.execute("COMMIT")
        except sqlite3.Error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        self._epoch_file.write(Mark(position.epoch, position.seq))

    def _publish(self, group: Group, acks: list[store.Ack]) -> None:
        """Make a committed group visible to whoever waits for entries."""
        for reference in group.references:
            self.known.add(reference)
        fresh = self._acked.add(ack.no for ack in acks)
        with self._wake:
            self._head_wanted = False
            self._pending_count += len(group.past.entries) - fresh
            for entry in group.past.entries:
                self._newest[entry.topic, entry.partition] = entry.no
            if group.past.entries:
                self._committed_no = group.past.entries[-1].no
                self._wake.notify_all()

    def _no_room(self) -> OutboxClosed | None:
        refusal = self.room.refusal(self.floor, self._pending_count)
        return None if refusal is None else OutboxClosed(*refusal)
