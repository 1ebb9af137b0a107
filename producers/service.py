"""The gateway as one thing: judge, store, publish, tell. The API is a thin layer over it."""

import json
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from custody.events import Micros
from custody.heads import key_text
from producers import report
from producers.config import GatewayConfig
from producers.fields import plain
from producers.group import Answer, Submission
from producers.inlet import Surroundings, open_inlets
from producers.judge import Terms, accept
from producers.outbox import Outbox
from producers.outcome import Unread
from producers.publisher import Publisher
from producers.schema_ids import SchemaIds
from producers.server import unencrypted
from producers.sites import Sites
from producers.skew import skew_ms
from producers.tally import Tally, keys_of, stem_of
from producers.witness import Witness
from schemas.registry import Catalog
from telemetry import metrics
from telemetry.http import Health
from telemetry.metrics import Metrics

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKEPT = "refused requests have no room left and are not kept: custody refused drop makes it"


@dataclass(frozen=True, slots=True)
class Options:
    """What a sender may ask for along with a list.

    Attributes:
        strict_reference: Refuse unknown sites, devices, laboratories and contracts.
        atomic: All or nothing.
        backfill: Take facts of any age, without remark.
        facts_only: Refuse reference and action records: he has shown no token that names them.
        clock_skew_ms: Skew of the sender's clock as measured, positive when it runs ahead.
    """

    strict_reference: bool = False
    atomic: bool = False
    backfill: bool = False
    facts_only: bool = False
    clock_skew_ms: int | None = None


