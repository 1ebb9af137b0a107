"""Balances as of any time on the real engine, over a chain of lots and processes."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from console import lot_status
from console.gateway_rows import GATEWAYS
from custody.detect.totals import speaking
from custody.events import LotFact, Micros, ReferenceSet
from custody.heads import Head
from custody.records import AttributeAmount, Share, Transfer
from runtime import asof, reference_plan, totals
from runtime.asof import Times
from runtime.cli import complete_to, connect
from runtime.cli.main import FOUND, cli
from runtime.complete import Complete, complete, earliest
from runtime.moment import Period, sql_time, time_of
from runtime.period import FLOWS, sigma, site_balance, z_of
from runtime.rests import WET
from runtime.unaccounted import Unaccounted
from tests.support.alerts import alert
from tests.support.asof import Sums, sums
from tests.support.chains import Chain
from tests.support.facts import Maker, corrected, event_id
from tests.support.plant import reference
from tests.support.seeded import numbered
from tests.support.store import PARTITION, Store, opened
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FAR = time_of("2100-01-01", "")
SITES = ("MINE", "PLANT", "MILL", "SMELTER")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


@pytest.fixture
def filled(empty: Store) -> tuple[Store, World, list[LotFact]]:
    facts, world = numbered(Chain(Random(1)).draw().facts), World()
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    return empty, world, facts


def by_view(store: Store, at: int, known: int) -> Sums:
    view = """
        SELECT account, quantity, value FROM v_lot_balance_at(
            at = {at:DateTime64(6, 'UTC')}, known_at = {known:DateTime64(6, 'UTC')})
        WHERE value != 0
    """
    rows = store.rows(view, Times(Micros(at), Micros(known)).params())
    return {(str(r["account"]), str(r["quantity"])): int(str(r["value"])) for r in rows}


def of_owners(found: Sums) -> Sums:
    return {key: value for key, value in found.items() if key[0].startswith(("lot/", "process/"))}


def test_the_view_is_the_sum_of_transfers_at_any_two_times_and_later_facts_change_nothing(
    empty: Store,
) -> None:
    facts, world = numbered(Chain(Random(11)).draw().facts), World()
    half = len(facts) // 2
    world.tell(*facts[:half])
    first = list(world.outputs)
    empty.put_all(first)
    known = facts[half - 1].recorded_at
    times = [facts[i].occurred_at for i in range(0, len(facts), 7)]
    before = {at: by_view(empty, at, known) for at in times}
    assert any(before.values())
    assert before == {at: of_owners(sums(world.transfers, at, known)) for at in times}
    world.tell(*facts[half:])
    empty.put_all(world.outputs[len(first) :])
    assert before == {at: by_view(empty, at, known) for at in times}
    assert by_view(empty, FAR, FAR) == of_owners(sums(world.transfers, FAR, FAR))
    assert by_view(empty, FAR, FAR) != before[times[-1]]


def test_what_is_held_now_has_the_uncertainty_of_the_latest_balance(
    filled: tuple[Store, World, list[LotFact]],
) -> None:
    store, world, _ = filled
    held = [b for b in world.balances.values() if b.lot_id and b.mass_wet_g]
    assert held
    for record in held:
        found = asof.of_lot(store.rows, str(record.lot_id), Times(FAR, FAR))
        [wet] = [h for h in found if h.place == record.place and h.quantity == WET]
        assert wet.value == record.mass_wet_g
        assert wet.u is not None
        assert wet.u_standing == "then"
        assert wet.u.random == pytest.approx(record.mass_wet_u_random_g)
        assert {p.source: p.u for p in wet.u.parts} == pytest.approx(
            {p.source: p.u for p in record.mass_wet_u_systematic_g}
        )


def test_a_stock_adds_what_a_scale_does_to_all_its_lots_straight(
    filled: tuple[Store, World, list[LotFact]],
) -> None:
    store, world, _ = filled
    times = {"at": sql_time(FAR), "known": sql_time(FAR)}
    rows = store.rows(
        "SELECT * FROM v_stock_at(at = {at:DateTime64(6, 'UTC')},"
        " known_at = {known:DateTime64(6, 'UTC')}) WHERE quantity = 'wet'",
        times,
    )
    for row in rows:
        held = [b for b in world.balances.values() if b.place == row["site_id"] and b.mass_wet_g]
        shared: dict[str, float] = {}
        for one in held:
            for part in one.mass_wet_u_systematic_g:
                shared[part.source] = shared.get(part.source, 0.0) + part.u
        expected = math.hypot(*(b.mass_wet_u_random_g for b in held), *shared.values())
        counted = row["lots"], row["processes"]
        assert counted == (sum(bool(b.lot_id) for b in held), sum(not b.lot_id for b in held))
        assert row["value"] == sum(b.mass_wet_g for b in held)
        assert row["u"] == pytest.approx(expected)
    assert {str(row["site_id"]) for row in rows} >= {"SMELTER"}


def test_a_period_adds_up_and_ends_where_the_next_begins(
    filled: tuple[Store, World, list[LotFact]],
) -> None:
    store, _, facts = filled
    middle = Micros(sorted(fact.occurred_at for fact in facts)[len(facts) // 2])
    moved = 0
    for site in SITES:
        first, _ = site_balance(store.rows, site, Period(Micros(0), middle), FAR)
        second, _ = site_balance(store.rows, site, Period(middle, FAR), FAR)
        closing = {a.quantity: a.closing.value for a in first if a.closing.value}
        assert {a.quantity: a.opening.value for a in second if a.opening.value} == closing
        for account in [*first, *second]:
            flows = sum(account.flows[name] for name in FLOWS)
            assert account.opening.value + flows == account.closing.value
            assert account.flows["other"] == 0
            moved += 1
    assert moved > len(SITES)


def test_a_theft_on_a_leg_is_unaccounted_for_where_the_leg_ends_with_its_z(empty: Store) -> None:
    maker, world = Maker("L-1"), World()
    leg = {"movement_id": "M-1"}
    ends = ("MINE", "DEPOT")
    facts = numbered(
        [
            maker.lot("MINE", 0, {"Cu": 0.02}),
            maker.weighing("MINE", 10, "dispatch", 45_000, 15_000, device_id="WB-1", **leg),
            maker.move("dispatch", "MINE", 11, ends, **leg),
            maker.move("receipt", "DEPOT", 60, ends, **leg),
            maker.weighing("DEPOT", 61, "receipt", 44_300, 15_000, device_id="WB-2", **leg),
        ]
    )
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    _, lost = site_balance(empty.rows, "DEPOT", Period(Micros(0), FAR), FAR)
    found = {(one.found_in, one.quantity.name): one for one in lost}
    wet = found["leg", "wet"]
    assert wet.lost == 700_000
    assert wet.without_u == 0
    assert wet.u is not None
    assert {part.source for part in wet.u.parts} == {"WB-1", "WB-2"}
    z, dry = z_of(wet), found["leg", "dry"]
    assert z is not None
    assert z > 5
    assert z_of(dry) == pytest.approx(z, rel=1e-3)
    _, none = site_balance(empty.rows, "DEPOT", Period(Micros(0), facts[0].occurred_at), FAR)
    assert none == []


def test_legs_that_come_out_even_are_no_better_known(empty: Store) -> None:
    """Two of three trips weigh the same at both ends; a sum that left them out looked surer."""
    world, ends = World(), ("MINE", "DEPOT")
    facts: list[LotFact] = []
    for number, (start, received) in enumerate(((0, 45_000), (200, 45_000), (400, 44_980))):
        maker, leg = Maker(f"L-{number}"), {"movement_id": f"M-{number}"}
        weighed = {"device_id": "WB-1", **leg}, {"device_id": "WB-2", **leg}
        facts += [
            maker.lot("MINE", start, {"Cu": 0.02}),
            maker.weighing("MINE", start + 10, "dispatch", 45_000, 15_000, **weighed[0]),
            maker.move("dispatch", "MINE", start + 11, ends, **leg),
            maker.move("receipt", "DEPOT", start + 60, ends, **leg),
            maker.weighing("DEPOT", start + 61, "receipt", received, 15_000, **weighed[1]),
        ]
    facts = numbered(facts)
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    for until, lost_g, legs in ((FAR, 20_000, 3), (facts[9].occurred_at + 1, 0, 2)):
        _, lost = site_balance(empty.rows, "DEPOT", Period(Micros(0), Micros(until)), FAR)
        found = {one.quantity.name: one for one in lost}
        assert (found["wet"].lost, found["wet"].without_u) == (lost_g, 0)
        one = legs_alone(empty, facts)
        for name in ("wet", "dry", "Cu"):
            u, alone = found[name].u, one[name].u
            assert u is not None
            assert alone is not None
            # Chance adds in squares, what one scale does to all of them straight.
            assert u.random == pytest.approx(alone.random * math.sqrt(legs), rel=1e-3)
            by_source = {part.source: part.u * legs for part in alone.parts}
            assert {p.source: p.u for p in u.parts} == pytest.approx(by_source, rel=1e-3)


def legs_alone(store: Store, facts: list[LotFact]) -> dict[str, Unaccounted]:
    """What the last leg alone says, by quantity."""
    last = Period(facts[10].occurred_at, FAR)
    _, lost = site_balance(store.rows, "DEPOT", last, FAR)
    return {one.quantity.name: one for one in lost}


def a_mine(maker: Maker) -> list[LotFact]:
    """30 t at 5 % moisture and 2 % Cu, of which a certificate says 8 % and 2.5 %."""
    return [
        maker.lot("MINE", 0, {"Cu": 0.02}),
        maker.weighing("MINE", 10, "stock", 45_000, 15_000),
        maker.assay("MINE", 60, {"Cu": (0.025, 0.0002)}, (0.08, 0.002)),
    ]


LEARNT = {"wet": 0, "dry": -900_000, "Cu": 690_000_000 - 570_000_000}
"""What the certificate added and took, grams and milligrams."""


def parts(store: Store, facts: list[LotFact]) -> tuple[dict[str, int], dict[str, int]]:
    """What a mine's period restates and what it cannot account for, as its lines say it."""
    world = World()
    world.tell(*numbered(facts))
    store.put_all([*numbered(facts), *world.outputs])
    accounts, lost = site_balance(store.rows, "MINE", Period(Micros(0), FAR), FAR)
    said = {(one.found_in, one.quantity.name): -one.lost for one in lost}
    assert all(sigma(one.u) or one.without_u for one in lost)
    for account in accounts:
        flows, name = account.flows, account.quantity.name
        assert account.opening.value + sum(flows.values()) == account.closing.value
        assert flows["restated"] == said.get(("restated", name), 0)
        assert flows["unaccounted"] == said.get(("stock", name), 0)
    restated, unaccounted = (
        {a.quantity.name: a.flows[line] for a in accounts} for line in ("restated", "unaccounted")
    )
    return restated, unaccounted


