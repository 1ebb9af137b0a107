"""From records to events: which are told, under what name, each once. Pure but for the catalog."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from console.live.places import Place
from console.live.ring import Told
from custody.events import ActionTaken
from custody.records import Alert, Balance
from schemas.present import alert_line, balance_line, rfc3339
from schemas.reader import read_batch
from schemas.registry import Catalog
from schemas.routes import Record


class Message(Protocol):
    """A record as a consumer gives it."""

    def offset(self) -> int | None:
        """Place in its partition."""
        ...

    def key(self) -> bytes | None:
        """Key."""
        ...

    def value(self) -> bytes | None:
        """Value."""
        ...


@dataclass(frozen=True, slots=True)
class Read:
    """A record that was read: its offset and itself."""

    offset: int
    record: Record


@dataclass(slots=True)
class Telling:
    """Reads records and tells what is new in them; one per reader of a topic's past.

    Attributes:
        catalog: Where schema ids are looked up.
        partitions: Partitions of every topic.
        numbers: The last number of each sender in each partition: workers say again after a
            crash what they had said.
    """

    catalog: Catalog
    partitions: int
    numbers: dict[tuple[Place, str], int] = field(default_factory=dict)

    def read(self, place: Place, messages: Sequence[Message]) -> list[Read]:
        """Return the records of messages of one partition that are new and can be read.

        What cannot be read is a dead letter, and the sink's to report.

        Raises:
            Unavailable: The registry cannot be asked; the same messages may be read again.
        """
        batch = read_batch(
            place[0],
            place[1],
            self.partitions,
            [message.key() for message in messages],
            [message.value() for message in messages],
            self.catalog,
        )
        found = [
            (int(index), record)
            for group in batch.groups
            for index, record in zip(group.index, group.events(), strict=True)
        ]
        found.sort(key=itemgetter(0))
        return [
            Read(messages[index].offset() or 0, record)
            for index, record in found
            if self._is_new(place, record)
        ]

    def _is_new(self, place: Place, record: Record) -> bool:
        if not isinstance(record, Alert | Balance):
            return True
        key = place, record.sender
        if record.n <= self.numbers.get(key, -1):
            return False
        self.numbers[key] = record.n
        return True


def told(place: Place, records: Sequence[Read]) -> Iterator[Told]:
    """Yield the events of some records; of an account's balances the last.

    Args:
        place: Their partition; an account's balances are in one.
        records: In order.
    """
    last = {one.record.account: one.offset for one in records if isinstance(one.record, Balance)}
    for one in records:
        record = one.record
        match record:
            case Alert():
                yield Told(place, one.offset, _body("alert", alert_line(record)))
            case ActionTaken():
                yield Told(place, one.offset, _body("action", action_line(record)))
            case Balance() if last[record.account] == one.offset:
                line = {"account": record.account, **balance_line(record)}
                del line["complete_to"]
                yield Told(place, one.offset, _body("balance", line))
            case _:
                pass


def action_line(action: ActionTaken) -> dict[str, object]:
    """Return what a person did as it is told."""
    return {
        "event_id": action.event_id,
        "action": action.action,
        "alert_id": action.alert_id,
        "version": action.version,
        "subject": action.subject,
        "movement_id": action.movement_id,
        "hold_id": action.hold_id,
        "actor": action.actor,
        "reason": action.reason,
        "assignee": action.assignee,
        "until": None if action.until is None else rfc3339(action.until),
        "resolution": action.resolution,
        "recorded_at": rfc3339(action.recorded_at),
    }


def _body(name: str, line: object) -> bytes:
    # One line: a line end within it would end the field.
    return f"event: {name}\ndata: {json.dumps(line)}\n".encode()
