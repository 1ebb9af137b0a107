"""The result file of a dropped file: what became of it as a whole, and of each of its requests."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from custody.events import Micros
from producers.drop_read import Fault
from producers.drop_state import Item, Known
from producers.service import time_text

REFUSED = "refused_requests"
"""Reason of a file that was read to its end, and of which not all could be taken."""

SKIPPED: Mapping[str, str] = MappingProxyType({"result": "skipped"})
"""What is said of a row that the mapping leaves out."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a result says of the file as a whole.

    Attributes:
        name: The file's name as it was dropped.
        gateway_id: Who took it.
        at: When it was dealt with.
        sha256: Digest of its content, hexadecimal; None where it was not read.
        fault: Why it failed as a whole; None where it did not.
        detail: The same in more words.
        known: What is known of its content; None where it was not read.
        repeated: Its content was taken before.
        skipped: Rows that its mapping left out.
    """

    name: str
    gateway_id: str
    at: Micros
    sha256: str | None = None
    fault: Fault | None = None
    detail: str = ""
    known: Known | None = None
    repeated: bool = False
    skipped: int = 0

    @property
    def failed(self) -> bool:
        """Whether somebody has to look at it: not all of it is taken."""
        return self.fault is not None or (self.known is not None and self.known.refused > 0)


def chunks(report: Report, items: Iterable[Item]) -> Iterator[str]:
    """Yield the text of a result: one JSON object, one line per request.

    Args:
        report: Of the file.
        items: The answers to its requests, in order.
    """
    # Cut open behind the last field, so that a million answers need not be in memory at once.
    yield json.dumps(_head(report), indent=1)[:-2]
    yield ',\n "requests": ['
    between = "\n  "
    for item in items:
        kept = {name: value for name, value in item.items() if value != []}
        yield between + json.dumps(kept)
        between = ",\n  "
    yield "\n ]\n}\n"


def _head(report: Report) -> Mapping[str, object]:
    known = report.known
    head: dict[str, object] = {
        # A name that is no UTF-8 is shown by its bytes' numbers.
        "file": report.name.encode(errors="backslashreplace").decode(),
        "outcome": "failed" if report.failed else "repeated" if report.repeated else "done",
        "gateway_id": report.gateway_id,
        "at": time_text(report.at),
        "sha256": report.sha256,
        "reason": report.fault or (REFUSED if report.failed else None),
        "detail": report.detail or None,
    }
    if known is not None:
        head["counts"] = _repeats(known) if report.repeated else _counts(known)
    if report.skipped:
        head["skipped"] = report.skipped
    if known is not None and report.repeated:
        before = {"file": known.name, "at": time_text(known.begun_at)}
        head["taken_before"] = {**before, "counts": _counts(known)}
    return head


def _counts(known: Known) -> Mapping[str, int]:
    return {
        "accepted": known.accepted,
        "duplicate": known.duplicate,
        "refused": known.refused,
    }


def _repeats(known: Known) -> Mapping[str, int]:
    """Return what came of a file whose content was taken before: nothing new, all of it again."""
    return {"accepted": 0, "duplicate": known.accepted + known.duplicate, "refused": 0}