def test_a_certificate_is_restated_and_nothing_is_unaccounted_for(empty: Store) -> None:
    restated, unaccounted = parts(empty, a_mine(Maker("L-1")))
    assert restated == LEARNT
    assert unaccounted == {"wet": 0, "dry": 0, "Cu": 0}


def test_a_tonne_that_a_survey_does_not_find_is_unaccounted_for_as_it_is_known(
    empty: Store,
) -> None:
    maker = Maker("L-1")
    facts = a_mine(maker)
    facts.append(maker.weighing("MINE", 120, "stock", 44_000, 15_000))
    restated, unaccounted = parts(empty, facts)
    assert restated == LEARNT
    assert unaccounted == {"wet": -1_000_000, "dry": -920_000, "Cu": -23_000_000}


def test_the_rest_of_a_lot_that_has_gone_is_unaccounted_for_as_what_left_last(
    empty: Store,
) -> None:
    maker, trip = Maker("L-1"), {"movement_id": "M-1"}
    facts = a_mine(maker)
    facts.append(maker.weighing("MINE", 120, "dispatch", 44_940, 15_000, **trip))
    facts.append(maker.move("dispatch", "MINE", 121, ("MINE", "PORT"), **trip))
    restated, unaccounted = parts(empty, facts)
    assert restated == LEARNT
    assert unaccounted == {"wet": -60_000, "dry": -55_200, "Cu": -1_380_000}


