"""The seam between the streams and the core: how the worker asks the core for the next state.

The worker groups a chunk's records by owner, drops what the owner has already applied, and calls
``Fold.step`` once per owner and chunk. The core answers with the owner's next row, further rows,
and outputs without numbers. The worker numbers, stores and sends; it never looks inside.

This module pins signatures: *what* the core says may change, *how* it is asked may not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from custody.events import ActionTaken, LotFact, ReferenceSet
from custody.records import Alert, Balance, Content, Drift, Residual, Sighting, Tick, Transfer

Handed = Content | Sighting | Residual | Drift
"""What owners tell each other."""

Input = LotFact | ReferenceSet | ActionTaken | Handed | Tick
"""What can reach an owner."""

Output = Transfer | Balance | Alert | Handed
"""What an owner can say. ``sender`` is '' and ``n`` is 0 until the worker numbers it; of a drift,
which goes to every partition, it also makes the copies."""

Row = object
"""A frozen or plain dataclass; the worker encodes it by the prefix of its key."""


class Entry(Protocol):
    """One record as the fold sees it; ``event`` is decoded when first asked for."""

    @property
    def stem(self) -> str:
        """Stem of the record."""
        ...

    @property
    def offset(self) -> int:
        """Offset in its source topic and partition."""
        ...

    @property
    def event(self) -> Input:
        """The record itself."""
        ...


class Getter(Protocol):
    """Rows by key."""

    def get(self, key: str) -> Row | None:
        """Return the row under a key such as ``ref/device/WB-1``, or None."""
        ...


class Reader(Getter, Protocol):
    """Read access to the rows of the same partition."""

    def scan(self, prefix: str, before: str | None = None) -> list[str]:
        """Return the keys that begin with a prefix, in order; those before another where given."""
        ...


@dataclass(slots=True)
class Step:
    """What one owner's step leads to.

    Attributes:
        row: The owner's next row.
        rows: Further rows to write, by key; written before the owner's row. None: it is gone.
        outputs: Records to send, in order.
        findings: Counted by name for metrics; they change nothing.
    """

    row: Row
    rows: dict[str, Row | None] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class Fold(Protocol):
    """A total, deterministic function from state and records to state and outputs."""

    @property
    def version(self) -> int:
        """Grows when the same facts lead to another state; stored in each row."""
        ...

    @property
    def row_types(self) -> Mapping[str, type]:
        """Row class by key prefix, for example ``{"lot": LotRow}``."""
        ...

    def owner(self, entry: Entry, key: str) -> str:
        """Return the row key of the owner of a record whose Kafka key is ``key``.

        For example ``lot/L-24-0117``, ``process/P-77``, ``ref/device/WB-1``. Must not need the
        whole event where the stem and key decide.
        """
        ...

    def step(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:
        """Apply records to one owner.

        Args:
            owner: Row key of the owner.
            row: The owner's row; None on first sight.
            entries: One or more records in offset order, none applied before.
            reader: Other rows of the partition, as of before this chunk's own writes or after.
        """
        ...
