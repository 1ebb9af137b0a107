"""The Faust application: one agent over all source topics, one table, guarded transport."""

from collections.abc import Iterable
from typing import Any, cast

import faust
from faust import Stream
from faust.exceptions import ConsumerNotStarted
from faust.types import TP, StreamT
from faust.types.transports import TransportT
from typing_extensions import override
from yarl import URL

from streams.batches import BATCH_BYTES_MAX
from streams.chunk import ChunkSchema
from streams.config import APP_ID, SOURCES, TABLE, WorkerConfig
from streams.guard import Guard, check_versions
from streams.lanes import Lanes
from streams.lease import Lease
from streams.producer import GuardedProducer
from streams.protocol import Protocol
from streams.restore import BulkTables
from streams.security import faust_settings
from streams.store import RowTable
from streams.transport import GuardedConsumer, GuardedTransport

REQUEST_TIMEOUT_S = 40.0
BUFFERED_CHUNKS = 4
"""Chunks that wait decoded by Faust; all partitions together."""
FETCH_BYTES = 3_000_000
"""Of one partition; holds a chunk of facts, about 300 bytes each."""


class GuardedApp(faust.App):
    """A Faust app whose transport is ours."""

    guard: Guard

    @override
    def _new_transport(self) -> TransportT:
        return GuardedTransport(self.conf.broker_consumer, self, self.guard)

    @override
    def _new_producer_transport(self) -> TransportT:
        return GuardedTransport(self.conf.broker_producer, self, self.guard)

    @property
    def guarded_consumer(self) -> GuardedConsumer:
        """The consumer.

        Raises:
            ConsumerNotStarted: Faust has not made it yet. It makes one for whoever asks
                ``consumer`` first, without a lock: the thread that answers ``/health`` would make
                a second one beside that which is started.
        """
        consumer = self._consumer
        if consumer is None:
            raise ConsumerNotStarted
        assert isinstance(consumer, GuardedConsumer)
        return consumer

    @property
    def guarded_producer(self) -> GuardedProducer:
        """The producer."""
        producer = self.producer
        assert isinstance(producer, GuardedProducer)
        return producer


class RestoredTable(RowTable):
    """The table that tells the protocol when its partitions are up to date."""

    protocol: Protocol

    @override
    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Restore before Faust resumes the source topics."""
        await super().on_recovery_completed(active_tps, standby_tps)
        await self.protocol.restore({tp.partition for tp in active_tps})


def make_app(config: WorkerConfig, protocol: Protocol) -> GuardedApp:
    """Wire consumer, agent, table and protocol.

    Args:
        config: The worker's settings.
        protocol: What happens to a chunk and after a restore.

    Raises:
        Unavailable: Faust, aiokafka or mode have another version than the guards were made for.
        CertificateUnusable: A certificate of the settings cannot be used.
    """
    check_versions()
    app = GuardedApp(APP_ID, **_settings(config))
    lease = Lease(config.session_timeout_s)
    app.guard = Guard(
        frozenset(SOURCES),
        lease,
        config.chunk_records_max,
        config.poll_s,
        config.revoke_wait_s,
    )
    tables = app.tables
    assert isinstance(tables, BulkTables)
    tables.options = {"bootstrap.servers": config.bootstrap, **config.librdkafka}
    table = app.Table(TABLE, key_type=bytes, value_type=bytes)
    assert isinstance(table, RestoredTable)
    table.protocol = protocol
    protocol.connect(lambda: table.rows, lambda: app.guarded_producer.client)
    _attach(app, SOURCES, protocol)
    return app


def _attach(app: GuardedApp, names: Iterable[str], protocol: Protocol) -> None:
    """Attach the one agent.

    One agent per topic, with an await between reading and writing a row, lost updates: 110 of
    7,509 without any failure. So chunks of one partition never overlap, whatever their topic.
    """
    sources = app.topic(*names, schema=ChunkSchema(), value_type=bytes)

    async def apply_chunks(stream: StreamT[Any]) -> None:
        chunks = cast(Stream[Any], stream).noack()
        lanes = Lanes(protocol.apply)
        try:
            async for _ in chunks:
                event = chunks.current_event
                assert event is not None
                await lanes.take(app.guarded_consumer, event)
        finally:
            lanes.close()

    app.agent(sources, concurrency=1, name="apply_chunks")(apply_chunks)


def _settings(config: WorkerConfig) -> dict[str, Any]:
    """Return Faust's settings; those that matter stand here even where equal to the default."""
    return {
        "broker": [URL(f"kafka://{host}") for host in config.bootstrap.split(",")],
        "Table": RestoredTable,
        "TableManager": BulkTables,
        "store": "rocksdb://",
        "datadir": str(config.data_dir),
        "processing_guarantee": "at_least_once",
        "consumer_auto_offset_reset": "earliest",
        "broker_session_timeout": config.session_timeout_s,
        "broker_heartbeat_interval": config.session_timeout_s / 3,
        "broker_request_timeout": REQUEST_TIMEOUT_S,
        "producer_request_timeout": REQUEST_TIMEOUT_S,
        "broker_commit_interval": config.commit_interval_s,
        "broker_max_poll_records": config.chunk_records_max,
        "consumer_max_fetch_size": FETCH_BYTES,
        "producer_acks": -1,
        "producer_linger": 0,
        "producer_max_batch_size": BATCH_BYTES_MAX,
        "producer_max_request_size": BATCH_BYTES_MAX,
        "stream_buffer_maxsize": BUFFERED_CHUNKS,
        "stream_wait_empty": False,
        "stream_recovery_delay": 0.0,
        "table_standby_replicas": 0,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        **faust_settings(config.security),
        **config.kafka,
    }
