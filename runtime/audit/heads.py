"""Heads as the warehouse has them: whose key signed them, and what they claim of which chain."""

from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from custody import heads
from custody.audit import REUSED, SIGNATURE, UNKNOWN, Claim, Fault, Log
from custody.bodies import object_of
from custody.events import Micros
from custody.heads import Head, SeenHead
from custody.reference_versions import body_at, first_body
from custody.rows import RefRow
from runtime.asof import Ask, Row
from runtime.reference_plan import rows_of

HEADS = 20_000
"""Heads read at once."""

SIZES_MAX = 100_000
"""Heads of a chain whose roots are remembered, the last ones: two months."""

Claims = Mapping[Log, Sequence[Claim]]
"""What has been signed of each chain."""


class Stored(NamedTuple):
    """A head and where it stands: topic and partition in one, and offset."""

    head: Head
    place: str
    offset: int


def keys(ask: Ask) -> dict[str, RefRow]:
    """Return the records of gateways in reference data; blocks."""
    found = rows_of(ask(_GATEWAYS, {}))
    return {name: row for (_, name), row in found.items()}


_GATEWAYS = """
SELECT * EXCEPT (key, prev, digest, value) FROM reference WHERE kind = 'gateway'
ORDER BY valid_from, recorded_at, event_id, body LIMIT 1 BY event_id
"""


def key_at(records: Mapping[str, RefRow], gateway: str, at: Micros) -> bytes | None:
    """Return the public key a gateway signs with at a time; None where nobody says.

    A gateway signs from its first start on, and its key is entered later: before its first record
    begins, the key of that one holds.
    """
    row = records.get(gateway)
    if row is None:
        return None
    body = body_at(row, at)
    if body is None and all(at < version.valid_from for version in row.versions):
        body = first_body(row)
    return None if body is None else heads.key_of(object_of(body).get("public_key"))


def stored(ask: Ask, after: Mapping[str, int]) -> Iterator[Stored]:
    """Yield stored heads in order of their places; blocks.

    Args:
        ask: Runs SQL.
        after: By place the last offset that is known; none of a place that is not in it.
    """
    known = dict(after)
    places = [f"{row['topic']}/{row['partition']}" for row in ask(_PLACES, {})]
    for place in places:
        topic, _, partition = place.rpartition("/")
        while True:
            values = {
                "topic": topic,
                "partition": partition,
                "after": str(known.get(place, -1)),
                "limit": str(HEADS),
            }
            rows = ask(_HEADS, values)
            for row in rows:
                yield Stored(_head(row), place, _int(row["offset"]))
            if len(rows) < HEADS:
                break
            known[place] = _int(rows[-1]["offset"])


_PLACES = "SELECT DISTINCT topic, partition FROM head ORDER BY topic, partition"
_HEADS = """
SELECT gateway_id, gateway_epoch, toUnixTimestamp64Micro(at) AS at, size, last_seq,
    base64Encode(record_digest) AS last, base64Encode(ifNull(merkle_root, '')) AS root,
    base64Encode(ifNull(signature, '')) AS signature, ifNull(key_id, '') AS key_id,
    seen.gateway_id AS seen_gateways, seen.gateway_epoch AS seen_epochs, seen.size AS seen_sizes,
    arrayMap(x -> base64Encode(x), seen.merkle_root) AS seen_roots, offset
FROM head
WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset > {after:Int64}
ORDER BY offset LIMIT {limit:UInt32}
"""


def claims_of(head: Head) -> Iterator[tuple[Log, Claim]]:
    """Yield what a head claims: of its own chain, and of those it has seen."""
    own = Claim(head.size, head.merkle_root, head.digest, head.gateway_id, head.at)
    yield (head.gateway_id, head.gateway_epoch), own
    for one in head.seen:
        claim = Claim(one.size, one.merkle_root, None, head.gateway_id, head.at)
        yield (one.gateway_id, one.gateway_epoch), claim


