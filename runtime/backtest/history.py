"""Requests from files to the records a gateway would have made of them, in the order of recording.

A line may say ``recorded_at``; without it a fact was recorded when it occurred and a reference
record when it became valid. The order of lines means nothing: records are sorted, the same event
counts once, and facts that differ under one id are told all, as two gateways would publish them:
the core says which counts, and finds it. So a shuffled file with repeats is the same history. A
correction of a whole request of parts, or of another lot's or process's fact, is refused, as by a
gateway that knows its target.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from custody.events import ActionTaken, LotAssayed, LotFact, Micros, ReferenceSet
from custody.fold import Handed
from custody.records import Tick
from producers import strict_json
from producers.chain import key_of
from producers.correcting import corrects, unlike
from producers.fields import Moment, Time
from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Accepted, Code, Draft, Record, Refusal
from producers.past import About
from runtime.client import JsonObject

GATEWAY = ("backtest", 1)
PIECE_LINES = 1_000
"""Lines judged by one process at a time; fewer lines in all are judged here."""

_TIME: TypeAdapter[Moment] = TypeAdapter(Time)
_RECORDED = "recorded_at"
_OWN_TIME = {"reference": "valid_from", "action": _RECORDED}
"""Field of a request that says when it was recorded, where nothing else does."""


class Line(NamedTuple):
    """A line of a file: the file's name, its number from 1, and what stands there."""

    file: str
    no: int
    text: str


class Refused(NamedTuple):
    """A line the gateway would not have taken, and its answer."""

    line: Line
    answer: JsonObject


@dataclass(slots=True)
class History:
    """Records in the order of recording.

    Attributes:
        records: Each event once; of facts each content that stands under its id.
        repeated: Records that said what another said.
        differing: Records that said something else under the id of another.
        refused: Lines that are no requests.
    """

    records: list[Record] = field(default_factory=list)
    repeated: int = 0
    differing: int = 0
    refused: list[Refused] = field(default_factory=list)


class Judged(NamedTuple):
    """What a line comes to: records, or why not."""

    line: Line
    outcome: Accepted | Refusal


class _Kept(NamedTuple):
    """A record with the line it came from, and the id the sender can ask for."""

    draft: Draft
    line: Line
    event_id: str


def lines_of(name: str, stream: Iterable[str]) -> Iterator[Line]:
    """Yield the lines of a file that are not empty."""
    for no, text in enumerate(stream, start=1):
        if text.strip():
            yield Line(name, no, text)


def read(
    lines: Iterable[Line], known: Known, advance: Callable[[int], None] | None = None
) -> History:
    """Judge lines of requests, as a gateway with that reference data would.

    Args:
        lines: From one or several files.
        known: Reference records; those among the lines are added first.
        advance: Told how many more lines are judged.
    """
    references: list[Line] = []
    others: list[Line] = []
    for line in lines:
        (references if '"reference"' in line.text else others).append(line)
    judged = _judged(references, known)
    for _, outcome in judged:
        for draft in () if isinstance(outcome, Refusal) else outcome.drafts:
            if isinstance(draft.record, ReferenceSet):
                known.add(draft.record)
    for piece in _in_pieces(others, known):
        judged.extend(piece)
        if advance is not None:
            advance(len(piece))
    return _ordered(judged)


def of_records(records: Iterable[Record]) -> History:
    """Return records that a warehouse has kept as a history; each stands there once."""
    return History(sorted(records, key=_order))


def _in_pieces(lines: Sequence[Line], known: Known) -> Iterator[list[Judged]]:
    """Yield judged lines in order; both cores judge where there are many."""
    pieces = _pieces(lines)
    if len(lines) <= PIECE_LINES or (os.cpu_count() or 1) == 1:
        yield from (_judged(piece, known) for piece in pieces)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(partial(_judged, known=known), pieces)


def _pieces(lines: Sequence[Line]) -> Iterator[list[Line]]:
    left = iter(lines)
    while piece := list(islice(left, PIECE_LINES)):
        yield piece


def _judged(lines: Sequence[Line], known: Known) -> list[Judged]:
    terms = Terms(GATEWAY, 1, known, backfill=True)
    return [Judged(line, _judge(line.text, terms)) for line in lines]


def _judge(text: str, terms: Terms) -> Accepted | Refusal:
    if not strict_json.is_utf8(text):
        return Refusal(Code.BAD_VALUE, "", text, "text in UTF-8")
    try:
        raw = strict_json.parsed(text)
    except strict_json.BadJson as error:
        return Refusal(Code.BAD_VALUE, "", error.found, error.expected)
    if not isinstance(raw, dict):
        return Refusal(Code.BAD_VALUE, "", raw, "a JSON object")
    when = _recorded(raw)
    if isinstance(when, Refusal):
        return when
    raw.pop(_RECORDED, None)
    return accept(raw, when, terms)


