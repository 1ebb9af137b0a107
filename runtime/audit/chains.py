"""Chains of gateways as the warehouse has them, followed with the engine's help.

The engine makes the digest of every record anew from its stored bytes and holds it, and what it
was written on, against its neighbours; what is free of faults comes as digests alone, for the tree.
Only a stretch with a fault comes record by record.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from custody.audit import Chain, Claim, Fault, Link, Log, Stretch, reused
from custody.digest import DIGEST_BYTES
from runtime.asof import Ask, Row
from runtime.audit import letters
from schemas.routes import ROUTES

STRETCH = 50_000
"""Records of a chain followed at once where there may be a fault: each comes as a row."""

PACK = 200_000
"""Records followed at once where there is none, of however many chains."""

Fingerprints = Mapping[int, bytes]
"""SHA-256 of the canonical form of the schema that an id stands for."""

TABLES = tuple(route.table for route in ROUTES if route.chained)

PLACE = "concat(topic, '/', toString(partition), '@', toString(offset))"
"""SQL of where a record stands, as people write it."""

SCHEMA_IDS = " UNION DISTINCT ".join(
    f"SELECT DISTINCT schema_id FROM {table}"  # noqa: S608  from the route table
    for table in TABLES
)
"""Ids under which records of gateways were written."""


def logs(ask: Ask) -> dict[Log, int]:
    """Return the chains that are stored and the highest number of each; blocks."""
    each = " UNION ALL ".join(
        f"SELECT gateway_id, gateway_epoch, max(gateway_seq) AS last FROM {table}"  # noqa: S608
        " GROUP BY gateway_id, gateway_epoch"
        for table in TABLES
    )
    rows = ask(
        f"SELECT gateway_id, gateway_epoch, max(last) AS last FROM ({each})"  # noqa: S608
        " GROUP BY gateway_id, gateway_epoch ORDER BY gateway_id, gateway_epoch",
        {},
    )
    return {(str(row["gateway_id"]), _int(row["gateway_epoch"])): _int(row["last"]) for row in rows}


def follow(
    ask: Ask,
    fingerprints: Fingerprints,
    chain: Chain,
    to: int,
    claims: Sequence[Claim],
    advance: Callable[[int], None] = lambda _: None,
) -> list[Fault]:
    """Follow a chain up to a number, or to the first that is not there; blocks.

    Args:
        ask: Runs SQL.
        fingerprints: Of every schema id in use.
        chain: How far it has been followed; changed.
        to: The last number.
        claims: What has been signed of it.
        advance: Told of records, as they are done.

    Returns:
        What was found. Where ``chain.seq`` is less than ``to`` the next number is not there.
    """
    ordered = sorted(claims, key=lambda claim: claim.size)
    faults: list[Fault] = []
    while chain.seq < to:
        before = chain.seq
        part = Part(chain, min(to, chain.seq + STRETCH), ordered)
        stretch = _stretches(ask, fingerprints, [part]).get(chain.log)
        if stretch is not None and chain.fits(stretch):
            faults.extend(chain.follow(stretch, ordered))
        else:
            links = [_link(row) for row in ask(_LINKS.format(each=_each([part], fingerprints)), {})]
            faults.extend(chain.inspect(_contiguous(links, chain.seq), ordered))
        if chain.seq == before:
            break
        advance(chain.seq - before)
    return faults


class Part(NamedTuple):
    """Records of a chain that are to be followed.

    Attributes:
        chain: How far it has been followed; changed.
        to: The last number.
        claims: What has been signed of it, in order of size.
    """

    chain: Chain
    to: int
    claims: Sequence[Claim]


def follow_clean(
    ask: Ask, fingerprints: Fingerprints, parts: Iterable[Part], advance: Callable[[int], None]
) -> dict[Log, list[Fault]]:
    """Follow chains as far as there is no fault among their records, several at a time; blocks.

    A question reads its tables once, of however many chains it is. What is left is for ``follow``.

    Args:
        ask: Runs SQL.
        fingerprints: Of every schema id in use.
        parts: One of each chain.
        advance: Told of records, as they are done.

    Returns:
        What heads say otherwise, by chain.
    """
    faults: dict[Log, list[Fault]] = {}
    waiting = list(parts)
    while waiting:
        pack = _packed(waiting)
        found = _stretches(ask, fingerprints, pack)
        stopped = set()
        for part in pack:
            chain, before = part.chain, part.chain.seq
            stretch = found.get(chain.log)
            if stretch is not None and chain.fits(stretch):
                faults.setdefault(chain.log, []).extend(chain.follow(stretch, part.claims))
                advance(chain.seq - before)
            if chain.seq < part.to:
                stopped.add(chain.log)
        waiting = [p for p in waiting if p.chain.seq < p.to and p.chain.log not in stopped]
    return faults


def _packed(parts: Sequence[Part]) -> list[Part]:
    """Return as many of the next records of chains as one question may be of."""
    pack: list[Part] = []
    room = PACK
    for part in parts:
        if not room:
            break
        some = min(room, part.to - part.chain.seq)
        pack.append(part._replace(to=part.chain.seq + some))
        room -= some
    return pack


def sealed(ask: Ask) -> dict[str, int]:
    """Return the last offset of confirmed flushes, by topic and partition; blocks."""
    rows = ask(_SEALED, {})
    return {f"{row['topic']}/{row['partition']}": _int(row["high"]) for row in rows}


def writers(ask: Ask, after: Mapping[str, int]) -> dict[str, str]:
    """Return the gateways that records are of, each with the first place of one in Kafka; blocks.

    Args:
        ask: Runs SQL.
        after: By place the offset behind which records are new; where it is empty all are.
    """
    group = "gateway_id, topic, partition"
    each = " UNION ALL ".join(
        f"SELECT {group}, min(offset) AS first FROM {table} WHERE {behind(after)} GROUP BY {group}"  # noqa: S608
        for table in TABLES
    )
    rows = ask(f"SELECT * FROM ({each}) ORDER BY {group}, first", {})  # noqa: S608  names of ours
    found: dict[str, str] = {}
    for row in rows:
        place = f"{row['topic']}/{row['partition']}@{row['first']}"
        found.setdefault(str(row["gateway_id"]), place)
    return found


def behind(after: Mapping[str, int]) -> str:
    """Return the SQL condition that a record stands behind some offsets, by place; none: any."""
    return (
        " OR ".join(
            f"(topic = '{topic}' AND partition = {int(number):d} AND offset > {last:d})"
            for place, last in after.items()
            for topic, _, number in [place.rpartition("/")]
        )
        or "true"
    )


def given_twice(
    ask: Ask, after: Mapping[str, int], numbers: Iterable[tuple[str, int, int]] = ()
) -> list[Fault]:
    """Return the numbers that a gateway gave to one of some records and to another one; blocks.

    Their own headers prove it, whatever has been signed: a number has one record.

    Args:
        ask: Runs SQL.
        after: By place the offset behind which the records stand that are looked at; none where
            it is empty.
        numbers: Looked at, too: gateway, epoch and number.
    """
    number = "gateway_id, gateway_epoch, gateway_seq"
    some = [
        f"SELECT unhex('{gateway.encode().hex()}') AS gateway_id, toInt32({epoch:d})"
        f" AS gateway_epoch, toInt64({seq:d}) AS gateway_seq"
        for gateway, epoch, seq in numbers
    ]
    if after:
        news = behind(after)
        some += [f"SELECT {number} FROM {table} WHERE {news}" for table in TABLES]  # noqa: S608
    if not some:
        return []
    fresh = " UNION ALL ".join(some)
    each = " UNION ALL ".join(
        f"SELECT {number}, topic, partition, offset FROM {table}"  # noqa: S608
        f" WHERE ({number}) IN (SELECT * FROM fresh)"
        for table in TABLES
    )
    rows = ask(
        f"WITH fresh AS ({fresh}) SELECT {number},"  # noqa: S608
        f" arraySort(groupArray({PLACE})) AS places"
        f" FROM ({each}) GROUP BY {number} HAVING count() > 1 ORDER BY {number}",
        {},
    )
    return [
        reused(
            (str(row["gateway_id"]), _int(row["gateway_epoch"])), _int(row["gateway_seq"]), places
        )
        for row in rows
        if isinstance(places := row["places"], list)
    ]


def next_number(ask: Ask, chain: Chain) -> int | None:
    """Return the lowest stored number beyond those followed; None where there is none. Blocks."""
    each = " UNION ALL ".join(
        f"SELECT gateway_seq FROM {table} WHERE gateway_id = {{gateway:String}}"  # noqa: S608
        " AND gateway_epoch = {epoch:Int32} AND gateway_seq > {after:Int64}"
        for table in TABLES
    )
    rows = ask(
        f"SELECT minOrNull(gateway_seq) AS next FROM ({each})",  # noqa: S608
        _values(chain, chain.seq),
    )
    found = rows[0]["next"] if rows else None
    return None if found is None else _int(found)


def present(ask: Ask, log: Log, first: int, last: int) -> int:
    """Return how many of some numbers of a chain are stored; blocks."""
    each = " UNION ALL ".join(
        f"SELECT gateway_seq FROM {table} WHERE gateway_id = {{gateway:String}}"  # noqa: S608
        " AND gateway_epoch = {epoch:Int32} AND gateway_seq BETWEEN {first:Int64} AND {last:Int64}"
        for table in TABLES
    )
    values = {"gateway": log[0], "epoch": str(log[1]), "first": str(first), "last": str(last)}
    rows = ask(f"SELECT uniqExact(gateway_seq) AS n FROM ({each})", values)  # noqa: S608
    return _int(rows[0]["n"])


def _contiguous(links: Iterable[Link], seq: int) -> Iterable[Link]:
    """Yield links without a gap in their numbers; what is beyond one waits for it to be judged."""
    for link in links:
        if link.seq > seq + 1:
            return
        seq = max(seq, link.seq)
        yield link


def _each(parts: Sequence[Part], fingerprints: Fingerprints) -> str:
    """Return the SQL of the records of parts, with whether their bytes make their digests."""
    ids = ", ".join(str(number) for number in fingerprints)
    prints = ", ".join(f"unhex('{found.hex()}')" for found in fingerprints.values())
    # No schema has the id 0; without it an empty warehouse would make an empty list.
    made = f"transform(schema_id, [0{ids and ', ' + ids}], [''{prints and ', ' + prints}], '')"
    wanted = " OR ".join(
        f"(gateway_id = unhex('{gateway.encode().hex()}') AND gateway_epoch = {epoch:d}"
        f" AND gateway_seq > {part.chain.seq:d} AND gateway_seq <= {part.to:d})"
        for part in parts
        for gateway, epoch in [part.chain.log]
    )
    return " UNION ALL ".join(
        "SELECT gateway_id, gateway_epoch, gateway_seq AS seq, prev, digest, topic, partition,"  # noqa: S608
        f" offset, event_id, digest = SHA256(concat(prev, {made}, substring(value, 6))) AS good,"
        f" {letters.AGAIN} AS again FROM {table} WHERE {wanted}"
        for table in TABLES
    )


def _stretches(
    ask: Ask, fingerprints: Fingerprints, parts: Sequence[Part]
) -> dict[Log, Stretch | None]:
    rows = ask(_STRETCH.format(each=_each(parts, fingerprints)), {})
    return {(str(row["gateway_id"]), _int(row["gateway_epoch"])): _stretch(row) for row in rows}


def _values(chain: Chain, after: int) -> dict[str, str]:
    gateway, epoch = chain.log
    return {"gateway": gateway, "epoch": str(epoch), "after": str(after)}


_TOPICS = ", ".join(f"'{topic}'" for topic in sorted({r.topic for r in ROUTES if r.chained}))
_SEALED = f"""
SELECT topic, partition, max(last) AS high FROM ingest_batches WHERE topic IN ({_TOPICS})
GROUP BY topic, partition
"""  # noqa: S608  from the route table

_STRETCH = """
SELECT gateway_id, gateway_epoch,
    count() AS records, uniqExact(seq) AS numbers, min(seq) AS first, max(seq) AS last,
    countIf(NOT good) AS bad, countIf(above > 1 AND prev != before) AS breaks,
    countIf(NOT again AND offset <= lower) AS disordered,
    base64Encode(argMin(prev, seq)) AS written_on,
    base64Encode(arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((seq, digest))))))
        AS digests,
    minMapIf(map(place, offset), NOT again) AS starts,
    maxMapIf(map(place, offset), NOT again) AS ends
