"""The views analysts ask, on the real engine: what stands, and that it stands there once."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from custody.events import LotFact, Micros
from custody.factset import standing
from custody.records import Transfer
from custody.rows import FactHead, FactRow
from runtime import rollups
from runtime.asof import Times
from tests.support.chains import Chain
from tests.support.facts import Maker, corrected, event_id
from tests.support.seeded import numbered
from tests.support.store import Store, opened
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory: Path = tmp_path_factory.mktemp("views")
    with opened(directory) as store:
        yield store


_FILLED: list[World] = []
"""What stands in the store, where it is that of ``filled``."""


@pytest.fixture
def empty(store: Store) -> Store:
    tables = store.ask(
        "SELECT name FROM system.tables WHERE database = 'custody'"
        " AND engine = 'MergeTree' AND name != 'schema_migrations'"
    )
    for table in tables:
        store.warehouse.command(f"TRUNCATE TABLE custody.{table['name']}")
    store.ends.clear()
    _FILLED.clear()
    return store


def drawn(seed: int) -> list[LotFact]:
    """Tickets that correct and withdraw each other at random, also in chains and in rings."""
    rnd, maker = Random(seed), Maker("L-1")
    facts: list[LotFact] = []
    names = [f"{seed}/{no}" for no in range(rnd.randint(1, 9))]
    for no, name in enumerate(names):
        target = rnd.choice(names) if no and rnd.random() < 0.7 else name
        ticket = maker.weighing("MINE", rnd.randrange(50), "stock", 45_000, 15_000)
        facts.append(
            replace(
                ticket,
                lot_id=f"L-{seed}",
                event_id=event_id(name),
                recorded_at=Micros(ticket.recorded_at + rnd.randrange(5)),
                corrects=None if target == name else event_id(target),
                void=target != name and rnd.random() < 0.3,
                gateway_seq=100 * seed + no + 1,
            )
        )
    return facts


def core_stands(facts: list[LotFact]) -> set[str]:
    rows = [
        FactRow(FactHead(f.event_id, f.occurred_at, f.recorded_at, f.site_id, f.corrects, f.void))
        for f in facts
    ]
    return {row.head.event_id for row in standing(rows)[0]}


def test_a_view_of_facts_has_what_stands_by_the_rule_of_the_books(empty: Store) -> None:
    lots = [drawn(seed) for seed in range(150)]
    empty.put_all([fact for facts in lots for fact in facts])
    for view in ("v_weighings", "v_events"):
        found: dict[object, list[object]] = {}
        for row in empty.ask(f"SELECT lot_id, event_id FROM {view}"):  # noqa: S608
            found.setdefault(row["lot_id"], []).append(row["event_id"])
        for seed, facts in enumerate(lots):
            ids = found.get(f"L-{seed}", [])
            assert sorted(map(str, ids)) == sorted(core_stands(facts)), (view, seed)
    every = [fact for facts in lots for fact in facts]
    assert any(fact.corrects for fact in every)
    assert sum(len(core_stands(facts)) for facts in lots) < len(every)


def test_a_mass_is_in_kilograms_to_the_gram(empty: Store) -> None:
    ticket = Maker("L-1").weighing("MINE", 10, "stock", 45_000, 15_000)
    exact = corrected(ticket, "to the gram", net_g=27_600_123, gateway_seq=2)
    empty.put_all([ticket, exact])
    [row] = empty.ask("SELECT net_kg, toTypeName(net_kg) AS type FROM v_weighings")
    assert row == {"net_kg": 27600.123, "type": "Decimal(18, 3)"}
    [row] = empty.ask("SELECT event_type, kind, mass_kg FROM v_events WHERE lot_id = 'L-1'")
    assert row == {"event_type": "weighing", "kind": "stock", "mass_kg": 27600.123}


@pytest.fixture
def filled(store: Store, request: pytest.FixtureRequest) -> tuple[Store, World]:
    """A chain of lots and processes, its books beside its facts; only read, so filled once."""
    if _FILLED:
        return store, _FILLED[0]
    empty: Store = request.getfixturevalue("empty")
    facts, world = numbered(Chain(Random(1)).draw().facts), World()
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    _FILLED.append(world)
    return empty, world


def test_a_sum_over_lots_adds_what_one_scale_does_to_them_straight(
    filled: tuple[Store, World],
) -> None:
    store, world = filled
    held = [b for b in world.balances.values() if b.lot_id and b.mass_wet_g]
    shared: dict[str, float] = defaultdict(float)
    for one in held:
        for part in one.mass_wet_u_systematic_g:
            shared[part.source] += part.u / 1e3
    random = [b.mass_wet_u_random_g / 1e3 for b in held]
    [row] = store.ask(
        "SELECT sum(amount_kg) AS kg, u_of_sum(u_random_kg, u_systematic_kg) AS u,"
        " sqrt(sum(u_kg * u_kg)) AS squares"
        " FROM v_lot_quantities WHERE quantity = 'wet' AND lot_id != ''"
    )
    assert row["kg"] == sum(b.mass_wet_g for b in held) / 1e3
    assert row["u"] == pytest.approx(math.hypot(*random, *shared.values()))
    shares = float(str(row["u"])) / float(str(row["squares"]))
    assert abs(shares - 1.0) > 0.03, "nothing was shared: no test"
    by_site = store.ask("SELECT site_id, lots, amount_kg, u_kg FROM v_stock WHERE quantity = 'wet'")
    asked = "SELECT site_id, lots, value, u FROM v_stock_at(at = {at:DateTime64(6, 'UTC')},"
    asked += " known_at = {known:DateTime64(6, 'UTC')}) WHERE quantity = 'wet'"
    then = store.rows(asked, Times(FAR, FAR).params())
    assert {r["site_id"]: (r["lots"], r["amount_kg"]) for r in by_site} == {
        r["site_id"]: (r["lots"], int(str(r["value"])) / 1e3) for r in then
    }
    u = {r["site_id"]: float(str(r["u"])) / 1e3 for r in then}
    assert {r["site_id"]: r["u_kg"] for r in by_site} == pytest.approx(u)


FAR = Micros(4_102_444_800_000_000)
"""2100."""
_BOTH = "at = {at:DateTime64(6, 'UTC')}, known_at = {known:DateTime64(6, 'UTC')}"
_KNOWN = "known_at = {known:DateTime64(6, 'UTC')}"
_PERIOD = "period_start = '2025-01-01 00:00:00', period_end = {at:DateTime64(6, 'UTC')}"
_AT = (
    f"SELECT * FROM v_stock_at({_BOTH}) ORDER BY ALL",  # noqa: S608  test's own
    f"SELECT * FROM v_lot_balance_at({_BOTH}) ORDER BY ALL",  # noqa: S608  test's own
    f"SELECT * FROM v_metal_balance({_PERIOD}, {_KNOWN}) ORDER BY ALL",  # noqa: S608  test's own
)


def test_an_answer_for_two_times_is_the_same_for_ever(empty: Store) -> None:
    facts, world = numbered(Chain(Random(11)).draw().facts), World()
    half = len(facts) // 2
    world.tell(*facts[:half])
    early = [*facts[:half], *world.outputs]
    times = Times(facts[half // 2].occurred_at, facts[half - 1].recorded_at).params()
    empty.put_all(early)
    before = [empty.rows(query, times) for query in _AT]
    assert all(before)
    # Later facts, and corrections of early ones.
    said = len(world.outputs)
    wrong = next(f for f in facts[:half] if getattr(f, "purpose", "") == "stock")
    late = corrected(wrong, "later", minutes=1e6, gateway_seq=len(facts) + 1, net_g=1_000_000)
    world.tell(*facts[half:], late)
    empty.put_all([*facts[half:], late, *world.outputs[said:]])
    assert before == [empty.rows(query, times) for query in _AT]
    # The same records stored anew, in other flushes and so in other parts.
    for table in ("transfer", "balance", "edge"):
        empty.warehouse.command(f"TRUNCATE TABLE custody.{table}")
    books = list(world.outputs)
    for first in range(0, len(books), 400):
        empty.put_all(books[first : first + 400])
    assert before == [empty.rows(query, times) for query in _AT]
    empty.warehouse.command("OPTIMIZE TABLE custody.balance FINAL")
    empty.warehouse.command("OPTIMIZE TABLE custody.transfer FINAL")
    assert before == [empty.rows(query, times) for query in _AT]


def test_production_by_day_is_the_sum_of_transfers(filled: tuple[Store, World]) -> None:
    store, world = filled
    mined: dict[str, int] = defaultdict(int)
    for one in world.transfers:
        if one.debit.startswith("origin/") and one.credit.startswith("lot/"):
            mined[one.credit.rpartition("/")[2]] += one.mass_dry_g
    assert by_flow(store, "mined") == {site: g / 1e3 for site, g in mined.items() if g}
    # Edges know what was handed over, also where an output was measured later.
    for flow, giver in (("consumed", "lot/"), ("produced", "process/")):
        edges = store.ask(
            "SELECT place, sum(mass_dry_g) / 1e3 AS kg FROM edge"  # noqa: S608  test's own
            f" WHERE startsWith(parent, '{giver}') GROUP BY place HAVING kg != 0"
        )
        assert by_flow(store, flow) == {str(r["place"]): r["kg"] for r in edges}, flow
    plan = store.ask("EXPLAIN SELECT * FROM v_daily_production")
    assert "arriving" in str(plan), "the projection is not used"
    assert "leaving" in str(plan), "the projection is not used"


def by_flow(store: Store, flow: str) -> dict[str, object]:
    rows = store.rows(
        "SELECT site_id, sum(mass_dry_kg) AS kg FROM v_daily_production"
        " WHERE flow = {flow:String} GROUP BY site_id HAVING kg != 0",
        {"flow": flow},
    )
    return {str(row["site_id"]): row["kg"] for row in rows}


def test_coverage_adds_up_and_is_as_traced_as_the_origins_say(
    filled: tuple[Store, World],
) -> None:
    store, world = filled
    rows = store.ask(
        "SELECT site_id, month, mineral, sum(share_fraction) AS whole, any(total_kg) AS kg"
        " FROM v_coverage GROUP BY ALL"
    )
    assert rows
    assert [row["whole"] for row in rows] == pytest.approx([1.0] * len(rows))
    assert any(one.debit.startswith("origin/") for one in world.transfers)
    assert known_to_a_site(store) == traced(world)


def test_coverage_is_of_what_is_known_now_whatever_came_first(empty: Store) -> None:
    """Origins that are known later than the mass: its postings keep what was known then."""
    facts = numbered(Chain(Random(3)).draw().facts)
    known, late = World(), World()
    known.tell(*facts)
    late.tell(*reversed(facts))
    empty.put_all([*facts, *late.outputs])
    assert known_to_a_site(empty) == traced(known)
    [row] = empty.ask(
        "SELECT min(share_fraction) AS least, max(share_fraction) AS most FROM v_coverage"
    )
    assert 0.0 <= float(str(row["least"])) <= float(str(row["most"])) <= 1.0


def known_to_a_site(store: Store) -> dict[str, object]:
    """By site, kilograms dry that came to it and are known to the mine."""
    found = store.ask(
        "SELECT site_id, sum(amount_kg) AS kg FROM v_coverage"
        " WHERE mineral = 'dry' AND tier = 'site' GROUP BY site_id"
    )
    return {str(row["site_id"]): row["kg"] for row in found}


def traced(world: World) -> dict[str, object]:
    """The same by the books: what came, by the origins its lot has now."""
    shares = {
        one.owner: sum(origin.share for origin in one.origins if origin.level == "site")
        for one in sorted(world.balances.values(), key=lambda one: one.n)
    }
    found: dict[str, float] = defaultdict(float)
    for one in world.transfers:
        place, sign = came_to(one)
        owner, _, _ = (one.credit if sign > 0 else one.debit).rpartition("/")
        found[place] += sign * shares.get(owner, 0.0) * one.mass_dry_g / 1e3
    return {place: pytest.approx(kg) for place, kg in found.items() if place and round(kg, 3)}


def came_to(one: Transfer) -> tuple[str, int]:
    """The site that a transfer brings something to, or takes off what came to it, and its sign."""
    (giver, *_, left), (taker, *_, place) = one.debit.split("/"), one.credit.split("/")
    again = taker == "process" and (one.replaces_kind or one.kind) == "measured"
    if giver == taker == "lot" and left == place:
        return "", 0
    if taker == "lot" and place != "transit" and giver not in {"loss", "conversion"}:
        return place, 1
    if giver == "lot" and left != "transit" and (again or taker == "unaccounted"):
        return left, -1
    return "", 0


def test_data_quality_counts_what_is_late_and_whose_instrument_nobody_knows(empty: Store) -> None:
    maker = Maker("L-1")
    ticket = maker.weighing("MINE", 10, "stock", 45_000, 15_000, device_id="WB-9")
    late = replace(ticket, event_id=event_id("late"), gateway_seq=2)
    late = replace(late, recorded_at=Micros(ticket.recorded_at + 2 * 86_400_000_000))
    empty.put_all([ticket, late, corrected(ticket, "less", gateway_seq=3)])
    found = {
        (str(row["measure"]), str(row["about"])): row["value"]
        for row in empty.ask("SELECT measure, about, value FROM v_data_quality")
    }
    assert found["facts", "MINE"] == 3
    assert found["late_facts", "MINE"] == 1
    assert found["corrections", "MINE"] == 1
    assert found["unknown_devices", "MINE"] == 1
    assert found["duplicates", "custody.fact.v1"] == 0
    assert found["gap", ticket.gateway_id] == 0


def test_rollups_are_held_against_their_base_and_made_anew(filled: tuple[Store, World]) -> None:
    store, _ = filled

    def ask(statement: str) -> list[dict[str, object]]:
        return store.ask(statement)

    assert {c.name: c.clean for c in rollups.check(ask)} == dict.fromkeys(rollups.ROLLUPS, True)
    assert all(c.examined for c in rollups.check(ask) if c.name != "repeated")
    for table in ("edge", "event", "correction"):
        [row] = store.ask(f"SELECT min(offset) AS first FROM {table}")  # noqa: S608
        gone = f"ALTER TABLE custody.{table} DELETE WHERE offset = {row['first']}"
        store.warehouse.command(f"{gone} SETTINGS mutations_sync = 2")
    wrong = {c.name: [v.detail for v in c.violations] for c in rollups.check(ask) if not c.clean}
    assert wrong == {name: ["is missing"] for name in ("edge", "event", "correction")}
    assert {c.name for c in rollups.lasting(ask) if not c.clean} == wrong.keys()
    looks: list[str] = []

    def under_way(statement: str) -> list[dict[str, object]]:
        """What a flush has not stored yet at the first look is there at the second."""
        if len(looks) == len(rollups.ROLLUPS) * 2 + len(wrong):
            rollups.rebuild(store.warehouse.command)
        looks.append(statement)
        return store.ask(statement)

    assert all(check.clean for check in rollups.lasting(under_way))
    assert all(check.clean for check in rollups.check(ask))
    assert "arriving" in str(store.ask("EXPLAIN SELECT * FROM v_daily_production"))
