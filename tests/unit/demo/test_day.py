"""The generator: what it must hold before anything judges it."""

import json
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import cast

import pytest

from demo.day import Day, make_day, midnight_of, ndjson
from demo.lots import CONVOY_TRUCKS, runs_by_mine
from demo.plant import SITES
from demo.references import references
from demo.requests import Request

REFERENCES = references()


@cache
def day(seed: int) -> Day:
    return make_day(seed)


def of_type(stem: str, seed: int = 1) -> list[Request]:
    return [r for r in day(seed).requests if r["type"] == stem]


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert b"".join(ndjson(make_day(7).sent)) == b"".join(ndjson(make_day(7).sent))


def test_another_seed_gives_another_day_under_other_names() -> None:
    assert not set(day(1).lot_ids) & set(day(2).lot_ids)
    tickets = [{r["ticket_no"] for r in of_type("weighing", seed)} for seed in (1, 2)]
    shots = [{(r["device_id"], r["shot_no"]) for r in of_type("xrf", seed)} for seed in (1, 2)]
    assert not tickets[0] & tickets[1]
    assert not shots[0] & shots[1]


def test_reference_records_come_first_and_do_not_depend_on_the_seed() -> None:
    stems = [r["type"] for r in day(1).requests]
    assert "reference" not in stems[stems.index("lot") :]
    assert of_type("reference", 1) == of_type("reference", 2)


def test_three_hundred_lots_and_some_thousand_events() -> None:
    assert len(day(1).lot_ids) == 300
    assert 5_000 <= len(day(1).requests) <= 8_000


def test_ten_lots_travel_on_several_trucks_and_one_on_thirty_three() -> None:
    trucks = Counter(len(lot.loads) for lot in day(1).departed)
    assert trucks[CONVOY_TRUCKS] == 1
    assert sum(n for count, n in trucks.items() if count > 1) >= 11


def test_everything_happens_within_one_day() -> None:
    midnight = midnight_of(1)
    times = [
        datetime.fromisoformat(str(r["occurred_at"])) for r in day(1).requests if "occurred_at" in r
    ]
    assert midnight <= min(times)
    assert max(times) < midnight + timedelta(days=1)


