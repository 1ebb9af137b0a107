"""What stands in Kafka's commit metadata: what the sink is about to insert.

The offset committed with it is the first record of the batch; everything before it is confirmed.
Correctness needs only the order *insert k confirmed, commit first of k+1, insert k+1* and the
read-back; the intent is an assertion on top: it says which rows may stand above the committed
offset, and finds a topic that was made anew and a log that was changed.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

METADATA_CHARACTERS_MAX = 4095
"""Kafka's own limit."""

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Intent:
    """A batch of one partition, announced.

    Attributes:
        topic_id: Kafka's id of the topic.
        end: Offset of the batch's last record.
        last: Highest offset that may be in the tables; never shrinks over re-cut batches.
        n: Records from the committed offset to ``end``.
        digest: ``Digest`` of those records.
    """

    topic_id: str
    end: int
    last: int
    n: int
    digest: str

    def metadata(self) -> str:
        """Return the text to commit with the batch's first offset."""
        return json.dumps(
            {
                "v": _VERSION,
                "topic_id": self.topic_id,
                "end": self.end,
                "last": self.last,
                "n": self.n,
                "digest": self.digest,
            },
            separators=(",", ":"),
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing is under way: all before the committed offset is confirmed, nothing stands above."""

    topic_id: str

    def metadata(self) -> str:
        """Return the text to commit with the next offset."""
        return json.dumps({"v": _VERSION, "topic_id": self.topic_id}, separators=(",", ":"))


def read(metadata: str | None) -> Intent | Settled | None:
    """Return what a commit's metadata says; None where it is not ours or not there."""
    try:
        found = json.loads(metadata or "")
    except json.JSONDecodeError:
        return None
    if not isinstance(found, dict) or found.get("v") != _VERSION:
        return None
    try:
        if "last" not in found:
            return Settled(str(found["topic_id"]))
        return Intent(
            str(found["topic_id"]),
            int(found["end"]),
            int(found["last"]),
            int(found["n"]),
            str(found["digest"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


class Digest:
    """SHA-256 over records, fed in any number of steps: over their offsets, over their values."""

    def __init__(self) -> None:
        self.records = 0
        self._offsets = hashlib.sha256()
        self._values = hashlib.sha256()

    def add(self, offsets: npt.NDArray[np.int64], values: Sequence[bytes | None]) -> None:
        """Take further records; offsets and values are equally many."""
        self.records += len(values)
        self._offsets.update(offsets.astype("<i8").tobytes())
        self._values.update(b"".join([value or b"" for value in values]))

    def text(self) -> str:
        """Return the digest of all records so far, hexadecimal."""
        return hashlib.sha256(self._offsets.digest() + self._values.digest()).hexdigest()
