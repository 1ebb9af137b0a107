"""The set of an owner's facts: what is new, what comes last, what a correction leaves standing.

Two rules make the order of arrival not matter. A fact is the same fact when its event_id is the
same, and of two copies the one that is earlier in canonical order stands. A correction speaks for
its target wherever the target stands; of several, the greatest (recorded_at, event_id) speaks.
"""

from collections.abc import Iterable, Sequence

from custody.rows import FactHead, FactRow, Finding


def unnamed(fact: FactRow) -> FactRow:
    """Return a fact without its id, which its key already has."""
    return named(fact, "")


def named(fact: FactRow, event_id: str) -> FactRow:
    """Return a fact with an id, as a stored one gets its own back."""
    return FactRow(
        FactHead(event_id, *fact.head[1:]),
        fact.weighed,
        fact.assayed,
        fact.scanned,
        fact.moved,
        fact.side,
        fact.declared,
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
        elif _precedes(fact, facts[number]):
            changed.append(number)
            facts[number] = fact
    return facts, changed


def _precedes(fact: FactRow, other: FactRow) -> bool:
    """Copies that differ are a fault of a sender; any total order makes the outcome one."""
    if fact.order != other.order:
        return fact.order < other.order
    return fact != other and repr(fact) < repr(other)


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


def _last_word(fact: FactRow, corrections: dict[str, list[FactRow]]) -> FactRow:
    """Follow a statement's corrections to the one that is not corrected itself."""
    while made := corrections.get(fact.head.event_id):
        fact = max(made, key=lambda other: (other.head.known, other.head.event_id))
    return fact
