"""Asks the warehouse what stands for each lot and process of a lineage, at an instant.

Of a movement those facts are taken that state its ends: two ends with two facts are two witnesses.
Of an origin the declarations that stand and the receipts that name it, by the sites that made them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from custody.coverage import (
    Evidence,
    LotEvidence,
    Movement,
    ProcessEvidence,
    Use,
    on_the_way,
    origin_split,
)
from custody.events import Micros
from custody.genealogy import LOT, PROCESS
from runtime.ancestry import UNKNOWN, Carried, split
from runtime.lineage import Ask, Moment, chunks, listed, until, whole
from runtime.process_kinds import kinds_of
from runtime.trips import trips_of

Shares = dict[str, float]

_STANDING = """
    occurred_at <= {at:DateTime64(6, 'UTC')} AND recorded_at <= {known:DateTime64(6, 'UTC')}
    AND NOT void
"""


def of_nodes(
    ask: Ask, nodes: Sequence[str], carried: Mapping[str, Carried], moment: Moment
) -> tuple[dict[str, LotEvidence], dict[str, ProcessEvidence]]:
    """Return what is known of lots and processes, by owner path; blocks.

    Args:
        ask: Runs SQL.
        nodes: Owner paths, that of the lot asked for first: all its movements count, of the others
            those on the way.
        carried: Shares by lot id.
        moment: When, and as known when.
    """
    lots, processes = split(nodes)
    said: dict[str, set[str]] = defaultdict(set)
    weighed: dict[str, Shares] = defaultdict(dict)
    declared: dict[str, dict[str, Shares]] = defaultdict(lambda: defaultdict(dict))
    trips = _movements(ask, nodes, moment)
    for names in chunks(lots):
        for row in ask(_words(names, moment), moment._asdict()):
            said[str(row["lot"])].add(str(row["word"]))
        for row in ask(_first_weighed(names, moment), moment._asdict()):
            weighed[str(row["lot"])][str(row["place"])] = max(0.0, float(whole(row["dry"])))
        for row in ask(_declared(names), moment._asdict()):
            by_site = declared[str(row["lot"])][str(row["origin"])]
            site = str(row["site"])
            by_site[site] = by_site.get(site, 0.0) + float(str(row["share"]))
    kinds = kinds_of(ask, processes, moment)
    ended = {process for process, kind in kinds.items() if kind.continuous}
    for names in chunks(processes):
        ended |= {str(row["process"]) for row in ask(_closes(names), moment._asdict())}
    closed = {PROCESS + process: ProcessEvidence(process in ended) for process in processes}
    evidence: dict[str, LotEvidence] = {}
    for lot in lots:
        named = _named(carried.get(lot))
        moved = trips.get(lot, ())
        second = {origin: _second(origin, declared[lot][origin], moved) for origin in named}
        origins = origin_split(named, _fractions(weighed[lot]), second)
        evidence[LOT + lot] = _lot(said[lot], moved, origins)
    return evidence, closed


def _movements(ask: Ask, nodes: Sequence[str], moment: Moment) -> dict[str, tuple[Movement, ...]]:
    """Return the movements of lots that count, by lot id; blocks."""
    lots, processes = split(nodes)
    passed = set(processes)
    uses: dict[str, list[Use]] = defaultdict(list)
    for names in chunks(lots):
        for row in ask(_used(names, moment), moment._asdict()):
            if str(row["process"]) in passed:
                use = Use(str(row["place"]), Micros(whole(row["at"])))
                uses[str(row["lot"])].append(use)
    first = nodes[0].removeprefix(LOT)
    return {
        lot: trips if lot == first else on_the_way(trips, uses[lot])
        for lot, trips in trips_of(ask, lots, moment).items()
    }


def _named(carried: Carried | None) -> dict[str, float]:
    origins = {} if carried is None else carried.origins
    return {name: share for name, share in origins.items() if name != UNKNOWN}


def _fractions(amounts: Shares) -> Shares:
    every = sum(amounts.values())
    return {name: amount / every for name, amount in amounts.items()} if every else {}


def _second(origin: str, declared: Shares, trips: Sequence[Movement]) -> float:
    """Return the share of an origin that a second site has said: the second largest of all.

    Receipts speak where every load that left the origin has one, of those on the way: otherwise
    nobody can tell which part of the lot they are of.
    """
    words = dict(declared)
    witnesses = [trip.witness for trip in trips if trip.start == origin]
    if None not in witnesses:
        words |= {site: 1.0 for site in witnesses if site is not None}
    ranked = sorted(words.values(), reverse=True)
    return ranked[1] if len(ranked) > 1 else 0.0


def _lot(
    said: set[str], trips: Sequence[Movement], origins: Mapping[Evidence, float]
) -> LotEvidence:
    return LotEvidence(
        origins=origins,
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


def _declared(lots: Sequence[str]) -> str:
    """Return the statement for what each site says of the origins of lots; its last word counts."""
    columns = "lot_id AS lot, site_id AS site, occurred_at AS at, recorded_at AS known, event_id"
    columns += ", declared_origins.id AS ids_said, declared_origins.share AS shares_said"
    newest = "argMax(tuple(ids_said, shares_said), tuple(at, known, event_id))"
    return (
        f"WITH {listed(lots)} AS ids SELECT lot, site, word.1 AS origin, word.2 AS share FROM ("  # noqa: S608
        f"SELECT lot, site, {newest} AS said FROM ({_facts('lot', columns)}) GROUP BY lot, site"
        ") ARRAY JOIN arrayZip(said.1, said.2) AS word WHERE notEmpty(origin)"
    )


def _first_weighed(lots: Sequence[str], moment: Moment) -> str:
    """Return the statement for the dry mass that came into the books of lots, by where it lay."""
    place = "decodeURLComponent(extract(credit, '[^/]*$'))"
    return (
        f"SELECT lot_id AS lot, {place} AS place, sum(mass_dry_g) AS dry FROM transfer"  # noqa: S608
        f" WHERE lot_id IN {listed(lots)} AND match(debit, '^(origin|outside)/')"
        f" AND startsWith(credit, 'lot/'){until(moment)} GROUP BY lot, place"
    )


def _measured(moment: Moment) -> str:
    return (
        "SELECT lot_id, 'weighing' FROM edge"  # noqa: S608
        " WHERE child IN arrayMap(x -> concat('lot/', x), ids)"
        f" AND kind = 'measured'{until(moment)}"
    )


def _used(lots: Sequence[str], moment: Moment) -> str:
    """Return the statement for where and when lots last went into each process."""
    return (
        f"SELECT lot_id AS lot, place, process_id AS process,"  # noqa: S608
        " toUnixTimestamp64Micro(max(at)) AS at FROM ("
        "SELECT lot_id, place, process_id, effective_at AS at FROM edge"
        f" WHERE parent IN arrayMap(x -> concat('lot/', x), {listed(lots)}){until(moment)}"
        " GROUP BY lot_id, place, process_id, at"
        " HAVING sum(mass_wet_g) != 0 OR sum(mass_dry_g) != 0) GROUP BY lot_id, place, process_id"
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
