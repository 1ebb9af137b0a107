"""Dead letters in a chain: records that nobody could read have no row, and are not missing.

A dead letter keeps the headers its record came with, and so its place in its gateway's chain: the
digest it was written on and its own. What follows it in the chain, and the heads, confirm both.
"""

from base64 import b64decode
from typing import NamedTuple

from custody.audit import Chain, Log
from runtime.asof import Ask
from schemas import headers


class DeadLetter(NamedTuple):
    """A dead letter that stands for a number of a chain.

    Attributes:
        log: Gateway and epoch.
        seq: Its number, by the record it was written on.
        digest: As its record said.
        place: Where the record stood: topic, partition and offset.
        reason: Why it could not be read.
    """

    log: Log
    seq: int
    digest: bytes
    place: str
    reason: str


def _header(name: str) -> str:
    return f"header_values[indexOf(header_names, '{name}')]"


AGAIN = (
    f"digest IN (SELECT {_header(headers.DIGEST)} FROM dead_letter"  # noqa: S608  constants
    f" WHERE has(header_names, '{headers.DIGEST}'))"
)
"""Whether a row's record was a dead letter first: sent again, it stands behind later numbers."""

_AFTER = f"""
SELECT base64Encode({_header(headers.DIGEST)}) AS digest, reason,
    concat(record_topic, '/', toString(record_partition), '@', toString(record_offset)) AS place
FROM dead_letter
WHERE {_header(headers.GATEWAY)} = {{gateway:String}}
    AND hex({_header(headers.PREV)}) = {{prev:String}}
ORDER BY record_topic, record_partition, record_offset LIMIT 1
"""  # noqa: S608  put together from constants


def after(ask: Ask, chain: Chain) -> DeadLetter | None:
    """Return the dead letter that was written on the last record of a chain; blocks."""
    if chain.digest is None:
        return None
    rows = ask(_AFTER, {"gateway": chain.log[0], "prev": chain.digest.hex().upper()})
    for row in rows:
        digest = b64decode(str(row["digest"]))
        place, reason = str(row["place"]), str(row["reason"])
        return DeadLetter(chain.log, chain.seq + 1, digest, place, reason)
    return None
