"""Whether a run ended as it had to: by what the plants were answered, and by the second model."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from custody.events import LotFact, Micros, ReferenceSet
from custody.records import Alert, Balance, Content, Transfer
from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Accepted
from schemas import topics
from schemas.codec import FRAME_BYTES, schema_id_of
from schemas.routes import ROUTES, Record
from sinks import corrections, events
from tests.support import agreement
from tests.support.differences import difference
from tests.support.oracle.books import Oracle
from tests.support.sim.run import Run
from tests.support.sim.sites import Plant
from tests.support.sim.warehouse import SEALS, Row
from tests.support.standing import Books, perfect

GIVEN = {route.table for route in ROUTES if route.topic in (topics.FACT, topics.CONTROL)}
"""Tables of what plants send."""

Name = tuple[str, int | None]


def faults(run: Run) -> Iterator[str]:
    """Yield what is wrong; a run that ended well gives nothing."""
    given = list(_given(run))
    yield from _unlike_answers(run, [name for name, _ in given])
    yield from _unlike_requests(run, dict(given))
    yield from _holes([record for _, record in given])
    yield from _unaccounted(run)
    yield from _doubled(run)
    yield from _unlike_edges(run)
    yield from _unlike_corrections(run)
    yield from _unlike_events(run)
    yield from _unlike_books(run, [record for _, record in given])


def _given(run: Run) -> Iterator[tuple[Name, Any]]:
    for table in sorted(str(name) for name in GIVEN):
        for row in run.tables.of(table):
            record: Any = _record(run, row)
            partition = record.partition if isinstance(record, ReferenceSet) else None
            yield (record.event_id, partition), record


def _record(run: Run, row: Row) -> Record:
    writer = run.catalog.writer(schema_id_of(row["value"]))
    assert writer is not None
    return writer.read(row["value"], FRAME_BYTES)


def _taken(plant: Plant) -> Iterator[int]:
    return (place for place, answer in plant.answers.items() if answer.code is None)


def _unlike_answers(run: Run, rows: Sequence[Name]) -> Iterator[str]:
    """Each record of a request that was taken is one row; of no other there is any."""
    expected = {
        name for plant in run.plants for place in _taken(plant) for name in plant.asked[place].ids
    }
    found = Counter(rows)
    for name in sorted(expected - found.keys(), key=str):
        yield f"accepted, and no row: {name}"
    for name in sorted(found.keys() - expected, key=str):
        yield f"a row, and never accepted: {name}"
    for name, count in found.items():
        if count > 1:
            yield f"{count} rows: {name}"


def _unlike_requests(run: Run, given: Mapping[Name, Any]) -> Iterator[str]:
    """Each row says what was asked."""
    for plant in run.plants:
        gateway = plant.site.gateway_id
        terms = Terms(gateway=(gateway, 1), partitions=run.partitions, known=Known())
        for place in _taken(plant):
            outcome = accept(plant.asked[place].body, Micros(run.world.wall()), terms)
            assert isinstance(outcome, Accepted), outcome
            for name, draft in zip(plant.asked[place].ids, outcome.drafts, strict=True):
                found = given.get(name)
                if found is None:
                    continue
                own = {
                    n: getattr(found, n) for n in ("recorded_at", "gateway_seq", "gateway_epoch")
                }
                if replace(draft.record, **own) != found:
                    yield f"{found} is not what was asked: {draft.record}"


def _holes(records: Sequence[Any]) -> Iterator[str]:
    """The numbers of a gateway have no hole, and its times are in their order."""
    by_chain: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for record in records:
        by_chain[record.gateway_id, record.gateway_epoch].append(record)
    for chain, mine in sorted(by_chain.items()):
        mine.sort(key=lambda record: record.gateway_seq)
        if [record.gateway_seq for record in mine] != list(range(1, len(mine) + 1)):
            yield f"numbers of {chain}: {[record.gateway_seq for record in mine]}"
        times = [record.recorded_at for record in mine]
        if times != sorted(times):
            yield f"times of {chain} go backwards"


def _unaccounted(run: Run) -> Iterator[str]:
    """Each record is a row, a duplicate, a dead letter or not stored; all are sealed, once."""
    seals: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in run.tables.of(SEALS):
        seals[row["topic"], row["partition"]].append(row)
    for place, mine in sorted(seals.items()):
        mine.sort(key=lambda row: row["first"])
        at = 0
        for row in mine:
            told = sum(row[n] for n in ("rows", "duplicates", "dead_letters", "not_stored"))
            if row["first"] != at or told != row["last"] + 1 - at:
                yield f"sealed from {row['first']} to {row['last']} with {told} in {place}"
            at = row["last"] + 1
        if at != len(run.broker.log(place)):
            yield f"sealed up to {at} of {len(run.broker.log(place))} in {place}"
    if len(run.tables.of("dead_letter")) != run.poison:
        yield f"{len(run.tables.of('dead_letter'))} dead letters of {run.poison}"


def _doubled(run: Run) -> Iterator[str]:
    """No record stands twice in a table."""
    for table, rows in sorted(run.tables.rows.items()):
        if table == SEALS:
            continue
        places = Counter((row["topic"], row["partition"], row["offset"]) for row in rows)
        for place, count in places.items():
            if count > 1:
                yield f"{place} stands {count} times in {table}"


def _unlike_edges(run: Run) -> Iterator[str]:
    """Each transfer between a lot and a process has its edge."""
    expected = {
        (row["partition"], row["offset"])
        for row in run.tables.of("transfer")
        if {row["debit"].partition("/")[0], row["credit"].partition("/")[0]} == {"lot", "process"}
    }
    found = {(row["partition"], row["offset"]) for row in run.tables.of("edge")}
    if found != expected:
        yield f"edges {sorted(found ^ expected)}"


def _unlike_corrections(run: Run) -> Iterator[str]:
    """Each fact that corrects another has its row among the corrections."""
    expected = {
        (row["partition"], row["offset"], row["event_id"])
        for stem in corrections.STEMS
        for row in run.tables.of(stem)
        if row["corrects"] is not None
    }
    found = {
        (row["partition"], row["offset"], row["event_id"])
        for row in run.tables.of(corrections.TABLE)
    }
    if found != expected:
        yield f"corrections {sorted(found ^ expected)}"


def _unlike_events(run: Run) -> Iterator[str]:
    """Each fact has its narrow row, once."""
    expected, found = (
        Counter(
            (row["partition"], row["offset"], row["event_id"])
            for table in tables
            for row in run.tables.of(table)
        )
        for tables in (corrections.STEMS, (events.TABLE,))
    )
    if found != expected:
        yield f"events {sorted((found - expected) + (expected - found))}"


def _said(run: Run, table: str) -> list[Any]:
    """Return what workers said, as the rows have it, in order of each partition."""
    rows = sorted(run.tables.of(table), key=lambda row: (row["partition"], row["offset"]))
    records: list[Any] = [_record(run, row) for row in rows]
    last: dict[tuple[int, str], int] = {}
    for row, record in zip(rows, records, strict=True):
        sender = row["partition"], record.sender
        assert record.n > last.get(sender, 0), f"{table}: {record.sender} said {record.n} twice"
        last[sender] = record.n
    return records


def _unlike_books(run: Run, given: Sequence[Any]) -> Iterator[str]:
    transfers: list[Transfer] = _said(run, "transfer")
    balances: list[Balance] = _said(run, "balance")
    alerts: list[Alert] = _said(run, "alert")
    contents: list[Content] = _said(run, "content")
    said = agreement.Said(transfers, {b.account: b for b in balances}, alerts, contents)
    facts: list[LotFact] = [r for r in given if not isinstance(r, ReferenceSet)]
    references = [r for r in given if isinstance(r, ReferenceSet) and r.partition == 0]
    references.sort(key=lambda record: record.recorded_at)
    found, expected = Books(said), perfect(facts, references)
    if unlike := difference(found.sums, expected.sums, facts):
        yield f"not as in perfect order: {unlike}"
    for what in ("balances", "alerts", "handed"):
        if getattr(found, what) != getattr(expected, what):
            yield f"{what} are not those of perfect order"
    oracle = Oracle(facts, references)
    if unlike := agreement.unlike(oracle, said, facts, run.day.rules):
        yield f"not as the rules say: {unlike}"
