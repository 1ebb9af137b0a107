"""Several histories side by side: each under names of its own, so that none touches another."""

from collections.abc import Sequence
from dataclasses import replace

from custody.events import LotFact, ReferenceSet
from tests.support.chains import LEVELS, STOCKPILE
from tests.support.circuits import CIRCUIT
from tests.support.facts import event_id

NAMES = ("lot_id", "process_id", "output_lot_id", "movement_id", "vehicle_id", "certificate_no")
LISTS = ("seals", "tags")


def renamed(facts: Sequence[LotFact], prefix: str) -> list[LotFact]:
    """Return a history whose lots, processes, shared things and events have names of their own.

    Args:
        facts: The history.
        prefix: Stands before each name of a lot, process or movement.
    """
    return [
        replace(fact, **_ids(fact, prefix), **_prefixed(fact, NAMES, prefix), **_all(fact, prefix))  # type: ignore[arg-type]
        for fact in facts
    ]


def renamed_references(records: Sequence[ReferenceSet], prefix: str) -> list[ReferenceSet]:
    """Return the records of single processes, under the names ``renamed`` gives them."""
    single = {process for process, _ in LEVELS} | {STOCKPILE, CIRCUIT}
    return [
        replace(one, id=prefix + one.id, **_ids(one, prefix))  # type: ignore[arg-type]
        for one in records
        if one.kind == "process" and one.id in single
    ]


def _ids(record: LotFact | ReferenceSet, prefix: str) -> dict[str, str]:
    names = ("event_id", "corrects")
    return {name: event_id(full) for name, full in _prefixed(record, names, prefix).items()}


def _all(fact: LotFact, prefix: str) -> dict[str, tuple[str, ...]]:
    said = {name: getattr(fact, name, ()) for name in LISTS}
    return {name: tuple(prefix + one for one in ones) for name, ones in said.items() if ones}


def _prefixed(record: LotFact | ReferenceSet, names: Sequence[str], prefix: str) -> dict[str, str]:
    said = {name: getattr(record, name, None) for name in names}
    return {name: prefix + value for name, value in said.items() if value}