def test_a_restatement_that_was_taken_back_is_none(empty: Store) -> None:
    maker, world = Maker("L-1"), World()
    certificate = maker.assay("MINE", 60, {"Cu": (0.025, 0.0002)}, (0.08, 0.002))
    facts = numbered(
        [
            maker.lot("MINE", 0, {"Cu": 0.02}),
            maker.weighing("MINE", 10, "stock", 45_000, 15_000),
            certificate,
            corrected(certificate, "gone", void=True),
        ]
    )
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    accounts, lost = site_balance(empty.rows, "MINE", Period(Micros(0), FAR), FAR)
    assert {(a.flows["restated"], a.flows["unaccounted"]) for a in accounts} == {(0, 0)}
    assert lost == []


def test_facts_out_of_order_take_the_uncertainty_of_the_next_later_balance(empty: Store) -> None:
    maker, world = Maker("L-1"), World()
    declared = maker.lot("MINE", 0, {"Cu": 0.02})
    early = maker.weighing("MINE", 10, "stock", 45_000, 15_000)
    late = maker.assay("MINE", 90, {"Cu": (0.021, None)}, (0.08, 0.002))
    facts: list[LotFact] = [declared, replace(late, recorded_at=Micros(late.occurred_at + 1))]
    early = replace(early, recorded_at=Micros(late.occurred_at + 60_000_000))
    world.tell(*facts, early)
    empty.put_all(world.outputs)
    [wet] = [
        holding
        for holding in asof.of_lot(empty.rows, "L-1", Times(early.occurred_at, FAR))
        if holding.quantity == WET
    ]
    assert wet.value == 30_000_000
    assert wet.u_standing == "later"
    before = Micros(early.recorded_at - 1)
    assert asof.of_lot(empty.rows, "L-1", Times(early.occurred_at, before)) == []


