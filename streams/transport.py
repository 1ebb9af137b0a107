"""Kafka for Faust, guarded: chunks instead of events, and nothing skipped, doubled or late.

Stock Faust loses events at rebalances and costs four tasks per event. This module delivers all
records of one partition from one fetch as one Faust event (a *chunk*) and closes the holes that
were measured in stock (81 of 14,000 events lost) and in unguarded chunks (877).

Each guard has a letter; the code below carries it where it acts.

=====  ==========================================================================================
A      A fetch that was in flight across a stop, seek or rebalance is dropped and read again: its
       records are from the old position but would get the new generation, and later ones would
       hide those skipped. A seek ends with no fetch in flight; a fetch gets a copy of the set of
       active partitions.
B      Order check: a chunk that begins beyond the next expected offset ends the process, which
       turns any silent skip into a restart from the commit (``streams.section``).
C      Source partitions resume only together with the flow, after the seek: stock resumes them
       first and then wipes the queues.
D      Partitions without a commit are rewound to the earliest offset: aiokafka skips None and 0.
E      Faust's producer buffer is closed: its flush gives up after 0.1 s and then commits. All we
       send goes to aiokafka directly and is awaited before the chunk is done.
F      Before partitions are given up: stop the flow, let running chunks end, commit twice (the
       first may only have waited for a commit under way).
G      Only finished chunks of the current generation are acknowledged, by ``finish``; stock acks
       also what it skipped and what an exception broke.
H      Any unexpected exception ends the process with 70 (``streams.section``).
I      Generation and assignment are checked after the last await before anything is written.
J      Lease: no produce request leaves when the group may have given our partitions away.
K      Fetch wait 100 ms (Faust hard-codes 1500), short polls, no second of sleep when idle; what
       one owner hands another is fetched at once and delivered before new facts.
=====  ==========================================================================================

Private names used, all of faust-streaming 0.15.3, aiokafka 0.14.0 and mode-streaming 0.7.1, which
is why ``streams.guard.check_versions`` refuses any other version:

==============================  =================================================================
Consumer._getmany               A, K and the cutting into chunks
Consumer._wait_next_records     K: a stock consumer without active partitions sleeps a second
Consumer._new_offset            G: chunks have no gaps between their last offsets
Consumer._add_gap               G: nor need gaps be remembered
Consumer._acked, _n_acked       G
Consumer._read_offset           A, D: what stock compares a message's offset with
Consumer._committed_offset      B, D
Consumer._active_partitions     K
Consumer._is_changelog_tp       C, D
Consumer._commit                health: time of the last commit
Consumer._new_consumer_thread   J, K
ConsumerThread._create_worker_consumer, AIOKafkaConsumer._fetch_max_wait_ms      K
AIOKafkaConsumer._coordinator, GroupCoordinator._do_heartbeat                    J
Producer._settings_extra, _producer; AIOKafkaProducer._sender, Sender._send_produce_req   J
ProducerBuffer.put              E
==============================  =================================================================
"""

import asyncio
from collections.abc import Iterable, Mapping, Sized
from typing import Any, ClassVar, NoReturn, cast

import aiokafka
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, Message
from faust.types.transports import ConsumerCallback, ProducerT
from typing_extensions import override
from yarl import URL

from schemas import topics
from streams import stop
from streams.chunk import Chunk
from streams.guard import Guard
from streams.pacing import BACKLOG_RECORDS, Pace
from streams.producer import GuardedProducer

FETCH_WAIT_MS = 100
FRESH_S = 0.01
"""Longest wait for the broker's answer where there is something to go on with."""
_IDLE_S = 0.02