class Judge:
    """Holds heads against the keys of their gateways and against each other.

    Args:
        records: Records of gateways in reference data.
    """

    def __init__(self, records: Mapping[str, RefRow]) -> None:
        self.records = records
        self._roots: dict[Log, dict[int, bytes | None]] = defaultdict(dict)

    def signed(self, head: Head) -> Iterator[Fault]:
        """Yield that the head is not signed by a key that reference data names for its gateway."""
        gateway = head.gateway_id
        if gateway not in self.records:
            yield unknown(gateway)
            return
        public = key_at(self.records, gateway, head.at)
        if public is None:
            what = "reference data names no key for it at the time of its head"
            yield Fault(SIGNATURE, gateway, "no key", f"{gateway}: {what}")
        elif not heads.is_signed(head, public):
            about = f"key {head.key_id or 'none'}"
            why = _not_signed(head, heads.key_id(gateway, public))
            what = f"head of {head.size} records of epoch {head.gateway_epoch}"
            yield Fault(SIGNATURE, gateway, about, f"{gateway}: {what} {why}")

    def told_otherwise(self, head: Head) -> Iterator[Fault]:
        """Yield that two heads of a chain say different things of one size: it has two writers."""
        log = head.gateway_id, head.gateway_epoch
        roots = self._roots[log]
        known = roots.setdefault(head.size, head.merkle_root)
        if len(roots) > SIZES_MAX:
            del roots[next(iter(roots))]
        if known != head.merkle_root:
            what = f"two heads say different things of the first {head.size} records"
            why = "two gateways write under one name, as after a disk was copied"
            yield Fault(
                REUSED, head.gateway_id, f"epoch {head.gateway_epoch}", f"{log[0]}: {what}: {why}"
            )


def _not_signed(head: Head, known: str) -> str:
    """Return why a signature is none of a gateway's key, by the key's id."""
    if head.signature and head.key_id == known:
        return (
            f"was changed after it was signed, or is forged: the signature of key {known} does"
            " not fit what the head says"
        )
    by = f"key {head.key_id}" if head.signature else "nobody"
    return f"is signed by {by}, not by its key {known}"


def unknown(gateway: str, place: str = "") -> Fault:
    """Return that reference data does not know a gateway.

    Args:
        gateway: Its id.
        place: Where a record of it stands in Kafka; empty where only its heads are known.
    """
    what = "records of a gateway that reference data does not know: nobody can say whose key it has"
    where = f"; the first stands at {place}" if place else ""
    return Fault(UNKNOWN, gateway, gateway, f"{gateway}: {what}{where}")


NO_HEAD = "no head"
"""What a fault is about whose gateway has signed nothing at all."""


def unsigned(gateway: str, place: str) -> Fault:
    """Return that records stand under the name of a gateway that has signed nothing at all.

    Args:
        gateway: Its id.
        place: Where the first of them stands in Kafka.
    """
    what = "records stand under its name, and minutes later there is no head of it that signs them"
    return Fault(SIGNATURE, gateway, NO_HEAD, f"{gateway}: {what}; the first stands at {place}")


def _head(row: Row) -> Head:
    columns = ("seen_gateways", "seen_epochs", "seen_sizes", "seen_roots")
    seen = zip(*(_list(row[name]) for name in columns), strict=True)
    return Head(
        gateway_id=str(row["gateway_id"]),
        gateway_epoch=_int(row["gateway_epoch"]),
        at=Micros(_int(row["at"])),
        size=_int(row["size"]),
        last_seq=_int(row["last_seq"]),
        digest=_bytes(row["last"]),
        merkle_root=_bytes(row["root"]) or None,
        signature=_bytes(row["signature"]) or None,
        key_id=str(row["key_id"]) or None,
        seen=tuple(
            SeenHead(
                gateway_id=str(name),
                gateway_epoch=_int(epoch),
                size=_int(size),
                merkle_root=_bytes(root),
            )
            for name, epoch, size, root in seen
        ),
    )


def _list(cell: object) -> Sequence[object]:
    return cell if isinstance(cell, list) else []


def _bytes(cell: object) -> bytes:
    return b64decode(str(cell))


def _int(value: object) -> int:
    return int(str(value))
