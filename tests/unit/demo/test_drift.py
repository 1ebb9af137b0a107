"""A scale that drifts: what is put in, and when it counts as named."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from demo.day import PUT_IN, Day, make_day
from demo.drift import KIND, Drift, weighed_by
from demo.frauds import KINDS
from demo.instrument import LOT_TEST, Said, judge, of_day, subject_of
from demo.outcome import Measured, Raised
from demo.plant import CONCENTRATOR, draw_plant
from tests.support.facts import Maker
from tests.support.world import World


def drift_of(day: Day) -> Drift:
    assert day.drift is not None
    return day.drift


def named(day: Day) -> Raised:
    drift = drift_of(day)
    lot = Measured("ln_residual", None, 0.0, 0.005, 0.002, 2.5, "1", (drift.device_id,))
    return Raised(
        "A-1", "open", "instrument_bias", subject_of(drift), "", None, 0.0047, 0.0014, "high", "",
        (lot,), "cusum", drift.since + timedelta(minutes=20),
    )  # fmt: skip


DAY = make_day(1)
NAMED = named(DAY)


@pytest.mark.parametrize("seed", range(1, 7))
def test_forty_lots_are_weighed_before_it_begins_and_as_many_after(seed: int) -> None:
    day = make_day(seed)
    drift = drift_of(day)
    assert drift.device_id in {s.device_id for s in draw_plant(seed).scales[CONCENTRATOR]}
    times = weighed_by(drift.device_id, day.requests).values()
    assert sum(at < drift.since for at in times) >= 40
    assert sum(at >= drift.since for at in times) >= 40


def test_a_day_without_it_is_the_same_but_for_that_scale_s_tickets_since() -> None:
    plain, drift = make_day(1, KINDS), drift_of(DAY)
    assert plain.drift is None
    changed = [(a, b) for a, b in zip(plain.sent, DAY.sent, strict=True) if a != b]
    assert len(changed) >= 40
    for before, after in changed:
        assert after["device_id"] == drift.device_id
        assert str(after["occurred_at"]) >= drift.since.isoformat()
        assert {k for k in after if after[k] != before[k]} <= {"gross_kg", "tare_kg", "net_kg"}
    assert make_day(1, ()).drift is None
    assert set(PUT_IN) == {*KINDS, KIND}


def test_it_reads_high_by_the_share_put_in() -> None:
    plain, drift = make_day(1, KINDS), drift_of(DAY)
    pairs = [
        (float(json.dumps(a["gross_kg"])), float(json.dumps(b["gross_kg"])))
        for a, b in zip(plain.sent, DAY.sent, strict=True)
        if a != b
    ]
    ratio = sum(b for _, b in pairs) / sum(a for a, _ in pairs)
    assert ratio == pytest.approx(1 + drift.size, abs=0.0003)


def test_an_open_alert_of_the_scale_of_the_size_put_in_names_it() -> None:
    found = judge(DAY, drift_of(DAY), Said((NAMED,)), [])
    assert (found.alert, found.lacks, found.doubted) == (NAMED, "", ())


@pytest.mark.parametrize(
    ("alert", "lacks"),
    [
        (replace(NAMED, state="retracted"), "alert is retracted"),
        (replace(NAMED, family="loss"), "called loss, not instrument_bias"),
        (replace(NAMED, size=-0.005), "wrong sign"),
        (replace(NAMED, size=0.012), "size 1.20% ± 0.14%, put in were 0.50%"),
        (
            replace(NAMED, evidence=(replace(NAMED.evidence[0], analyte="Cu"),)),
            "called instrument_bias Cu, not instrument_bias",
        ),
    ],
)
def test_another_alert_does_not(alert: Raised, lacks: str) -> None:
    assert judge(DAY, drift_of(DAY), Said((alert,)), []).lacks == lacks


def test_only_what_began_on_this_day_counts() -> None:
    drift = drift_of(DAY)
    assert NAMED.onset_at is not None
    other = replace(NAMED, onset_at=NAMED.onset_at + timedelta(days=1))
    elsewhere = replace(NAMED, subject="instrument/WB-EMB-1")
    assert of_day([other, NAMED, elsewhere], DAY, drift) == (NAMED,)
    assert judge(DAY, drift, Said(()), []).lacks.startswith("no alert on instrument/WB-HOY-")


def test_a_later_day_may_end_it_and_a_chart_that_has_gone_on_is_not_asked() -> None:
    versions = (NAMED, replace(NAMED, state="retracted"))
    drift = drift_of(DAY)
    assert judge(DAY, drift, Said(versions), []).lacks == "alert is retracted"
    assert judge(DAY, drift, Said(versions, later=True), []).alert == NAMED
    found = judge(DAY, drift, Said((), later=True, late=True), [])
    assert (found.alert, found.lacks) == (None, "")


def test_the_test_of_a_lot_is_known_by_its_statistic() -> None:
    """By the rule's name, which is no statistic, no lot was ever found to be doubted."""
    maker, world = Maker(), World()
    world.tell(
        maker.weighing("A", 0, "dispatch", 45_000, 15_000),
        maker.weighing("B", 60, "receipt", 40_000, 15_000),
    )
    of_lots = [one for one in world.alerts.values() if one.rule == "lot_eprocess"]
    assert {one.statistic for one in of_lots} == {LOT_TEST}


def test_a_lot_that_is_doubted_for_it_is_told() -> None:
    drift, touched = drift_of(DAY), {f.lot_id for f in DAY.frauds}
    times = weighed_by(drift.device_id, DAY.requests)
    lots = [n for n, at in times.items() if at >= drift.since and n not in touched]
    doubt = replace(NAMED, lot_id=lots[0], statistic="e_value")
    alerts = [doubt, replace(doubt, lot_id=lots[1], state="retracted")]
    assert judge(DAY, drift, Said((NAMED,)), alerts).doubted == (lots[0],)