def test_attributes_and_shares_travel_through_the_views(empty: Store) -> None:
    ghg = AttributeAmount(name="ghg", unit="kgCO2e", quality="measured", value_micro=5_000_000)
    moved = Transfer(
        sender="worker/0", n=1, kind="k", cause_event_id="e", debit="process/P",
        credit="lot/L-1/MILL", mass_wet_g=10, mass_dry_g=9, metals=(), effective_at=Micros(5),
        known_at=Micros(5), replaces_event_id=None, replaces_kind=None, lot_id=None,
        process_id="P", movement_id=None, origins=(), attributes=(ghg,),
        shares=(Share(dimension="recycled", label="yes", share=0.25),),
    )  # fmt: skip
    empty.put_all([moved])
    [row] = empty.rows("SELECT * FROM v_transfers")
    assert (row["attribute"], row["attribute_unit"]) == (["ghg"], ["kgCO2e"])
    assert (row["share_dimension"], row["share"]) == (["recycled"], [0.25])
    found = asof.of_lot(empty.rows, "L-1", Times(FAR, FAR))
    assert {h.u_standing for h in found} == {"none"}
    assert [(h.quantity.name, h.quantity.unit, h.value) for h in found] == [
        ("wet", "g", 10), ("dry", "g", 9), ("ghg", "micro kgCO2e", 5_000_000),
    ]  # fmt: skip
    accounts, lost = site_balance(empty.rows, "MILL", Period(Micros(0), FAR), FAR)
    assert [account.flows["process_out"] for account in accounts] == [10, 9, 5_000_000]
    assert sigma(accounts[0].closing.u) is None
    assert lost == []
    proof = "SELECT account, quantity, by_transfers, by_balance FROM v_account_proof"
    wrong = empty.rows(f"{proof} WHERE difference != 0 AND startsWith(account, 'lot/')")
    assert {(row["quantity"], row["by_transfers"]) for row in wrong} == {
        ("wet", 10), ("dry", 9), ("ghg", 5_000_000),
    }  # fmt: skip


def test_every_account_is_proved_by_one_view(filled: tuple[Store, World, list[LotFact]]) -> None:
    store, world, _ = filled
    assert store.rows("SELECT * FROM v_account_proof WHERE difference != 0") == []
    [row] = store.rows("SELECT uniqExact(account) AS n FROM v_account_proof")
    assert row["n"] == len(world.balances)
    assert store.verify()["compensations"].examined > 0


def head(at: int, seq: int, gateway: str = "GW-1") -> Head:
    return Head(
        gateway_id=gateway, gateway_epoch=1, at=Micros(at), size=seq, last_seq=seq,
        digest=bytes(32), merkle_root=None, signature=None, key_id=None,
    )  # fmt: skip


