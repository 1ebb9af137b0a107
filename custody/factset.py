"""The set of an owner's facts: what is new, what comes last, what a correction leaves standing.

Two rules make the order of arrival not matter. A fact is the same fact when its event_id is the
same, and of two copies the one that is earlier in canonical order stands. A correction speaks for
its target wherever the target stands; of several, the greatest (recorded_at, event_id) speaks.
"""

import zlib
from collections.abc import Iterable, Sequence

from custody.rows import FactRow

_MARKS = 0xE0000
_FIRST_MARK = 0x10000


def mark(event_id: str) -> str:
    """Return one character that stands for an event id.

    A thousand facts are remembered in 4 kB, and membership is one scan of a string. Two ids
    share a mark once in 917,504 pairs: then the facts themselves are read, which costs time and
    changes nothing. The range begins above the surrogates and ends with the last plane but one.
    """
    return chr(_FIRST_MARK + zlib.crc32(event_id.encode()) % _MARKS)


def merged(known: Sequence[FactRow], arrived: Iterable[FactRow]) -> tuple[list[FactRow], list[int]]:
    """Add arrived facts to those known.

    Args:
        known: Facts by number, each event id once.
        arrived: Facts in any order, with repetitions.

    Returns:
        All facts by number, and the numbers that are new or changed.
    """
    facts = list(known)
    number_of = {fact.head.event_id: number for number, fact in enumerate(facts)}
    changed: list[int] = []
    for fact in arrived:
        number = number_of.get(fact.head.event_id)
        if number is None:
            number_of[fact.head.event_id] = len(facts)
            changed.append(len(facts))
            facts.append(fact)
        elif _precedes(fact, facts[number]):
            changed.append(number)
            facts[number] = fact
    return facts, changed


def _precedes(fact: FactRow, other: FactRow) -> bool:
    """Copies that differ are a fault of a sender; any total order makes the outcome one."""
    if fact.order != other.order:
        return fact.order < other.order
    return fact != other and repr(fact) < repr(other)


def standing(facts: Sequence[FactRow]) -> tuple[list[FactRow], list[str], list[str]]:
    """Return what stands once corrections have spoken.

    A fact that corrects nothing seen is a statement of its own. Each statement is replaced by the
    last word of its corrections, and theirs in turn; a void leaves nothing. A void of a void has
    no effect. Facts that correct each other in a ring have no statement and stand for nothing.

    Args:
        facts: Facts, each event id once, in any order.

    Returns:
        Standing facts in canonical order, targets not seen, and findings.
    """
    by_id = {fact.head.event_id: fact for fact in facts}
    corrections: dict[str, list[FactRow]] = {}
    statements: list[FactRow] = []
    unseen: set[str] = set()
    findings: list[str] = []
    for fact in facts:
        target = fact.head.corrects
        if target is None:
            statements.append(fact)
        elif target not in by_id:
            unseen.add(target)
            findings.append("correction_target_unseen")
            statements.append(fact)
        elif fact.head.void and by_id[target].head.void:
            findings.append("void_of_void")
        else:
            corrections.setdefault(target, []).append(fact)
    findings.extend("correction_conflict" for made in corrections.values() if len(made) > 1)
    words = [_last_word(statement, corrections) for statement in statements]
    stand = [fact for fact in words if not fact.head.void]
    stand.sort(key=lambda fact: fact.order)
    return stand, sorted(unseen), findings


def _last_word(fact: FactRow, corrections: dict[str, list[FactRow]]) -> FactRow:
    """Follow a statement's corrections to the one that is not corrected itself."""
    while made := corrections.get(fact.head.event_id):
        fact = max(made, key=lambda other: (other.head.known, other.head.event_id))
    return fact