def _recorded(raw: JsonObject) -> Micros | Refusal:
    name = _RECORDED if _RECORDED in raw else _OWN_TIME.get(str(raw.get("type")), "occurred_at")
    if name not in raw:
        return Refusal(Code.MISSING_FIELD, name, None, "an RFC 3339 time with offset")
    try:
        return _TIME.validate_python(raw[name]).at
    except ValidationError:
        return Refusal(Code.BAD_VALUE, name, raw[name], "an RFC 3339 time with offset")


def _ordered(judged: Iterable[Judged]) -> History:
    history = History()
    kept: dict[_Identity, dict[bytes, _Kept]] = {}
    for line, outcome in judged:
        if isinstance(outcome, Refusal):
            history.refused.append(Refused(line, outcome.answer()))
            continue
        for draft in outcome.drafts:
            _keep(kept, _Kept(draft, line, outcome.event_id), history)
    told = [one for copies in kept.values() for one in _told(copies)]
    told.sort(key=_order_of)
    known = _by_id(told)
    for one in told:
        wrong = _mismatch(one.draft, known)
        if wrong is None:
            history.records.append(one.draft.record)
        else:
            history.refused.append(Refused(one.line, wrong.answer()))
    history.refused.sort(key=lambda one: one.line[:2])
    return history


_Identity = tuple[str, str | None]
"""What counts once: an event, and of a certificate the lot."""


def _identity(record: Record) -> _Identity:
    """Return what a record counts once by.

    A certificate's number goes from hand to hand, and without a sample the id is of the number
    alone. So two sites may have sent it of two lots, each through its own gateway, and a worker,
    which knows facts by lot, takes both: that one number stands for two lots is to be found.
    """
    return record.event_id, record.lot_id if isinstance(record, LotAssayed) else None


def _keep(kept: dict[_Identity, dict[bytes, _Kept]], new: _Kept, history: History) -> None:
    copies = kept.setdefault(_identity(new.draft.record), {})
    old = copies.get(new.draft.content)
    if old is not None:
        history.repeated += 1
        # Told again later is known no earlier.
        new = min(old, new, key=lambda one: _order(one.draft.record))
    elif copies:
        history.differing += 1
    copies[new.draft.content] = new


def _told(copies: Mapping[bytes, _Kept]) -> Iterable[_Kept]:
    """Return what is told of what stands under one id: of facts all, of others one of them."""
    first = copies[min(copies)]
    is_fact = not isinstance(first.draft.record, ReferenceSet | ActionTaken)
    return copies.values() if is_fact else [first]


def _order_of(one: _Kept) -> tuple[tuple[int, int, int, str], bytes]:
    """Order of recording; copies that were recorded together in one order all the same."""
    return _order(one.draft.record), one.draft.content


_ById = Mapping[str, Mapping[bytes, Draft]]
"""Records by the ids a correction may name, and by what they are about."""


def _by_id(kept: Iterable[_Kept]) -> _ById:
    """Return what a gateway knows by id: records, and of a request of parts the first."""
    found: dict[str, dict[bytes, Draft]] = {}
    for draft, _, event_id in kept:
        key = key_of(draft.record)
        found.setdefault(draft.record.event_id, {}).setdefault(key, draft)
        found.setdefault(event_id, {}).setdefault(key, draft)
    return found


def _mismatch(draft: Draft, known: _ById) -> Refusal | None:
    """Refuse a correction as a gateway does that took its target before it, or with it."""
    target = corrects(draft)
    if target is None or target not in known:
        return None
    key, targets = key_of(draft.record), known[target]
    about, of = min(targets.items(), key=lambda one: (one[0] != key, one[0]))
    if recorded_at(of.record) > recorded_at(draft.record):
        return None
    return unlike(draft, key, About(of.record.event_id, of.stem, about))


def recorded_at(record: Record | Handed | Tick) -> Micros:
    """Return when a record was recorded, or became known."""
    if isinstance(record, Tick):
        return record.now
    if isinstance(record, Handed):
        return record.known_at
    return record.recorded_at


def _order(record: Record) -> tuple[int, int, int, str]:
    """Order of recording; at one moment reference data first, then what happened first."""
    match record:
        case ReferenceSet():
            return recorded_at(record), 0, record.valid_from, record.event_id
        case ActionTaken():
            return recorded_at(record), 2, 0, record.event_id
        case _:
            fact: LotFact = record
            return recorded_at(fact), 1, fact.occurred_at, f"{fact.event_id} {fact.lot_id or ''}"
