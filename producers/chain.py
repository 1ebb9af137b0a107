"""The gateway's chain: numbers, digests and heads. Memory only; the outbox makes it durable."""

from dataclasses import dataclass

from custody.digest import GENESIS, Frontier, link, unpack_frontier
from custody.events import ActionTaken, Micros, ReferenceSet
from custody.heads import Head, SeenHead
from producers.outcome import Draft, Record
from producers.signing import Signer
from producers.steady import Steady
from schemas import avro, topics
from schemas.codec import encode, encode_with
from schemas.partition import partition_of
from schemas.routes import BY_STEM, fact_key

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the outbox.

    Attributes:
        no: Place in the outbox, over all epochs.
        seq: ``gateway_seq``; None for a head.
        event_id: Its id; None for a head.
        stem: Stem of the record.
        topic: Kafka topic.
        partition: Kafka partition.
        key: Kafka key.
        fingerprint: Of the schema the body is written under.
        body: Avro body, without the registry's frame.
        prev: Header: digest of the record before; None for a head.
        digest: Header: digest of this record; None for a head.
        accepted_at: When it was taken.
        part: Side of a process; empty for others.
    """

    no: int
    seq: int | None
    event_id: str | None
    stem: str
    topic: str
    partition: int
    key: bytes
    fingerprint: bytes
    body: bytes
    prev: bytes | None
    digest: bytes | None
    accepted_at: Micros
    part: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a chain stands; what the outbox stores to go on.

    Attributes:
        epoch: Epoch of the outbox.
        no: Highest entry number.
        seq: Highest ``gateway_seq`` of the epoch.
        digest: Digest of that record.
        frontier: Merkle tree over the digests, packed.
        head_minute: Minute (since 1970) of the last head.
    """

    epoch: int
    no: int
    seq: int
    digest: bytes
    frontier: bytes
    head_minute: int


def genesis(epoch: int, no: int) -> Position:
    """Return the position before the first record of an epoch."""
    return Position(epoch, no, 0, GENESIS, Frontier().packed(), 0)


class Chain:
    """Numbers and links records; a group that fails is undone by going back to a position.

    Args:
        gateway_id: Whose chain it is.
        partitions: Partitions of every topic.
        position: Where to go on.
        signer: Signs heads.
        steady: Gives records and heads their times, in order; by default one that begins anew.
    """

    def __init__(
        self,
        gateway_id: str,
        partitions: int,
        position: Position,
        signer: Signer,
        steady: Steady | None = None,
    ) -> None:
        self._gateway_id = gateway_id
        self._partitions = partitions
        self._signer = signer
        self._steady = steady or Steady(Micros(0))
        self._last_event = ""
        self.go_to(position)

    def go_to(self, position: Position) -> None:
        """Go on from a position, forgetting what was added since."""
        self._epoch = position.epoch
        self._no = position.no
        self._seq = position.seq
        self._digest = position.digest
        self._frontier = unpack_frontier(position.frontier)
        self._head_minute = position.head_minute

    def position(self) -> Position:
        """Return where the chain stands."""
        return Position(
            self._epoch,
            self._no,
            self._seq,
            self._digest,
            self._frontier.packed(),
            self._head_minute,
        )

    def append(self, draft: Draft, now: Micros) -> Entry:
        """Return a record's entry with the next number, its time and its links."""
        # Here and not where it was judged: callers on several threads are put in order only now.
        # The copies of a broadcast are one record, and were recorded at one time.
        is_copy = draft.record.event_id == self._last_event
        at = self._steady.at(now) if is_copy else self._steady.after(now)
        self._last_event = draft.record.event_id
        body = encode_with(draft.record, {"gateway_seq": self._seq + 1, "recorded_at": at})
        fingerprint = avro.fingerprint(draft.stem)
        prev, digest = self._digest, link(self._digest, fingerprint, body)
        key, partition = self.place(draft)
        self._frontier.append(digest)
        self._no += 1
        self._seq += 1
        self._digest = digest
        return Entry(
            no=self._no,
            seq=self._seq,
            event_id=draft.record.event_id,
            stem=draft.stem,
            topic=BY_STEM[draft.stem].topic,
            partition=partition,
            key=key,
            fingerprint=fingerprint,
            body=body,
            prev=prev,
            digest=digest,
            accepted_at=at,
            part=draft.part,
        )

    def head_due(self, now: Micros) -> bool:
        """Tell whether the minute has no head yet; another minute is one, also an earlier."""
        return now // _MINUTE_US != self._head_minute

    def head(self, now: Micros, seen: tuple[SeenHead, ...] = ()) -> Entry:
        """Return an entry with the chain's head: what stands before it is all it speaks of.

        Args:
            now: Time of day.
            seen: Heads of other gateways to sign with it.
        """
        at = self._steady.at(now)
        record = Head(
            gateway_id=self._gateway_id,
            gateway_epoch=self._epoch,
            at=at,
            size=self._frontier.size,
            last_seq=self._seq,
            digest=self._digest,
            merkle_root=self._frontier.root(),
            signature=None,
            key_id=None,
            seen=seen,
        )
        key = self._gateway_id.encode()
        self._no += 1
        self._head_minute = now // _MINUTE_US
        return Entry(
            no=self._no,
            seq=None,
            event_id=None,
            stem="head",
            topic=topics.HEAD,
            partition=partition_of(key, self._partitions),
            key=key,
            fingerprint=avro.fingerprint("head"),
            body=encode(self._signer.signed(record)),
            prev=None,
            digest=None,
            accepted_at=at,
        )

    def place(self, draft: Draft) -> tuple[bytes, int]:
        """Return key and partition; a broadcast reference says its partition itself."""
        record, key = draft.record, key_of(draft.record)
        if isinstance(record, ReferenceSet):
            return key, record.partition
        return key, partition_of(key, self._partitions)


def key_of(record: Record) -> bytes:
    """Return what a record is about and keyed by."""
    if isinstance(record, ReferenceSet):
        return record.id.encode()
    if isinstance(record, ActionTaken):
        return owner_id(record.subject).encode()
    return fact_key(record).encode()


def owner_id(subject: str) -> str:
    """Return the bare id of a subject's owner: ``lot/L-24-0117`` is ``L-24-0117``'s."""
    return subject.partition("/")[2]
