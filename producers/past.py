"""What was taken before, as far as a new request needs to know it: on disk, or in its own group.

Identities are known for ever, and so are corrections (their ids, about 60 bytes each) and who
declared a lot (about 60 bytes a lot). What an event was about is known as long as its entry is
there: until some days after it was published. Nothing here asks another gateway.
"""

import sqlite3
from dataclasses import dataclass, field

from custody.ids import uuid_bytes, uuid_text
from producers import store
from producers.chain import Entry
from producers.store import Identity


@dataclass(frozen=True, slots=True)
class Correction:
    """An event that replaces or, void, only withdraws another."""

    event_id: str
    target: str
    void: bool


@dataclass(frozen=True, slots=True)
class About:
    """What an entry is about: the record's own id, its stem and its Kafka key."""

    event_id: str
    stem: str
    key: bytes


@dataclass(slots=True)
class Past:
    """Looks in the group that is being made, then on disk.

    Attributes:
        disk: The outbox's file.
        entries: New entries, in order of their numbers and without a gap.
        identities: New event ids.
        corrections: New corrections by their own ids.
        corrected: The same by target; the last one of each.
        declared: Event that declared a lot, by lot.
    """

    disk: sqlite3.Connection
    entries: list[Entry] = field(default_factory=list)
    identities: dict[str, Identity] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)
    corrected: dict[str, Correction] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Past":
        """Return one that can grow without touching this one."""
        return Past(
            self.disk,
            list(self.entries),
            dict(self.identities),
            dict(self.corrections),
            dict(self.corrected),
            dict(self.declared),
        )

    def note_correction(self, correction: Correction) -> None:
        """Remember a correction that is taken."""
        self.corrections[correction.event_id] = correction
        self.corrected[correction.target] = correction

    def identity(self, event_id: str) -> Identity | None:
        """Return what is known of an event id, or None."""
        return self.identities.get(event_id) or store.get_identity(self.disk, event_id)

    def about(self, known: Identity) -> About | None:
        """Return what an event is about; None where its entry is gone."""
        if self.entries and known.no >= self.entries[0].no:
            entry = self.entries[known.no - self.entries[0].no]
            assert entry.event_id is not None, "a head has no identity"
            return About(entry.event_id, entry.stem, entry.key)
        row = self.disk.execute(
            "SELECT event_id, stem, key FROM entry WHERE no = ?", (known.no,)
        ).fetchone()
        return None if row is None else About(uuid_text(row[0]), row[1], row[2])

    def correction(self, event_id: str) -> Correction | None:
        """Return the correction that an event is; None where it is none."""
        return self.corrections.get(event_id) or self._stored("event_id", event_id)

    def correction_of(self, event_id: str) -> Correction | None:
        """Return the last correction that was taken of an event, or None."""
        return self.corrected.get(event_id) or self._stored("target", event_id)

    def declaration(self, lot_id: str) -> str | None:
        """Return the event that last declared a lot, or None."""
        if lot_id in self.declared:
            return self.declared[lot_id]
        row = self.disk.execute(
            "SELECT event_id FROM declared WHERE lot_id = ?", (lot_id,)
        ).fetchone()
        return None if row is None else uuid_text(row[0])

    def write(self, epoch: int) -> None:
        """Store what is new, within the caller's transaction."""
        store.put_entries(self.disk, epoch, self.entries)
        store.put_identities(self.disk, self.identities)
        self.disk.executemany(
            "INSERT INTO correction (event_id, target, void) VALUES (?, ?, ?)",
            [
                (uuid_bytes(one.event_id), uuid_bytes(one.target), one.void)
                for one in self.corrections.values()
            ],
        )
        self.disk.executemany(
            "INSERT OR REPLACE INTO declared VALUES (?, ?)",
            [(lot_id, uuid_bytes(event_id)) for lot_id, event_id in self.declared.items()],
        )

    def _stored(self, column: str, event_id: str) -> Correction | None:
        row = self.disk.execute(
            f"SELECT event_id, target, void FROM correction WHERE {column} = ?"  # noqa: S608  ours
            " ORDER BY no DESC LIMIT 1",
            (uuid_bytes(event_id),),
        ).fetchone()
        return (
            None if row is None else Correction(uuid_text(row[0]), uuid_text(row[1]), row[2] == 1)
        )
