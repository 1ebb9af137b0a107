"""One event that two gateways took: its two records, and the one row that views show of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from console.answers import Asked
from custody.events import ClaimMade, LotFact, Micros
from runtime import rollups
from runtime.told import lot_facts
from sinks import corrections, migrate, repeats
from tests.support.facts import T0, Maker
from tests.support.store import PARTITION, Store, opened

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MADE = Maker("L-1")
_ID = "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10"
FACTS: dict[str, LotFact] = {
    "v_lots": MADE.lot("MINE", 0, {"Cu": 0.1}),
    "v_weighings": MADE.weighing("MINE", 10, "dispatch", 45_000, 15_000),
    "v_assays": MADE.assay("MINE", 20, {"Cu": (0.1, None)}, (0.05, None)),
    "v_scans": MADE.shot("MINE", 30, {"Cu": 0.1}),
    "v_movements": MADE.move("dispatch", "MINE", 40, ("MINE", "PLANT")),
    "v_processing": MADE.side("MINE", 50, "output", "P-1"),
    "v_claims": ClaimMade(
        event_id=_ID, gateway_id="GW-1", gateway_epoch=1, gateway_seq=7, site_id="MINE",
        lot_id=None, occurred_at=Micros(T0), time_zone_offset_min=None, recorded_at=Micros(T0),
        corrects=None, void=False, source_ref=None, clock_skew_ms=None, claim_id="C-1",
        custody_model="mass_balance", characteristic="copper_mark", quantity_g=1, analyte=None,
        period=None, counterparty=None,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(tmp_path_factory.mktemp("repeated")) as store:
        yield store


@pytest.fixture
def empty(store: Store) -> Store:
    for row in store.ask(
        "SELECT name FROM system.tables WHERE database = 'custody'"
        " AND engine = 'MergeTree' AND name != 'schema_migrations'"
    ):
        store.warehouse.command(f"TRUNCATE TABLE custody.{row['name']}")
    store.ends.clear()
    store.writers.clear()
    return store


def elsewhere(fact: LotFact, seq: int, **more: object) -> LotFact:
    """The same event as another gateway took it, later and by its own clock."""
    own: dict[str, object] = {
        "gateway_id": "GW-2",
        "gateway_seq": seq,
        "recorded_at": Micros(fact.recorded_at + 86_400_000_000 * 40),
        "time_zone_offset_min": 120,
        "clock_skew_ms": 7,
    }
    return replace(fact, **(own | more))  # type: ignore[arg-type]  # names are those of the class


Stored = Callable[[Store, Sequence[LotFact], Sequence[LotFact]], None]


def _apart(store: Store, one: Sequence[LotFact], other: Sequence[LotFact]) -> None:
    store.put_all(one)
    store.put_all(other)


def _together(store: Store, one: Sequence[LotFact], other: Sequence[LotFact]) -> None:
    store.put_all([*one, *other])


def _turned(store: Store, one: Sequence[LotFact], other: Sequence[LotFact]) -> None:
    _apart(store, other, one)


@pytest.mark.parametrize("stored", [_apart, _together, _turned])
def test_an_event_through_two_gateways_is_one_row_of_every_view(
    empty: Store, stored: Stored
) -> None:
    stored(empty, list(FACTS.values()), [elsewhere(f, n) for n, f in enumerate(FACTS.values(), 1)])
    for view, fact in FACTS.items():
        rows = empty.ask(f"SELECT event_id FROM {view}")  # noqa: S608  names of this module
        assert rows == [{"event_id": fact.event_id}], view
    shown = empty.ask("SELECT event_id FROM v_events")
    assert sorted(str(row["event_id"]) for row in shown) == sorted(
        fact.event_id for fact in FACTS.values()
    )
    assert empty.ask("SELECT count() AS n FROM events_all") == [{"n": 2 * len(FACTS)}]


def test_the_history_of_a_lot_tells_it_once(empty: Store) -> None:
    ticket = FACTS["v_weighings"]
    _apart(empty, [ticket], [elsewhere(ticket, 1)])
    rows = lot_facts.told(empty.rows, Asked(subject="L-1")).rows
    assert [row["event_id"] for row in rows] == [ticket.event_id]


def test_verify_says_it_in_a_line_and_finds_no_fault(empty: Store) -> None:
    ticket = FACTS["v_weighings"]
    _apart(empty, [ticket], [elsewhere(ticket, 1)])
    check = empty.verify()["events"]
    assert (check.clean, check.examined) == (True, 1)
    assert "1 event came through two gateways and say" in check.note
    assert f"from GW-2; the first by id: custody trace {ticket.event_id}" in check.note


def test_another_content_under_one_id_has_both_rows_and_is_a_violation(empty: Store) -> None:
    ticket = FACTS["v_weighings"]
    other = elsewhere(ticket, 1, ticket_no="another")
    again = elsewhere(ticket, 1, gateway_id="GW-3", ticket_no="another")
    _apart(empty, [ticket], [other, again])
    rows = empty.ask("SELECT gateway_id FROM v_weighings ORDER BY gateway_id")
    assert [row["gateway_id"] for row in rows] == ["GW-1", "GW-2"]
    [(subject, detail)] = empty.wrong()["events"]
    assert subject == ticket.event_id
    assert detail.startswith("stands 2 times: lot L-1 under GW-1 1/2, lot L-1 under GW-2 1/1;")


@pytest.mark.parametrize("void", [False, True])
def test_a_correction_or_void_of_the_id_settles_other_content_under_it(
    empty: Store, *, void: bool
) -> None:
    ticket = MADE.weighing("MINE", 10, "dispatch", 45_000, 15_000)
    other = elsewhere(ticket, 1, ticket_no="another")
    word = replace(
        ticket, event_id="word", corrects=ticket.event_id, void=void, ticket_no="T", gateway_seq=90
    )
    _apart(empty, [ticket], [other])
    assert "events" in empty.wrong()
    _apart(empty, [word], [])
    assert empty.verify()["events"].clean
    shown = empty.ask("SELECT ticket_no FROM v_weighings")
    assert shown == ([] if void else [{"ticket_no": "T"}])


def test_an_outbox_that_was_restored_and_fed_again_counts_nothing_twice(empty: Store) -> None:
    ticket = FACTS["v_weighings"]
    _apart(empty, [ticket], [elsewhere(ticket, 1, gateway_id="GW-1", gateway_epoch=2)])
    assert empty.ask("SELECT count() AS n FROM v_weighings") == [{"n": 1}]


def test_a_correction_of_it_counts_once_and_for_both(empty: Store) -> None:
    ticket = FACTS["v_weighings"]
    right = replace(ticket, event_id="right", corrects=ticket.event_id, gateway_seq=90)
    _apart(empty, [ticket, right], [elsewhere(ticket, 1), elsewhere(right, 2)])
    assert empty.ask("SELECT event_id FROM v_weighings") == [{"event_id": "right"}]
    assert empty.verify()["events"].clean


def test_rows_of_before_the_migration_are_found_by_it_as_the_sink_finds_them(empty: Store) -> None:
    again = [elsewhere(fact, no) for no, fact in enumerate(FACTS.values(), 1)]
    _apart(empty, list(FACTS.values()), again)
    found = "SELECT * FROM repeated ORDER BY offset"
    by_sink = empty.ask(found)
    assert len(by_sink) == len(FACTS)
    empty.warehouse.command("TRUNCATE TABLE custody.repeated")
    [migration] = [m for m in migrate.load() if m.name == "repeated"]
    for _ in range(2):
        for statement in migration.statements:
            empty.warehouse.command(statement)
        assert empty.ask(found) == by_sink


def test_what_says_the_same_is_hashed_alike_by_the_migration_and_by_the_sink() -> None:
    [migration] = [m for m in migrate.load() if m.name == "repeated"]
    [filled] = [s for s in migration.statements if s.startswith("INSERT")]
    plain = " ".join(filled.split())
    assert [stem for stem in corrections.STEMS if repeats.said(stem) not in plain] == []


def test_a_row_that_hides_a_fact_is_found_by_the_check_of_what_is_made(empty: Store) -> None:
    ticket = FACTS["v_weighings"]
    _apart(empty, [ticket], [elsewhere(ticket, 1)])
    assert all(check.clean for check in rollups.check(empty.ask))
    empty.warehouse.command(
        f"INSERT INTO custody.repeated SELECT topic, partition, 0, key, stem, lot_id, event_id,"  # noqa: S608
        f" gateway_id FROM custody.repeated WHERE partition = {PARTITION}"
    )
    [check] = [c for c in rollups.check(empty.ask) if not c.clean]
    assert (check.name, [v.detail for v in check.violations]) == ("repeated", ["is too much"])
