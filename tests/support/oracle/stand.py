"""Which statements stand: each once, corrections in the place of their targets, voids gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from custody.events import NOT_CONTENT, Fact, LotWeighed, MaterialProcessed, ReferenceSet

Statement = Fact | ReferenceSet
S = TypeVar("S", bound=Statement)
STOCKS_MAX = 64


def when(fact: Fact) -> tuple[int, int, str]:
    """Canonical order."""
    return fact.occurred_at, fact.recorded_at, fact.event_id


def owner_of(fact: Fact) -> str:
    """Whose books a fact is in; a lot's inputs are the lot's."""
    if isinstance(fact, MaterialProcessed):
        fed = fact.part == "input" and fact.lot_id is not None
        return f"lot/{fact.lot_id}" if fed else f"process/{fact.process_id}"
    return f"device/{fact.site_id}" if fact.lot_id is None else f"lot/{fact.lot_id}"


@dataclass
class Standing(Generic[S]):
    """What stands of some statements, and what was odd about them.

    Attributes:
        facts: The last words, in no particular order.
        findings: Names.
    """

    facts: list[S]
    findings: set[str]


def standing(statements: Iterable[S]) -> Standing[S]:
    """Return what stands; of statements with one id the first given counts."""
    every = list(statements)
    once: dict[str, S] = {}
    for statement in every:
        once.setdefault(statement.event_id, statement)
    found = Standing[S]([], set())
    if any(_differs(statement, once) for statement in every):
        found.findings.add("event_id_conflict")
    for one in once.values():
        if one.corrects in once:
            continue
        if one.corrects is not None:
            found.findings.add("correction_target_unseen")
        last = _last_word(one, list(once.values()))
        if not last.void:
            found.facts.append(last)
    found.findings |= _odd(list(once.values()))
    return found


def _differs(statement: S, once: dict[str, S]) -> bool:
    """Something else counts under its id, and no correction speaks for it."""
    first = once[statement.event_id]
    return _content(first) != _content(statement) and not _speaking(first, list(once.values()))


def _content(statement: Statement) -> dict[str, object]:
    """What a statement says, whoever took it and when."""
    apart = NOT_CONTENT | {"source_ref"}
    return {
        one.name: getattr(statement, one.name) for one in fields(statement) if one.name not in apart
    }


def _odd(every: list[S]) -> set[str]:
    findings = set()
    for one in every:
        about = [other for other in every if other.corrects == one.event_id]
        if any(one.void and other.void for other in about):
            findings.add("void_of_void")
        if len([other for other in about if not (one.void and other.void)]) > 1:
            findings.add("correction_conflict")
    return findings


def _last_word(one: S, all_of_them: list[S]) -> S:
    speaking = _speaking(one, all_of_them)
    if not speaking:
        return one
    last = max(speaking, key=lambda other: (other.recorded_at, other.event_id))
    return _last_word(last, all_of_them)


def _speaking(one: S, all_of_them: list[S]) -> list[S]:
    """The corrections that speak for a statement; a void of a void does not."""
    about = [other for other in all_of_them if other.corrects == one.event_id]
    return [other for other in about if not (one.void and other.void)]


def kept_stocks(facts: Sequence[Fact], findings: set[str]) -> set[str]:
    """The stock weighings a place keeps: the first, the newest, and those somebody asked for."""
    kept: dict[str, list[LotWeighed]] = {}
    asked: dict[str, int] = {}
    for fact in facts:
        if isinstance(fact, MaterialProcessed):
            if fact.mass_wet_g is None and fact.mass_dry_g is None:
                asked[fact.site_id] = fact.occurred_at
        elif isinstance(fact, LotWeighed) and fact.purpose == "stock":
            here = kept.setdefault(fact.site_id, [])
            if len(here) > 1 and asked.get(fact.site_id, -1) < here[-1].occurred_at:
                here.pop()
            here.append(fact)
            if len(here) > STOCKS_MAX:
                here.pop(1)
                findings.add("too_many_stocks")
    return {fact.event_id for here in kept.values() for fact in here}