class Gateway:
    """A gateway process: outbox, publisher and figures.

    Args:
        config: The whole of it.
        catalog: Who gives schema ids.
        registry: Name of the registry, such as its URL.
        clock: Time of day.

    Raises:
        OutboxInUse: Another process has the outbox open.
        OutboxUnreadable: The outbox is of another format or gateway.
        OutboxNotOpened: It cannot be opened or made, on a full disk for one.
    """

    def __init__(
        self,
        config: GatewayConfig,
        catalog: Catalog,
        registry: str,
        clock: Callable[[], Micros],
    ) -> None:
        self.config = config
        self.counts = Metrics("gateway")
        self._clock = clock
        self._tally = Tally(clock())
        self.outbox = Outbox(config.outbox, clock)
        self.sites = Sites(self.outbox.path)
        self.publisher = Publisher(
            config.publisher,
            self.outbox,
            partitions=config.outbox.partitions,
            ids=SchemaIds(catalog, config.outbox.directory / "schema-ids.json", registry),
            clock=clock,
            counts=self.counts,
        )
        self.witness = Witness(
            config.publisher.kafka, config.outbox.partitions, catalog, self.outbox.seen, clock
        )
        self.counts.watch(metrics.OUTBOX_DEPTH, lambda: float(self.outbox.depth))
        self.counts.watch(metrics.OUTBOX_AGE, self._oldest_age_s)
        self._inlets = open_inlets(
            config,
            Surroundings(
                # Whoever may write to a share or a topic has shown nothing to us.
                take=lambda raws, sender: self.take(raws, Options(facts_only=True), sender),
                counts=self.counts,
                database=self.outbox.path,
                clock=clock,
                gateway_id=config.outbox.gateway_id,
            ),
        )
        self.counts.watch(metrics.OUTBOX_USED, lambda: float(self.outbox.room.used_bytes))
        room = self.outbox.room
        self.counts.watch(metrics.REFUSED_KEPT, self._refused_bytes)
        self.counts.set(metrics.OUTBOX_LIMIT, float(room.limit_bytes))
        self.counts.set(metrics.REFUSED_LIMIT, float(room.refused_limit_bytes))

    def start(self) -> None:
        """Begin to publish, and to look for what does not come over HTTP; HTTP needs no start."""
        self.publisher.start()
        self.witness.start()
        for inlet in self._inlets:
            inlet.start()

    def close(self) -> None:
        """Stop publishing, then accepting; what Kafka has not taken stays in the outbox."""
        for inlet in self._inlets:
            inlet.stop()
        self.publisher.stop()
        self.witness.stop()
        self.sites.close()
        self.outbox.close()

    def take(self, raws: Sequence[object], options: Options, sender: str) -> Future[list[Answer]]:
        """Judge requests and hand them to the outbox.

        Args:
            raws: Parsed JSON, numbers with a point as Decimal, or what could not be read as such.
            options: What the sender asked for.
            sender: Who it is, for the list of refused requests.

        Returns:
            A future of one answer per request; see ``Outbox.submit``.
        """
        now = self._clock()
        terms = Terms(
            gateway=self.outbox.gateway,
            partitions=self.config.outbox.partitions,
            known=self.outbox.known,
            strict_reference=options.strict_reference,
            backfill=options.backfill,
            facts_only=options.facts_only,
            types=self.config.types,
            clock_skew_ms=options.clock_skew_ms,
        )
        future = self.outbox.submit(
            Submission(
                outcomes=[
                    raw.refusal if isinstance(raw, Unread) else accept(raw, now, terms)
                    for raw in raws
                ],
                bodies=[partial(_json, raw) for raw in raws],
                now=now,
                sender=sender,
                atomic=options.atomic,
            )
        )
        future.add_done_callback(partial(self._count, [stem_of(raw) for raw in raws]))
        return future

    def skew_ms(self, date: str | None) -> int | None:
        """Return the skew of a sender's clock by his ``Date`` header, or None."""
        return skew_ms(date, self._clock())

    def event(self, event_id: str) -> dict[str, object] | None:
        """Return an event's way so far, or None where this gateway never took it."""
        found = self.outbox.way(event_id)
        if found is None:
            return None
        known, ways = found
        waiting = any(way.published_at is None for way in ways)
        return {
            "event_id": event_id,
            "state": "waiting" if waiting else "published",
            "accepted_at": time_text(known.accepted_at),
            "records": [
                {
                    "event_id": way.event_id,
                    "type": way.stem,
                    "part": way.part or None,
                    "gateway_id": self.config.outbox.gateway_id,
                    "gateway_epoch": way.epoch,
                    "gateway_seq": way.seq,
                    "topic": way.topic,
                    "partition": way.partition,
                    "offset": way.offset,
                    "accepted_at": time_text(way.accepted_at),
                    "published_at": time_text(way.published_at),
                    "digest": None if way.digest is None else way.digest.hex(),
                }
                for way in ways
            ],
        }

    def health(self) -> Health:
        """Return how the gateway is.

        Failing: the outbox takes nothing (disk, full), or the publisher is stuck: entries wait,
        the broker answered when last heard of, and nothing was acknowledged for
        ``stuck_after_s``. A broker or registry that is away is no failure: accepting goes on.
        """
        closed, publisher = self.outbox.closed, self.publisher
        reason = ""
        if closed is not None:
            reason = closed.what
        elif publisher.is_stuck():
            reason = f"nothing published for {publisher.since_progress_s():.0f} s"
        gateway_id, epoch = self.outbox.gateway
        now = self._clock()
        day = self._tally.last_day(now)
        held = report.figures(self.outbox.path, self.config.outbox)
        unkept = _UNKEPT if held["refused_full"] else ""
        shut = (
            "" if publisher.shut is None else f"{publisher.shut.what}; {publisher.shut.next_step}"
        )
        fields = {
            "gateway_id": gateway_id,
            "gateway_epoch": epoch,
            "key_id": self.outbox.signer.key_id,
            "public_key": key_text(self.outbox.signer.public),
            "waiting": self.outbox.depth,
            "outbox_used_share": round(self.outbox.room.used_share, 3),
            "outbox_filling": self.outbox.room.is_filling,
            "oldest_waiting_s": round(self._oldest_age_s(), 3),
            "since_progress_s": round(publisher.since_progress_s(), 3),
            "broker": publisher.broker.name,
            "broker_since": time_text(publisher.broker.since),
            "registry": publisher.registry.name,
            "registry_since": time_text(publisher.registry.since),
            "publisher": publisher.reason or "running",
            "warning": "; ".join(filter(None, (unencrypted(self.config.http), unkept, shut))),
            **{inlet.name: inlet.state() for inlet in self._inlets},
            "accepting": closed is None,
            "now": time_text(now),
            "last_day": {"since": time_text(day.since), **day.counts},
            **held,
        }
        return Health(ok=not reason, reason=reason, fields=fields)

    def refused_lately(self, limit: int, sites: Collection[str]) -> list[dict[str, object]]:
        """Return what was refused last, newest first, and why.

        Args:
            limit: Most to return.
            sites: Only of these sites; of all where it is empty.
        """
        rows = report.refused_lately(self.outbox.path, limit, sites)
        return [report.refused_item(row, time_text(row.at)) for row in rows]

    def _refused_bytes(self) -> float:
        """Return what refused requests take now; what the writer saw last where nobody can look."""
        found = report.room(self.outbox.path).refused_bytes
        return float(self.outbox.room.refused_bytes if found is None else found)

    def _oldest_age_s(self) -> float:
        oldest_at = self.outbox.oldest_waiting_at()
        return 0.0 if oldest_at is None else max(0.0, (self._clock() - oldest_at) / 1e6)

    def _count(self, stems: Sequence[str], future: Future[list[Answer]]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        self._tally.add(self._clock(), keys_of(stems, future.result()))
        for answer in future.result():
            if answer.code is not None:
                self.counts.add(metrics.GATEWAY_REFUSED, answer.code.value)
                self.counts.add(metrics.REFUSED_UNKEPT, amount=int("kept" in answer.item))
            elif answer.accepted:
                self.counts.add(metrics.GATEWAY_ACCEPTED, answer.stem, answer.accepted)
            else:
                self.counts.add(metrics.GATEWAY_DUPLICATE, answer.stem)


def time_text(at: Micros | None) -> str | None:
    """Return RFC 3339 text in UTC, microseconds included."""
    if at is None:
        return None
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json(raw: object) -> bytes:
    """Return a request as JSON, what cannot be written as UTF-8 escaped; or as it came."""
    return raw.body if isinstance(raw, Unread) else json.dumps(plain(raw)).encode()