def test_a_gateway_is_complete_to_its_newest_head_below_which_no_number_is_missing(
    empty: Store,
) -> None:
    maker = Maker("L-1")
    facts = numbered([maker.weighing("MINE", i, "stock", 45_000, 15_000) for i in range(6)])
    other = replace(facts[0], gateway_id="GW-2", event_id=event_id("x"))
    empty.put_all([facts[0], facts[1], facts[2], facts[4], facts[5], other])
    rows = "SELECT * FROM v_complete_to ORDER BY gateway_id"
    assert [row["complete_to"] for row in empty.rows(rows)] == [None, None]
    own, others = (
        replace(
            reference("gateway", name, "{}"),
            partition=PARTITION, gateway_id="GW-1", gateway_epoch=1, gateway_seq=7 + n,
        )
        for n, name in enumerate(("GW-1", "GW-2"))
    )  # fmt: skip
    empty.put_all([own, head(1_000_000, 2), head(2_000_000, 3), head(3_000_000, 6)])
    first, second = empty.rows(rows)
    assert (first["complete_seq"], first["complete_to"]) == (3, "1970-01-01 00:00:02.000000")
    assert second["complete_to"] is None
    assert earliest([first]) == 2_000_000
    assert (first["standing"], second["standing"]) == ("known", "unknown")
    forged = complete(empty.rows, None, "MINE", lambda: False)
    assert (forged.to, forged.site_to) == (2_000_000, 2_000_000), "a forger holds nothing back"
    assert "not counting GW-2" in forged.why
    assert empty.rows(lot_status.COMPLETE_TO) == [{"complete_to": "1970-01-01 00:00:02.000000"}]
    empty.put_all([others])
    assert empty.rows(lot_status.COMPLETE_TO) == [{"complete_to": None}]
    done = complete(empty.rows, None, "MINE", lambda: False)
    assert done.to is None
    assert "GW-2" in done.why
    empty.put_all([facts[3], head(5_000_000, 1, "GW-2")])
    done = complete(empty.rows, None, "MINE", lambda: False)
    assert (done.to, done.site_to) == (3_000_000, 3_000_000)


def test_a_gateway_that_was_registered_and_never_heard_is_named_and_listed(empty: Store) -> None:
    maker = Maker("L-1")
    known, ahead, over = (
        replace(
            reference("gateway", name, "{}"), valid_from=Micros(start), valid_to=end,
            partition=PARTITION, gateway_id="GW-1", gateway_epoch=1, gateway_seq=2 + n,
        )
        for n, (name, start, end) in enumerate([
            ("GW-NEVER", 1_000_000, None),
            ("GW-NEXT-YEAR", 4_000_000_000_000_000, None),
            ("GW-OVER", 1_000_000, Micros(2_000_000)),
        ])
    )  # fmt: skip
    own = replace(known, id="GW-1", gateway_seq=5, event_id=event_id("own"))
    facts = numbered([maker.weighing("MINE", 1, "stock", 45_000, 15_000)])
    empty.put_all([*facts, known, ahead, over, own, head(6_000_000, 5)])
    found = complete(empty.rows, None, None, lambda: False)
    assert (found.to, found.why.partition(" not counting ")[2]) == (
        6_000_000, "GW-NEVER, registered and never heard",
    )  # fmt: skip
    asked = {"now": "2026-11-03 10:00:00.000000"}
    listed = empty.rows(GATEWAYS, asked)
    assert [(row["gateway_id"], row["complete_seq"], row["last_head_at"]) for row in listed] == [
        ("GW-1", 5, "1970-01-01 00:00:06.000000"), ("GW-NEVER", None, None),
    ]  # fmt: skip


def test_rows_that_are_gone_hold_a_gateway_back_wherever_they_stood(empty: Store) -> None:
    """One all of whose rows were gone was left out, and one that had lost its first was whole."""
    maker = Maker("L-1")
    facts = numbered([maker.weighing("MINE", i, "stock", 45_000, 15_000) for i in range(6)])
    known = [
        replace(
            reference("gateway", name, "{}"),
            partition=PARTITION, gateway_id="GW-OPS", gateway_epoch=1, gateway_seq=n,
        )
        for n, name in enumerate(("GW-1", "GW-OPS"), 1)
    ]  # fmt: skip
    heads = [head(at * 1_000_000, seq) for at, seq in enumerate((0, 3, 6))]
    empty.put_all([*known, *facts, *heads, head(9_000_000, 2, "GW-OPS")])

    def found() -> Complete:
        return complete(empty.rows, None, None, lambda: False)

    assert found().to == 2_000_000
    for gone, to in (("gateway_seq = 5", 1_000_000), ("gateway_seq = 1", None), ("true", None)):
        empty.warehouse.command(
            f"ALTER TABLE custody.weighing DELETE WHERE {gone} SETTINGS mutations_sync = 2"
        )
        assert found().to == to, gone
    assert "GW-1" in found().why
    gap = alert("G", subject="gateway/GW-1", lot_id=None, family="integrity", rule="sequence_gap")
    empty.put_all([gap])
    assert "GW-1 (sequence_gap)" in found().why
    empty.put_all([replace(gap, version=gap.version + 1, n=gap.n + 1, state="retracted")])
    assert "sequence_gap" not in found().why


