"""The set of an owner's facts: what is new, what comes last, what a correction leaves standing.

Two rules make the order of arrival not matter. A fact is the same fact when its event_id is the
same, and of two copies the one that is earlier in canonical order stands. A correction speaks for
its target wherever the target stands; of several, the greatest (recorded_at, event_id) speaks.

Copies that say the same are repeats. Where one says something else, two events have one id: the
first of those is kept beside the one that stands, as its rival, until a correction speaks for both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from custody.rows import FactHead, FactRow, Finding

CONFLICTS_MAX = 64
"""Ids under which two events stand that are named one by one; of more, only how many there are."""

_BODIES = ("weighed", "assayed", "scanned", "moved", "side", "declared")


def unnamed(fact: FactRow) -> FactRow:
    """Return a fact without its id, which its key already has."""
    return named(fact, "")


def named(fact: FactRow, event_id: str) -> FactRow:
    """Return a fact with an id, as a stored one gets its own back."""
    rival = None if fact.rival is None else named(fact.rival, event_id)
    return FactRow(
        FactHead(event_id, *fact.head[1:]),
        fact.weighed,
        fact.assayed,
        fact.scanned,
        fact.moved,
        fact.side,
        fact.declared,
        rival,
    )


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
        else:
            both = joined(facts[number], fact)
            if both is not facts[number]:
                changed.append(number)
                facts[number] = both
    return facts, changed


def joined(kept: FactRow, copy: FactRow) -> FactRow:
    """Return what is kept of two copies of one event, whichever came first.

    Args:
        kept: One copy, perhaps with its rival.
        copy: Another, as it arrived.

    Returns:
        The earlier one, with the first of all copies that do not say the same; ``kept`` itself
        where nothing changes.
    """
    is_other = bool(differing(kept, copy))
    if _precedes(copy, kept):
        return replace(copy, rival=bare(kept) if is_other else kept.rival)
    if is_other and (kept.rival is None or _precedes(copy, kept.rival)):
        return replace(kept, rival=copy)
    return kept


def bare(fact: FactRow) -> FactRow:
    """Return a fact without what else came under its id."""
    return fact if fact.rival is None else replace(fact, rival=None)


def differing(one: FactRow, other: FactRow) -> list[str]:
    """Return what two copies do not say alike, by name; empty where one is a repeat of the other.

    When and by whom an event was taken is no content, nor where a side stood in its list, nor
    the last day of a document, which depends on the offset that the time was written with.
    """
    names = [
        name
        for name, a, b in (
            ("occurred_at", one.head.at, other.head.at),
            ("site", one.head.site, other.head.site),
            ("corrects", one.head.corrects, other.head.corrects),
            ("void", one.head.void, other.head.void),
        )
        if a != b
    ]
    for body in _BODIES:
        a, b = getattr(one, body), getattr(other, body)
        if a is not None and b is not None:
            fields = zip(a._fields, a, b, strict=True)
            names += [n for n, x, y in fields if x != y and n not in ("part_no", "expired")]
        elif a is not b:
            names.append(body)
    return names


def _precedes(fact: FactRow, other: FactRow) -> bool:
    """Copies that differ may have one place in order; any total order makes the outcome one."""
    if fact.order != other.order:
        return fact.order < other.order
    return repr(bare(fact)) < repr(bare(other))


def standing(facts: Sequence[FactRow]) -> tuple[list[FactRow], list[str], list[Finding]]:
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
    findings: list[Finding] = []
    for fact in facts:
        target = fact.head.corrects
        if target is None:
            statements.append(fact)
        elif target not in by_id:
            unseen.add(target)
            detail = f"{fact.head.event_id} corrects {target}, which was never seen"
            findings.append(Finding("correction_target_unseen", fact.head.event_id, detail))
            statements.append(fact)
        elif fact.head.void and by_id[target].head.void:
            detail = f"{fact.head.event_id} withdraws {target}, which itself withdraws"
            findings.append(Finding("void_of_void", fact.head.event_id, detail))
        else:
            corrections.setdefault(target, []).append(fact)
    for target, made in corrections.items():
        if len(made) > 1:
            detail = f"{target} has {len(made)} corrections; the one recorded last counts"
            findings.append(Finding("correction_conflict", target, detail))
    findings.extend(_redeclared(facts, corrections))
    findings.extend(_conflicts(facts, corrections))
    words = [_last_word(statement, corrections) for statement in statements]
    stand = [fact for fact in words if not fact.head.void]
    stand.sort(key=lambda fact: fact.order)
    return stand, sorted(unseen), findings


def _redeclared(facts: Sequence[FactRow], corrections: dict[str, list[FactRow]]) -> list[Finding]:
    """Find declarations of a lot that differ and do not correct each other: the last counts."""
    declared = [
        fact
        for fact in facts
        if fact.declared is not None
        and fact.head.corrects is None
        and fact.head.event_id not in corrections
    ]
    if len(declared) < 2 or all(f.declared == declared[0].declared for f in declared):
        return []
    detail = f"declared {len(declared)} times with different content; the last one counts"
    return [Finding("lot_redeclared", "declaration", detail)]


def _conflicts(
    facts: Sequence[FactRow], corrections: dict[str, list[FactRow]]
) -> Iterator[Finding]:
    """Find two events under one id for which no correction speaks."""
    rivals = [f for f in facts if f.rival is not None and f.head.event_id not in corrections]
    found = sorted(rivals, key=lambda fact: fact.head.event_id)
    for fact in found[:CONFLICTS_MAX]:
        assert fact.rival is not None
        detail = (
            f"two events have one id; the earlier counts, {_whose(fact)}; the later does not,"
            f" {_whose(fact.rival)}; they differ in {', '.join(differing(fact, fact.rival))}"
        )
        yield Finding("event_id_conflict", fact.head.event_id, detail)
    if len(found) > CONFLICTS_MAX:
        detail = (
            f"{len(found) - CONFLICTS_MAX} more ids have two events; the earlier of each counts"
        )
        yield Finding("event_id_conflict", "more", detail)


def _whose(fact: FactRow) -> str:
    """Say by which gateway an event came and of which site it speaks."""
    by = f"by gateway {fact.head.gateway}" if fact.head.gateway else "by a gateway not noted"
    return f"{by} of site {fact.head.site}"


def _last_word(fact: FactRow, corrections: dict[str, list[FactRow]]) -> FactRow:
    """Follow a statement's corrections to the one that is not corrected itself."""
    while made := corrections.get(fact.head.event_id):
        fact = max(made, key=lambda other: (other.head.known, other.head.event_id))
    return fact
