"""Asks the warehouse what stands for each lot and process of a lineage, at an instant.

Of a movement those facts are taken that state its ends: two ends with two facts are two witnesses.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from custody.coverage import LotEvidence, Movement, ProcessEvidence
from custody.genealogy import LOT, PROCESS
from runtime.ancestry import UNKNOWN, Carried, split
from runtime.lineage import Ask, Moment, chunks, listed, until
from runtime.process_kinds import kinds_of
from runtime.trips import trips_of

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
    trips = trips_of(ask, lots, moment)
    for names in chunks(lots):
        for row in ask(_words(names, moment), moment._asdict()):
            said[str(row["lot"])].add(str(row["word"]))
    kinds = kinds_of(ask, processes, moment)
    ended = {process for process, kind in kinds.items() if kind.continuous}
    for names in chunks(processes):
        ended |= {str(row["process"]) for row in ask(_closes(names), moment._asdict())}
    closed = {PROCESS + process: ProcessEvidence(process in ended) for process in processes}
    return {
        LOT + lot: _lot(said[lot], trips.get(lot, ()), carried.get(lot)) for lot in lots
    }, closed


def _lot(said: set[str], trips: Sequence[Movement], carried: Carried | None) -> LotEvidence:
    origins = {} if carried is None else carried.origins
    return LotEvidence(
        origin_known=sum(share for name, share in origins.items() if name != UNKNOWN),
        weighed="weighing" in said,
        assayed="assay" in said,
        custodian="custodian" in said,
        movements=tuple(sorted(trips, key=lambda trip: trip.id)),
    )


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