def test_reference_records_are_read_once_whatever_number_of_partitions_has_them(
    empty: Store,
) -> None:
    body = {"class": "III", "interval_kg": 20}
    made = ReferenceSet(
        event_id=event_id("WB-1"), gateway_id="GW-1", gateway_epoch=1, gateway_seq=1,
        kind="device", id="WB-1", valid_from=Micros(1), valid_to=None, recorded_at=Micros(2),
        partition=PARTITION, corrects=None, void=False, body=json.dumps(body),
    )  # fmt: skip
    empty.put_all([made, replace(made, gateway_seq=2)])
    assert empty.rows("SELECT count() AS n FROM reference") == [{"n": 2}]
    rows = reference_plan.known(empty.rows, ["device"])
    [version] = rows["device", "WB-1"].versions
    assert json.loads(version.body) == body


def test_a_country_misses_what_a_leg_lost_and_a_mine_dug_more_than_it_may(
    empty: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    maker, world = Maker("L-1"), World()
    legs = ("MINE", "DEPOT")
    facts = numbered(
        [
            maker.lot("MINE", 0, {"Cu": 0.02}),
            maker.weighing("MINE", 10, "dispatch", 45_000, 15_000),
            maker.move("dispatch", "MINE", 11, legs),
            maker.move("receipt", "DEPOT", 60, legs),
            maker.weighing("DEPOT", 61, "receipt", 43_000, 15_000),
        ]
    )
    records = [
        reference(
            "site", "MINE", '{"name":"M","country":"CD","role":"mine","capacity_t_per_year":9}'
        ),
        reference("site", "DEPOT", '{"name":"D","country":"CD","role":"depot"}'),
    ]
    records = [
        replace(record, partition=PARTITION, gateway_seq=100 + n)
        for n, record in enumerate(records)
    ]
    world.tell(*records, *facts)
    empty.put_all([*records, *facts, *world.outputs])
    at = facts[-1].occurred_at
    sites = totals.sites_of(empty.rows, at, FAR)
    assert {name: site.country for name, site in sites.items()} == {"DEPOT": "CD", "MINE": "CD"}
    over = Period(Micros(facts[0].occurred_at), Micros(at + 1))
    found = totals.totals_of(empty.rows, totals.chosen(sites, "CD", None), over, FAR)
    speaks = {(one.family, one.subject, one.quantity) for one in speaking(found)}
    assert speaks >= {("missing_feed", "CD", "dry"), ("implausible_output", "MINE", "dry")}
    gone = next(one for one in found if one.family == "missing_feed" and one.quantity == "dry")
    assert gone.excess == pytest.approx(2_000_000 * 0.95, rel=0.1)
    monkeypatch.setattr(connect, "warehouse", lambda: nullcontext(empty))
    monkeypatch.setattr(complete_to, "ask", lambda *_: Complete(FAR, None, ""))
    span = f"{sql_time(over.start)}Z/{sql_time(over.end)}Z"
    asked = ["--period", span, "--country", "CD", "--known", "2099-01-01"]
    assert cli.main(["totals", *asked], standalone_mode=False) == FOUND
    told = capsys.readouterr().out
    assert re.search(r"missing_feed +CD +dry +t .*\*\n", told)
    assert "tests speak (limit z " in told
    assert cli.main(["totals", *asked, "--json"], standalone_mode=False) == FOUND
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(line["found_out"] for line in lines) == len(speaking(found))


def scales_and_routes() -> list[ReferenceSet]:
    """Two good scales, and ways to A and B that lose 0.2 %, u 0.06 %; others have no record."""
    good = '{"class":"III","interval_kg":10,"repeatability_kg":5,"u_systematic_rel":0.0001}'
    said = {"expected_loss": 0.002, "expected_loss_u": 0.0006, "drying_u": 0}
    legs = [{"from": "MINE", "to": to, **said} for to in "AB"]
    records = [
        reference("device", "WB-1", good),
        reference("device", "WB-2", good),
        reference("route", "R-1", json.dumps({"legs": legs[:1]})),
        reference("route", "MINE-B", json.dumps({"legs": legs[1:]})),
    ]
    return [replace(one, partition=PARTITION, gateway_seq=999 + n) for n, one in enumerate(records)]


def trips(lots: int, to: str, received: int, route: str | None) -> list[LotFact]:
    """Lots of 30 t over one leg, each weighed at both ends."""
    facts: list[LotFact] = []
    for number in range(lots):
        maker, leg = Maker(f"L-{to}-{number}"), {"movement_id": f"M-{to}-{number}"}
        start, ends = 200 * number, ("MINE", to)
        sent, came = {"device_id": "WB-1", **leg}, {"device_id": "WB-2", **leg}
        facts += [
            replace(maker.lot("MINE", start, {"Cu": 0.02}), route_id=route),
            maker.weighing("MINE", start + 10, "dispatch", 45_000, 15_000, **sent),
            maker.move("dispatch", "MINE", start + 11, ends, **leg),
            maker.move("receipt", to, start + 60, ends, **leg),
            maker.weighing(to, start + 61, "receipt", received, 15_000, **came),
        ]
    return facts


def test_what_a_route_is_known_to_lose_is_not_missing_and_what_is_beyond_is(empty: Store) -> None:
    """60 kg of each 30 t are what a way loses; 45 kg may be what an unknown one does."""
    lots, world, records = 8, World(), scales_and_routes()
    sent = {"A": (44_940, "R-1"), "B": (44_800, None), "C": (44_955, None), "D": (44_000, "R-1")}
    facts = numbered([fact for to, one in sent.items() for fact in trips(lots, to, *one)])
    world.tell(*records, *facts)
    empty.put_all([*records, *facts, *world.outputs])
    left, said = lots * 30_000_000 * 0.95, set[tuple[str, str]]()
    for to, (received, _) in sent.items():
        over, group = Period(Micros(0), FAR), totals.chosen({}, None, to)
        found = totals.totals_of(empty.rows, group, over, FAR)
        said |= {(one.subject, one.quantity) for one in speaking(found)}
        dry = next(one for one in found if one.quantity == "dry")
        unknown = 1.0 - 0.999 * math.exp(-0.002), math.hypot(0.003, 0.005)
        share, u = (0.002, 0.0006) if to in "AB" else unknown
        assert dry.usual == pytest.approx(share * left, rel=1e-6)
        lost = left * (45_000 - received) / 30_000
        assert dry.excess + dry.usual == pytest.approx(lost, rel=1e-6)
        # What a way loses at all is one figure: of eight loads it is as unsure as of one.
        assert dry.u is not None
        assert left * u < dry.u < left * u * 1.5
        assert lost / math.sqrt(dry.u**2 - (left * u) ** 2) > 4.5, "without it, all four spoke"
    assert said == {("B", "dry"), ("B", "Cu"), ("D", "dry"), ("D", "Cu")}


def test_a_load_that_never_came_is_missing_in_the_period_in_which_it_is_overdue(
    empty: Store,
) -> None:
    maker, world = Maker("L-1"), World()
    facts = numbered(
        [
            maker.lot("MINE", 0, {"Cu": 0.02}),
            maker.weighing("MINE", 10, "dispatch", 45_000, 15_000),
            maker.move("dispatch", "MINE", 11, ("MINE", "DEPOT")),
        ]
    )
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    left, day = facts[1].occurred_at, totals.DAY
    for days, there in ((29, False), (31, True), (62, False)):
        over = Period(Micros(left + (days - 30) * day), Micros(left + days * day))
        late = totals.overdue(empty.rows, over, FAR)
        assert ("MINE" in late) is there, days
    for start in (left + day, left - day):
        over = Period(Micros(start), Micros(left + 31 * day))
        found = totals.totals_of(empty.rows, totals.chosen({}, None, "MINE"), over, FAR)
        gone = next(one for one in found if one.quantity == "dry")
        assert gone.excess == pytest.approx(30_000_000 * 0.95, rel=0.1)
        assert gone in speaking(found)