FROM (
    SELECT gateway_id, gateway_epoch, seq, prev, digest, good, offset, place, again,
        lagInFrame(digest) OVER (PARTITION BY gateway_id, gateway_epoch ORDER BY seq
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
        row_number() OVER (PARTITION BY gateway_id, gateway_epoch ORDER BY seq) AS above,
        lagInFrame(offset, 1, -1) OVER (
            PARTITION BY gateway_id, gateway_epoch, place, again ORDER BY seq
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS lower
    FROM (SELECT *, concat(topic, '/', toString(partition)) AS place FROM ({each}))
)
GROUP BY gateway_id, gateway_epoch
"""

_LINKS = """
SELECT seq, base64Encode(prev) AS prev, base64Encode(digest) AS digest, good, topic, partition,
    offset, event_id, again
FROM ({each}) ORDER BY seq, topic, partition, offset
"""


def _stretch(row: Row) -> Stretch | None:
    """Return records in a row; None where they are not without a fault."""
    count, first, last = (_int(row[name]) for name in ("records", "first", "last"))
    clean = not any(_int(row[name]) for name in ("bad", "breaks", "disordered"))
    if not clean or not count == _int(row["numbers"]) == last - first + 1:
        return None
    raw = b64decode(str(row["digests"]))
    if len(raw) != count * DIGEST_BYTES:
        return None
    digests = [raw[at : at + DIGEST_BYTES] for at in range(0, len(raw), DIGEST_BYTES)]
    return Stretch(
        first, b64decode(str(row["written_on"])), digests, _map(row["starts"]), _map(row["ends"])
    )


def _link(row: Row) -> Link:
    return Link(
        _int(row["seq"]),
        b64decode(str(row["prev"])),
        b64decode(str(row["digest"])),
        bool(_int(row["good"])),
        str(row["topic"]),
        _int(row["partition"]),
        _int(row["offset"]),
        str(row["event_id"]),
        bool(_int(row["again"])),
    )


def _map(cell: object) -> dict[str, int]:
    return {str(key): _int(value) for key, value in cell.items()} if isinstance(cell, dict) else {}


def _int(value: object) -> int:
    return int(str(value))
