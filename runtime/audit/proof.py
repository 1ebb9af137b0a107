"""A proof that an event stood in a gateway's history when its head was signed.

Made here from the warehouse; checked by ``runtime/audit/proof_check.py`` without it.
"""

import json
from base64 import b64decode

from typing_extensions import override

from custody import digest, heads
from custody.audit import Chain
from custody.errors import Unavailable
from custody.heads import Head
from runtime.asof import Ask
from runtime.audit import chains, letters
from runtime.audit import heads as stored_heads
from runtime.audit.proof_check import FORMAT, Json, head_json, text_of
from schemas import avro
from schemas.codec import FRAME_BYTES
from schemas.registry import Catalog


class NotStored(Unavailable):
    """There is no event of that id."""

    def __init__(self, event_id: str) -> None:
        super().__init__(f"event {event_id} is not stored", next_step=f"custody trace {event_id}")


class NotSignedYet(Unavailable):
    """No signed head speaks of it."""

    def __init__(self, gateway: str, seq: int) -> None:
        super().__init__(
            f"no signed head of {gateway} speaks of record {seq} yet",
            expected="a head a minute, signed by the key in reference data",
            next_step="wait a minute; custody audit says whether its heads are signed",
        )


class NotWhole(Unavailable):
    """The records below a head are not what it was signed over."""

    def __init__(self, gateway: str, size: int) -> None:
        super().__init__(
            f"the {size} records of {gateway} below its head are not all stored as they were sent",
            expected="a chain without a fault",
            next_step="custody audit names what does not fit",
        )


def prove(ask: Ask, catalog: Catalog, event_id: str) -> Json:
    """Return the proof of an event; of several records of one id, of the first. Blocks.

    Args:
        ask: Runs SQL.
        catalog: Where schema ids are looked up.
        event_id: The event.

    Raises:
        NotStored: It is not there.
        NotSignedYet: No signed head speaks of it.
        NotWhole: The chain below its head has a fault.
    """
    each = " UNION ALL ".join(
        "SELECT gateway_id, gateway_epoch, gateway_seq, prev, digest, schema_id, value"  # noqa: S608
        f" FROM {table} WHERE event_id = {{event:String}}"
        for table in chains.TABLES
    )
    rows = ask(
        "SELECT gateway_id, gateway_epoch, gateway_seq, base64Encode(prev) AS prev,"  # noqa: S608
        f" base64Encode(digest) AS digest, schema_id, base64Encode(value) AS value FROM ({each})"
        " ORDER BY gateway_id, gateway_epoch, gateway_seq LIMIT 1",
        {"event": event_id},
    )
    if not rows:
        raise NotStored(event_id)
    row = rows[0]
    log = str(row["gateway_id"]), int(str(row["gateway_epoch"]))
    seq = int(str(row["gateway_seq"]))
    head, public = _head_above(ask, log, seq)
    digests = _digests(ask, catalog, log, head.size)
    writer = catalog.writer(int(str(row["schema_id"])))
    if writer is None or len(digests) < head.size:
        raise NotWhole(log[0], head.size)
    return {
        "format": FORMAT,
        "event_id": event_id,
        "gateway_seq": seq,
        "schema": json.loads(writer.text),
        "body": text_of(b64decode(str(row["value"]))[FRAME_BYTES:]),
        "prev": str(row["prev"]),
        "digest": str(row["digest"]),
        "path": [text_of(one) for one in digest.inclusion_path(digests, seq - 1)],
        "head": head_json(head),
        "note": heads.note(head, public),
        "public_key": heads.key_text(public),
    }


def _head_above(ask: Ask, log: tuple[str, int], seq: int) -> tuple[Head, bytes]:
    """Return the earliest signed head that speaks of a record, and the key that signed it."""
    records = stored_heads.keys(ask)
    found: tuple[Head, bytes] | None = None
    for one in stored_heads.stored(ask, {}):
        head = one.head
        if (head.gateway_id, head.gateway_epoch) != log or head.size < seq:
            continue
        public = stored_heads.key_at(records, head.gateway_id, head.at)
        sooner = found is None or head.size < found[0].size
        if public is not None and sooner and heads.is_signed(head, public):
            found = head, public
    if found is None:
        raise NotSignedYet(log[0], seq)
    return found


def _digests(ask: Ask, catalog: Catalog, log: tuple[str, int], size: int) -> list[bytes]:
    found: list[bytes] = []
    chain = Keeping(log, found)
    ids = [int(str(row["schema_id"])) for row in ask(chains.SCHEMA_IDS, {})]
    writers = {number: catalog.writer(number) for number in ids}
    prints = {n: avro.fingerprint_of(w.text) for n, w in writers.items() if w is not None}
    while chain.seq < size:
        if chains.follow(ask, prints, chain, size, []):
            return []
        letter = letters.after(ask, chain)
        if chain.seq >= size or letter is None:
            break
        chain.through(letter.digest, [])
    return found


class Keeping(Chain):
    """A chain that keeps the digests it went over."""

    def __init__(self, log: tuple[str, int], found: list[bytes]) -> None:
        super().__init__(log)
        self._found = found

    @override
    def _add(self, digest_: bytes) -> None:
        super()._add(digest_)
        self._found.append(digest_)