class GuardedConsumer(driver.Consumer):
    """Faust's consumer with the guards A to D, F, G, K."""

    transport: "GuardedTransport"  # type: ignore[mutable-override]  # ours is made by it

    def __init__(
        self,
        transport: "GuardedTransport",
        callback: ConsumerCallback,
        **more: Any,  # noqa: ANN401  passed on
    ) -> None:
        super().__init__(transport, callback, **more)
        self.guard = self.transport.guard
        self.running_chunks = 0
        self.expected: dict[TP, int] = {}
        self.progress: dict[TP, tuple[int, float]] = {}
        self.committed_at: dict[TP, float] = {}
        self.assigned_at = self.guard.lease.now()
        self._deferred: set[TP] = set()
        self._epoch = 0
        self._fetching = asyncio.Lock()
        self.pace = Pace(self.guard.poll_s, self.guard.lease.now)

    @property
    def epoch(self) -> int:
        """Grows when the flow stops and when it is sought: what was read before is void."""
        return self._epoch

    # -- C: sources resume with the flow ------------------------------------------------------

    @override
    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Resume changelogs at once and sources when the flow resumes."""
        wanted = set(tps)
        changelogs = {tp for tp in wanted if self._is_changelog_tp(tp)}
        self._deferred |= wanted - changelogs
        if changelogs:
            super().resume_partitions(changelogs)

    @override
    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Pause; what was to resume with the flow no longer does."""
        paused = set(tps)
        self._deferred -= paused
        super().pause_partitions(paused)

    @override
    def resume_flow(self) -> None:
        """Resume the deferred sources that are still ours, then the flow."""
        deferred, self._deferred = self._deferred, set()
        if deferred:
            super().resume_partitions(deferred & set(self.assignment()))
        super().resume_flow()

    # -- A, D: positions ----------------------------------------------------------------------

    @override
    def stop_flow(self) -> None:
        """Stop; a fetch in flight is void."""
        self._epoch += 1
        super().stop_flow()

    @override
    async def perform_seek(self) -> None:
        """Seek to the commits, or to the earliest offset where there is none.

        Stock seeks while a fetch may be in flight in the consumer's thread; that fetch then moves
        the position on and its records are dropped as stale (A): the partition stands still until
        new records reveal the gap. So the last word is spoken with no fetch in flight.
        """
        self._epoch += 1
        try:
            await super().perform_seek()
            async with self._fetching:
                self.expected = await self._positions()
                await self._seek_sources(self.expected)
        finally:
            self._epoch += 1

    async def _positions(self) -> dict[TP, int]:
        mine = [tp for tp in self.assignment() if self._source(tp)]
        without = [tp for tp in mine if not self._committed_offset.get(tp)]
        first = await self.earliest_offsets(*without) if without else {}
        return {tp: self._committed_offset.get(tp) or first.get(tp) or 0 for tp in mine}

    async def _seek_sources(self, positions: Mapping[TP, int]) -> None:
        await self.seek_wait(positions)
        for tp, offset in positions.items():
            self._read_offset[tp] = offset or None

    # -- A, K: fetches, cut into chunks -------------------------------------------------------

    @override
    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        if not self.app.in_recovery:
            await self.pace.wait()
        wait_s = min(timeout, max(self.guard.poll_s, _IDLE_S))
        async with self._fetching:
            epoch = self._epoch
            # A copy: stock empties the set while the fetch runs, and aiokafka takes an empty set
            # for "all partitions".
            active = None if active_partitions is None else set(active_partitions)
            fetched = await self._fresh(active, wait_s)
            self.pace.fetched(_count(fetched), of_flow=any(map(_of_flow, fetched.items())))
            if fetched and epoch != self._epoch:
                await self._drop_stale(fetched)
        return {
            tp: self._chunks(tp, records) if self._source(tp) else records
            for tp, records in sorted(fetched.items(), key=_of_flow, reverse=True)
        }

    async def _fresh(self, active: set[TP] | None, wait_s: float) -> dict[TP, list[Any]]:
        """Return what aiokafka holds and what the broker has beside it.

        aiokafka asks the broker for nothing while it holds anything unread. After a pause it holds
        the few records that came right after the last fetch; what came during the pause would wait
        for the end of the next. Reading twice made records 25 ms younger, at every hop.
        """
        fetched: dict[TP, list[Any]] = dict(await super()._getmany(active, 0))
        if _count(fetched) >= BACKLOG_RECORDS:
            return fetched
        wait_s = min(wait_s, FRESH_S) if fetched else wait_s
        for tp, records in (await super()._getmany(active, wait_s)).items():
            fetched[tp] = [*fetched.get(tp, ()), *records]
        return fetched

    async def _drop_stale(self, fetched: dict[TP, list[Any]]) -> None:
        """Forget records of sources and go back to where they began."""
        stale = [tp for tp in fetched if self._source(tp)]
        for tp in stale:
            self.guard.counts.stale_fetch_records += len(fetched.pop(tp))
        # While a seek is under way, or the flow is stopped, a seek to the commits follows.
        mine = self.assignment() if self.flow_active else set()
        back = {tp: self.expected[tp] for tp in stale if tp in mine and tp in self.expected}
        try:
            await self._seek_sources(back)
        except IllegalStateError:
            self.log.warning("partition taken away during a fetch; the next owner reads it")

    def _chunks(self, tp: TP, records: list[Any]) -> list[Chunk]:
        read = self._read_offset[tp]
        if read is not None and records and records[0].offset < read:
            records = [record for record in records if record.offset >= read]
        size = self.guard.chunk_records_max
        return [Chunk(tp, records[i : i + size]) for i in range(0, len(records), size)]

    @override
    async def _wait_next_records(self, timeout: float) -> Any:
        idle = self.flow_active and not self.app.client_only and not self._get_active_partitions()
        if idle:
            await asyncio.sleep(_IDLE_S)
            return {}, self._active_partitions
        return await super()._wait_next_records(timeout)

    # -- F: giving partitions up --------------------------------------------------------------

    @override
    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what runs, then give the partitions up."""
        if revoked and not self.app.should_stop:
            self.stop_flow()
            self.app.flow_control.suspend()
            self.app.flow_control.clear()
            await self.settle()
        await super().on_partitions_revoked(revoked)

    async def settle(self) -> None:
        """Wait for the running chunks and commit them.

        A chunk that does not end in time would write into a partition somebody else owns by
        then: the process ends instead.
        """
        clock = self.guard.lease
        began = clock.now()
        while self.running_chunks:
            if clock.now() - began > self.guard.revoke_wait_s:
                _unsettled(self.guard.revoke_wait_s)
            await asyncio.sleep(0.005)
        counts = self.guard.counts
        counts.revoke_wait_s_max = max(counts.revoke_wait_s_max, clock.now() - began)
        for _ in range(2):
            try:
                await asyncio.wait_for(self.commit(), 5)
            except TimeoutError:
                self.log.warning("commit before revocation took too long; chunks are read again")

    @override
    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin a new generation: joining was as good as a heartbeat."""
        self.progress.clear()
        self.assigned_at = self.guard.lease.now()
        self.guard.lease.renew(self.assigned_at)
        await super().on_partitions_assigned(assigned, generation_id)

    # -- G: acknowledgement -------------------------------------------------------------------

    @override
    def ack(self, message: Message) -> bool:
        """Acknowledge nothing of a source: Faust would also ack what it skipped."""
        return False if self._source(message.tp) else super().ack(message)

    def finish(self, message: Message) -> None:
        """Acknowledge a chunk whose rows and outputs are all acknowledged by Kafka."""
        if not self.is_current(message):
            self.guard.counts.stale_acks += 1
            return
        self._acked[message.tp].append(message.offset)
        self._n_acked += 1
        self.progress[message.tp] = (message.offset + 1, self.guard.lease.now())

    def is_current(self, message: Message) -> bool:
        """Tell whether a chunk's partition is still ours in the generation it was read in (I)."""
        generation = cast(Any, message).generation_id
        return bool(
            generation == self.app.consumer_generation_id and message.tp in self.assignment()
        )

    @override
    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if not self._source(tp):
            await super()._add_gap(tp, offset_from, offset_to)

    @override
    def _new_offset(self, tp: TP) -> int | None:
        if not self._source(tp):
            return super()._new_offset(tp)
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return last + 1

    @override
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        done = await super()._commit(offsets)
        if done:
            now = self.guard.lease.now()
            self.committed_at.update((tp, now) for tp in offsets)
        return done

    def committed(self, tp: TP) -> int:
        """Return the offset committed last, 0 where there is none."""
        return self._committed_offset.get(tp) or 0

    def _source(self, tp: TP) -> bool:
        return tp.topic in self.guard.sources

    @override
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _GuardedThread(self, loop=self.loop, beacon=self.beacon)