def test_requests_are_sent_in_order_of_time_but_for_the_late_certificate() -> None:
    times = [str(r["occurred_at"]) for r in day(1).requests if "occurred_at" in r]
    # The duplicate and the resent ticket keep their time and are sent minutes later.
    late = sum(b < a for a, b in pairwise(times))
    assert 1 <= late <= 4
    assert of_type("assay")[-1] == day(1).requests[-1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_six_frauds_of_five_kinds_each_sized_by_what_can_be_seen(seed: int) -> None:
    frauds = day(seed).frauds
    kinds = {"theft": 2, "water": 1, "waste": 1, "swap": 1, "blend": 1}
    assert Counter(f.kind for f in frauds) == kinds
    assert len({f.lot_id for f in frauds}) == 6
    assert len({f.family for f in frauds}) == 5
    assert all(1.5 <= f.size / f.detectable <= 3.0 for f in frauds)
    assert all(f.sign == -1 for f in frauds if f.kind in {"theft", "water", "waste"})


def test_a_day_may_be_asked_for_with_one_fraud_or_with_none() -> None:
    (fraud,) = make_day(1, kinds=("swap",)).frauds
    assert fraud.kind == "swap"
    assert make_day(1, kinds=()).frauds == ()


def test_one_theft_is_on_a_lot_of_several_trucks() -> None:
    trucks = {lot.lot_id: len(lot.loads) for lot in day(1).departed}
    thefts = [trucks[f.lot_id] for f in day(1).frauds if f.kind == "theft"]
    assert min(thefts) == 1
    assert max(thefts) > 1


def test_mass_is_lost_only_to_the_road_and_to_thieves() -> None:
    stolen = {f.lot_id: f.size for f in day(1).frauds if f.kind == "theft"}
    watered = {f.lot_id: f.size for f in day(1).frauds if f.kind == "water"}
    for left, came in zip(day(1).departed, day(1).arrived, strict=True):
        taken = stolen.get(left.lot_id, 0.0) * (1 - left.moisture)
        taken += watered.get(left.lot_id, 0.0) * left.dry_kg
        assert 0 < left.dry_kg - came.dry_kg - taken < 0.0005 * left.dry_kg


def test_water_makes_up_the_mass_it_hides_and_the_oven_may_see_it() -> None:
    (fraud,) = [f for f in day(1).frauds if f.kind == "water"]
    left, came = (
        next(lot for lot in lots if lot.lot_id == fraud.lot_id)
        for lots in (day(1).departed, day(1).arrived)
    )
    assert came.wet_kg == pytest.approx(left.wet_kg, rel=0.001)
    dry_share = (1 - came.moisture) / (1 - left.moisture)
    assert dry_share == pytest.approx(1 - fraud.size, abs=0.001)


def test_composition_changes_only_where_someone_changed_it() -> None:
    changed = {f.lot_id for f in day(1).frauds if f.kind in {"waste", "swap"}}
    for left, came in zip(day(1).departed, day(1).arrived, strict=True):
        assert (left.composition != came.composition) == (left.lot_id in changed)


def test_waste_lowers_every_analyte() -> None:
    (fraud,) = [f for f in day(1).frauds if f.kind == "waste"]
    left, came = (
        next(lot.composition for lot in lots if lot.lot_id == fraud.lot_id)
        for lots in (day(1).departed, day(1).arrived)
    )
    assert all(came[a] < f for a, f in left.items())


def test_a_blend_is_made_before_the_lot_is_measured_at_its_mine() -> None:
    (fraud,) = [f for f in day(1).frauds if f.kind == "blend"]
    honest = {lot.lot_id: lot for lot in make_day(1, kinds=()).departed}
    (blended,) = [lot for lot in day(1).departed if lot.lot_id == fraud.lot_id]
    ratio = blended.composition[fraud.analyte] / honest[fraud.lot_id].composition[fraud.analyte]
    assert (ratio - 1) * fraud.sign > 0
    assert blended.dry_kg == honest[fraud.lot_id].dry_kg


def test_processes_conserve_mass_and_metal() -> None:
    blend, campaign = day(1).processes
    dry = sum(lot.dry_kg for lot in blend.inputs)
    assert blend.output.dry_kg == pytest.approx(dry)
    copper = [sum(x.dry_kg * x.composition["Cu"] for x in p.inputs) for p in (blend, campaign)]
    assert blend.output.dry_kg * blend.output.composition["Cu"] == pytest.approx(copper[0])
    assert campaign.output.dry_kg * campaign.output.composition["Cu"] < copper[1]
    feed = sum(lot.dry_kg for lot in campaign.inputs)
    assert campaign.output.dry_kg + campaign.tailings_dry_kg == pytest.approx(feed)


def test_the_blend_lies_in_the_concentrator_before_the_campaign_takes_it() -> None:
    blend, campaign = day(1).processes
    delivered = campaign.inputs[-1]
    assert delivered.lot_id == blend.output.lot_id
    assert delivered.ready_at <= campaign.output.ready_at
    papers = [r["lot_id"] for r in of_type("assay") if r.get("method") == "ICP-OES"]
    assert not {blend.output.lot_id, campaign.output.lot_id} & set(papers)


def test_ore_declares_emissions_and_what_is_made_of_it_does_not() -> None:
    for lot in of_type("lot"):
        names = [a["name"] for a in cast("list[Request]", lot["attributes"])]
        assert names == (["ghg"] if lot["form"] == "ore" else [])


def test_every_site_has_a_country_and_every_process_kind_of_the_day_a_record() -> None:
    bodies = {(str(r["kind"]), str(r["id"])): cast("Request", r["body"]) for r in REFERENCES}
    assert all(bodies["site", site]["country"] == "US" for site in SITES)
    assert {process.kind for process in day(1).processes} <= {
        i for k, i in bodies if k == "process"
    }
    assert bodies["process", "concentrate"]["key_analyte"] == "Cu"


def test_dirt_is_there_and_touches_no_fraud() -> None:
    dirt = day(1).dirt
    assert set(dirt.lots) == {"duplicate", "correction", "kg_for_t", "unknown_device", "late"}
    assert not set(dirt.lots.values()) & {f.lot_id for f in day(1).frauds}
    tickets = of_type("weighing")
    wrong = [
        r for r in tickets if r["net_kg"] != float(str(r["gross_kg"])) - float(str(r["tare_kg"]))
    ]
    assert len(wrong) == 1
    assert sum("corrects" in r for r in tickets) == 1
    assert sum(r["device_id"] == "WB-HIRE-9" for r in tickets) == 1
    lines = [json.dumps(r, sort_keys=True) for r in day(1).requests]
    assert len(lines) - len(set(lines)) == 1


def test_a_mine_is_a_third_of_the_drill_holes_by_sulphur_per_copper() -> None:
    holes = [{run[0].hole for run in runs} for runs in runs_by_mine().values()]
    assert not holes[0] & holes[1]
    assert min(map(len, holes)) > 120
    ratios = [
        sum(i.s for run in runs for i in run) / sum(i.cu for run in runs for i in run)
        for runs in runs_by_mine().values()
    ]
    assert ratios[1] > 1.8 * ratios[0]
