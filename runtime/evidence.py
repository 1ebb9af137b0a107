"""Asks the warehouse what stands for each lot and process of a lineage, at an instant.

Movements are taken from transfers, for the worker has paired what papers leave unpaired, and from
shipments, which say of a trip that no scale has seen. A transfer's cause is the fact it rests on,
so two ends with two causes are two witnesses.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from custody.coverage import LotEvidence, Movement, ProcessEvidence
from custody.genealogy import LOT, PROCESS
from runtime.ancestry import UNKNOWN, Carried, split
from runtime.lineage import Ask, Moment, chunks, listed, until
from runtime.process_kinds import kinds_of

_STANDING = """
    occurred_at <= {at:DateTime64(6, 'UTC')} AND recorded_at <= {known:DateTime64(6, 'UTC')}
    AND NOT void
"""


def of_nodes(
    ask: Ask, nodes: Iterable[str], carried: Mapping[str, Carried], moment: Moment
) -> tuple[dict[str, LotEvidence], dict[str, ProcessEvidence]]:
    """Return what is known of lots and processes, by owner path; blocks.

    Args:
        ask: Runs SQL.
        nodes: Owner paths.
        carried: Shares by lot id.
        moment: When, and as known when.
    """
    lots, processes = split(nodes)
    said: dict[str, set[str]] = defaultdict(set)
    trips: dict[str, list[Movement]] = defaultdict(list)
    for names in chunks(lots):
        for row in ask(_words(names, moment), moment._asdict()):
            said[str(row["lot"])].add(str(row["word"]))
        for row in ask(_movements(names, moment), moment._asdict()):
            trips[str(row["lot"])].append(
                Movement(str(row["movement"]), _ids(row["left"]), _ids(row["arrived"]))
            )
    kinds = kinds_of(ask, processes, moment)
    ended = {process for process, kind in kinds.items() if kind.continuous}
    for names in chunks(processes):
        ended |= {str(row["process"]) for row in ask(_closes(names), moment._asdict())}
    closed = {PROCESS + process: ProcessEvidence(process in ended) for process in processes}
    return {LOT + lot: _lot(said[lot], trips[lot], carried.get(lot)) for lot in lots}, closed


def _lot(said: set[str], trips: Sequence[Movement], carried: Carried | None) -> LotEvidence:
    origins = {} if carried is None else carried.origins
    return LotEvidence(
        origin_known=sum(share for name, share in origins.items() if name != UNKNOWN),
        weighed="weighing" in said,
        assayed="assay" in said,
        custodian="custodian" in said,
        movements=tuple(sorted(trips, key=lambda trip: trip.id)),
    )


def _ids(cell: object) -> frozenset[str]:
    return frozenset(cast("list[str]", cell))


def _facts(table: str, columns: str, more: str = "1") -> str:
    """Return the statement for facts of the lots ``ids`` that nothing has replaced."""
    return (
        f"SELECT {columns} FROM {table} WHERE lot_id IN ids AND {more} AND {_STANDING}"  # noqa: S608
        f" AND event_id NOT IN (SELECT assumeNotNull(corrects) FROM {table} WHERE lot_id IN ids"
        " AND corrects IS NOT NULL AND recorded_at <= {known:DateTime64(6, 'UTC')})"
    )


def _words(lots: Sequence[str], moment: Moment) -> str:
    """Return the statement for what sort of facts there is of each lot."""
    custodian = "notEmpty(ifNull(custodian, ''))"
    held = "kind IN ('receipt', 'handover') AND notEmpty(ifNull(counterparty, ''))"
    questions = (
        _facts("weighing", "lot_id AS lot, 'weighing' AS word"),
        _facts("assay", "lot_id, 'assay'"),
        _facts("lot", "lot_id, 'custodian'", custodian),
        _facts("shipment", "lot_id, 'custodian'", held),
        _measured(moment),
    )
    return f"WITH {listed(lots)} AS ids SELECT DISTINCT lot, word FROM ({_all(questions)})"  # noqa: S608


def _measured(moment: Moment) -> str:
    return (
        "SELECT lot_id, 'weighing' FROM edge"  # noqa: S608
        " WHERE child IN arrayMap(x -> concat('lot/', x), ids)"
        f" AND kind = 'measured'{until(moment)}"
    )


def _movements(lots: Sequence[str], moment: Moment) -> str:
    """Return the statement for the ends of each lot's trips, and the facts that speak for them."""
    posted = (
        "SELECT lot_id AS lot, ifNull(movement_id, '') AS movement,"  # noqa: S608
        " ifNull(replaces_kind, kind) AS what, ifNull(replaces_event_id, cause_event_id) AS cause"
        f" FROM transfer WHERE lot_id IN ids AND what IN ('dispatch', 'receipt'){until(moment)}"
        " GROUP BY lot, movement, what, cause HAVING sum(mass_wet_g) != 0"
    )
    papers = _facts(
        "shipment",
        "lot_id, ifNull(movement_id, ''), kind, event_id",
        "kind IN ('dispatch', 'receipt')",
    )
    return (
        f"WITH {listed(lots)} AS ids SELECT lot, movement,"  # noqa: S608
        " groupUniqArrayIf(cause, what = 'dispatch') AS left,"
        " groupUniqArrayIf(cause, what = 'receipt') AS arrived"
        f" FROM ({posted} UNION ALL {papers}) GROUP BY lot, movement"
    )


def _closes(processes: Sequence[str]) -> str:
    """Return the statement for the processes of which a close stands."""
    return (
        f"WITH {listed(processes)} AS ids SELECT DISTINCT process_id AS process"  # noqa: S608
        f" FROM processing WHERE process_id IN ids AND part = 'close' AND {_STANDING}"
        " AND event_id NOT IN (SELECT assumeNotNull(corrects) FROM processing"
        " WHERE process_id IN ids AND corrects IS NOT NULL"
        " AND recorded_at <= {known:DateTime64(6, 'UTC')})"
    )


def _all(questions: Sequence[str]) -> str:
    return " UNION ALL ".join(questions)