class _GuardedThread(driver.AIOKafkaConsumerThread):
    """The thread that owns aiokafka's consumer: J and K."""

    @override
    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001  K
        return consumer

    @override
    async def on_start(self) -> None:
        """Start the consumer and let its heartbeats renew the lease."""
        await super().on_start()
        guard = cast(GuardedConsumer, self.consumer).guard
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001  J
        coordinator._do_heartbeat = guard.lease.watch_heartbeats(  # noqa: SLF001  J
            coordinator._do_heartbeat  # noqa: SLF001  J
        )


class GuardedTransport(driver.Transport):
    """Faust's transport made of the guarded parts."""

    Consumer: ClassVar[type[GuardedConsumer]] = GuardedConsumer  # type: ignore[mutable-override]
    Producer: ClassVar[type[GuardedProducer]] = GuardedProducer  # type: ignore[mutable-override]

    def __init__(self, url: list[URL], app: AppT, guard: Guard) -> None:
        super().__init__(url, app)
        self.guard = guard

    @override
    def create_producer(self, **more: Any) -> ProducerT:
        """Return a producer under our guard."""
        producer = GuardedProducer(self, **more)
        producer.guard = self.guard
        return producer


def _count(fetched: Mapping[TP, Sized]) -> int:
    return sum(map(len, fetched.values()))


def _of_flow(item: tuple[TP, object]) -> bool:
    return item[0].topic == topics.FLOW


def _unsettled(waited_s: float) -> NoReturn:
    stop.restart("a chunk did not end before its partition was taken away", waited_s=waited_s)
