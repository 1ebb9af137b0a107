"""Send a day through the gateway's HTTP API and keep what it answered."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from demo.requests import Request
from runtime.client import Gateway, JsonObject

LIST_REQUESTS = 100
"""Requests per call: a truck's day, not a bulk load."""
OPTIONS = {"backfill": "true"}
"""The day lies in the past; the gateway need not remark on the date of every ticket."""


@dataclass(slots=True)
class Answers:
    """What the gateway said to a day.

    Attributes:
        event_ids: Every id it took, now or before: what must be in the warehouse.
        accepted: Events taken now; a process counts once per side.
        duplicates: Requests it had already.
        refused: Requests refused, by code.
        warnings: Remarks on accepted requests, by code.
        processes: Process requests taken now, whose sides are in ``event_ids`` one by one; of a
            duplicate only the first side's id is told.
    """

    event_ids: set[str] = field(default_factory=set)
    accepted: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    processes: int = 0

    def add(self, item: JsonObject) -> None:
        """Count one answer."""
        match item["result"]:
            case "accepted":
                self._accept(item)
            case "duplicate":
                self.duplicates += 1
                self.event_ids.add(str(item["event_id"]))
            case _:
                self.refused[str(item["code"])] += 1

    def merge(self, later: "Answers") -> None:
        """Count the answers to requests sent later."""
        self.event_ids |= later.event_ids
        self.accepted += later.accepted
        self.duplicates += later.duplicates
        self.refused += later.refused
        self.warnings += later.warnings
        self.processes += later.processes

    def _accept(self, item: JsonObject) -> None:
        parts = item.get("parts")
        ids = [str(part["event_id"]) for part in parts] if isinstance(parts, list) else []
        taken = set(ids or [str(item["event_id"])])
        self.accepted += len(taken)
        self.event_ids |= taken
        self.processes += bool(ids)
        warnings = item.get("warnings")
        for warning in warnings if isinstance(warnings, list) else []:
            self.warnings[str(warning["code"])] += 1


def publish(
    gateway: Gateway, requests: Sequence[Request], advance: Callable[[int], None]
) -> Answers:
    """Send requests in order, in lists, and return the answers.

    Blocks until all are durable in the gateway. A second call with the same requests is harmless:
    all come back as duplicates.

    Args:
        gateway: Where to.
        requests: In the order of sending.
        advance: Called with how many more are done.

    Raises:
        Unavailable: No gateway, or busy for a minute.
    """
    answers = Answers()
    for part in lists(requests):
        for item in gateway.publish(part, OPTIONS):
            answers.add(item)
        advance(len(part))
    return answers


def lists(requests: Sequence[Request]) -> Iterator[list[Request]]:
    """Yield the requests in lists to send, reference records apart from facts.

    A list is judged as a whole before it is taken, so a fact in the list that announces its scale
    would still be remarked upon.
    """
    for _, same in groupby(requests, key=lambda request: request["type"] == "reference"):
        while part := list(islice(same, LIST_REQUESTS)):
            yield part
