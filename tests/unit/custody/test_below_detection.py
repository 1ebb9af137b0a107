"""A load found below detection where metal is expected, by shots, certificates or both.

Source: docs/detection/mixture.md, "Below detection".
"""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from custody.core import CustodyFold
from custody.detect.lot_below import FAR, Floors
from custody.detect.lot_facts import UNKNOWN_XRF, Readings, Shot
from custody.detect.lot_pattern import composition_prior
from custody.detect.mixture import Detector
from custody.detect.pattern_rows import AssayRows, ShotRows, snapped
from custody.detect.shot_gate import Why
from custody.events import LotAssayed, LotFact, LotScanned, ReferenceSet
from custody.records import Alert
from runtime.backtest.replay import Replay
from tests.support.dense import Dense
from tests.support.facts import Maker, event_id
from tests.support.lot_models import ANALYTES, a_model, an_honest_lot
from tests.support.measured_lots import haul, lot, suspicions
from tests.support.recomputed import line_of
from tests.support.world import World
from tests.unit.custody.test_recomputed import agrees

LIMIT = 1e-5
SHOTS, PAPER = (LotScanned,), (LotAssayed,)
BOTH = (LotScanned, LotAssayed)
SEEN = ("Co", "Cu")
Facts = list[LotFact | ReferenceSet]


def barren(
    site: str | tuple[str, ...],
    kinds: tuple[type, ...] = BOTH,
    limit: float | None = LIMIT,
    analytes: tuple[str, ...] = SEEN,
) -> Facts:
    """Return what is said of a lot of which some analytes are below detection at a site.

    Only such readings are made there, by ``kinds`` alone.
    """
    ore = lot(Random(6))
    said: Facts = []
    for fact in haul(6, at_origin=ore, at_port=ore):
        if isinstance(fact, LotScanned | LotAssayed) and fact.site_id in site:
            if isinstance(fact, kinds):
                said.append(_below(fact, analytes, limit))
        else:
            said.append(fact)
    return said


def _below(
    fact: LotScanned | LotAssayed, analytes: tuple[str, ...], limit: float | None
) -> LotScanned | LotAssayed:
    named = [one for one in fact.results if one.analyte in analytes]
    changes = {"fraction": None, "qualifier": "lt", "detection_limit_fraction": limit}
    results = tuple(replace(one, **changes) for one in named)  # type: ignore[arg-type]
    return replace(fact, results=results)  # type: ignore[arg-type]  # of its own kind


def alerts(facts: Facts) -> list[Alert]:
    world = World()
    world.tell(*facts)
    return suspicions(world)


@pytest.mark.parametrize("kinds", [SHOTS, PAPER, BOTH], ids=["shots", "certificate", "both"])
def test_a_load_swapped_for_barren_rock_is_named_waste(kinds: tuple[type, ...]) -> None:
    [alert] = alerts(barren("PORT", kinds))
    assert alert.family == "waste"
    assert alert.size > 0.99
    assert "between MINE and PORT" in alert.reason
    assert "Cu (below detection)" in alert.reason
    agrees(line_of(alert))


def test_what_is_below_detection_is_said_so_with_its_limit() -> None:
    [alert] = alerts(barren("PORT"))
    rows = [row for row in alert.evidence if row.quantity == "ln_fraction_below"]
    assert [(row.analyte, row.unit) for row in rows] == [("Co", "1"), ("Cu", "1")] * 2
    assert [row.observed for row in rows] == pytest.approx([math.log(LIMIT)] * 4)
    measured = [row for row in alert.evidence if row.quantity == "ln_fraction"]
    assert {row.event_ids for row in measured}.isdisjoint({row.event_ids for row in rows})


def test_all_of_a_load_below_detection_is_waste_too() -> None:
    every = ("As", "Co", "Cu", "Fe", "Mn", "Ni", "S", "Zn")
    [alert] = alerts(barren("PORT", BOTH, analytes=every))
    assert alert.family == "waste"
    agrees(line_of(alert))


def test_barren_from_the_first_measurement_on_is_an_alert_too() -> None:
    [alert] = alerts(barren(("MINE", "PORT")))
    assert alert.family in {"waste", "origin_mismatch"}
    agrees(line_of(alert))


def test_a_backtest_says_the_same_of_it() -> None:
    facts = barren("PORT")
    said = [one for said in Replay(CustodyFold()).run(facts) for one in said]
    found = [one for one in said if isinstance(one, Alert) and one.rule == "lot_eprocess"]
    assert [one.family for one in found][-1:] == ["waste"]
    [live] = alerts(facts)
    assert found[-1].value == live.value


@pytest.mark.parametrize("kinds", [SHOTS, PAPER, BOTH], ids=["shots", "certificate", "both"])
def test_below_a_limit_that_nobody_states_says_nothing(kinds: tuple[type, ...]) -> None:
    assert not alerts(barren("PORT", kinds, limit=None))


def test_a_limit_near_what_is_expected_says_nothing() -> None:
    assert not alerts(barren("PORT", limit=5e-4, analytes=("Co",)))


def test_a_provisional_certificate_gives_way_to_a_final_one() -> None:
    facts = barren("PORT", PAPER)
    first = next(one for one in facts if isinstance(one, LotAssayed) and one.site_id == "PORT")
    ore = lot(Random(6))
    results = tuple(
        replace(one, fraction=ore[one.analyte], qualifier="eq") for one in first.results
    )
    final = replace(first, event_id=event_id("final"), stage="final", results=results)
    assert alerts(facts)
    assert not alerts([*facts, final])


def test_a_certificate_below_detection_leaves_the_books_as_they_are() -> None:
    """It is no zero: what the lot holds is what the other certificates say."""
    maker = Maker()
    facts: Facts = [
        maker.lot("MINE", 0, {"Cu": 0.018}),
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.assay("MINE", 20, {"Cu": (0.02, None), "Co": (0.001, None)}, moisture=(0.08, None)),
    ]
    silent = maker.assay("PORT", 700, {"Cu": (0.02, None)})
    spoken = _below(maker.assay("PORT", 700, {"Co": (0.0, None)}), ("Co",), LIMIT)
    assert isinstance(spoken, LotAssayed)
    both = replace(silent, results=(*silent.results, *spoken.results))
    assert _balances([*facts, silent]) == _balances([*facts, both])


def _balances(facts: Facts) -> list[object]:
    world = World()
    world.tell(*facts)
    assert world.balances
    return [replace(one) for one in world.balances.values()]


def _detector() -> Detector:
    return Detector(a_model())


def _blind(one: Shot, *analytes: str, limit: float = LIMIT) -> Shot:
    seen = {a: x for a, x in one.fractions.items() if a not in analytes}
    return replace(one, fractions=seen, below=dict.fromkeys(analytes, limit))


def _at_the_mine(*shots: Shot) -> Readings:
    return Readings(shots=shots)


def test_a_limit_counts_five_deviations_below_what_a_clean_lot_shows() -> None:
    """Mean and deviation of a reading by the rows of whole covariance matrices."""
    model, honest = a_model(), an_honest_lot(1)
    floors = Floors(model, composition_prior(model))
    shot, paper = honest.shots[0], honest.assays[0]
    xrf = model.xrf["gun"]
    # Of one shot of a series, with the usual counting u.
    twice = _at_the_mine(shot, replace(shot, event_id="again"))
    dense = Dense(model, twice)
    sd = np.sqrt(np.diag(dense.covariance()))[: len(ANALYTES)]
    mean = (np.array(dense.values) - dense.residual())[: len(ANALYTES)]
    usual = math.hypot(xrf.heterogeneity_rel, xrf.counting_rel)
    found = floors.of(ShotRows(0, "gun", dry=False, shots=1, analytes=(), u=()), usual)
    assert found == pytest.approx(mean - FAR * sd, rel=1e-6)
    dense = Dense(model, Readings(assays=(paper,)))
    sd = np.sqrt(np.diag(dense.covariance()))
    mean = np.array(dense.values) - dense.residual()
    row = AssayRows(
        0, "lab", dry=True, analytes=(), u=(), laboratory_u=snapped(paper.laboratory_u_rel)
    )
    assert floors.of(row, paper.u_rel_default) == pytest.approx(mean - FAR * sd, rel=1e-6)


def test_of_an_origin_that_nobody_knows_no_limit_counts() -> None:
    model = a_model(origin=None, library=())
    floors = Floors(model, composition_prior(model))
    row = ShotRows(0, "gun", dry=False, shots=1, analytes=(), u=())
    assert (floors.of(row, UNKNOWN_XRF.heterogeneity_rel) < math.log(1e-9)).all()


def test_a_shot_below_detection_among_good_ones_is_a_bad_shot() -> None:
    good = an_honest_lot(1).shots[:3]
    layout = _detector().layout(_at_the_mine(good[0], good[1], _blind(good[2], "Cu", "Ni")))
    assert [(one.event_id, one.dropped.why) for one in layout.gated] == [
        (good[2].event_id, Why.DISAGREES)
    ]
    assert not layout.below
    without = _detector().layout(_at_the_mine(*good[:2]))
    assert layout.pattern == without.pattern


def test_of_two_shots_that_differ_the_one_near_the_origin_is_kept() -> None:
    good = an_honest_lot(1).shots[:2]
    layout = _detector().layout(_at_the_mine(good[0], _blind(good[1], *ANALYTES)))
    assert [(one.event_id, one.dropped.why) for one in layout.gated] == [
        (good[1].event_id, Why.FURTHER)
    ]


def test_where_all_shots_are_below_detection_none_is_bad() -> None:
    shots = [_blind(one, *ANALYTES) for one in an_honest_lot(1).shots[:3]]
    layout = _detector().layout(_at_the_mine(*shots))
    assert not layout.gated
    assert layout.events == (tuple(one.event_id for one in shots),)
    assert layout.below == frozenset(range(4))
    assert layout.values == pytest.approx(
        [math.log(LIMIT) - (0.01 if a == "Cu" else 0.0) for a in ANALYTES]
    )


def test_what_both_shots_are_below_is_no_agreement() -> None:
    """Nine elements below detection in both must not hide that the tenth disagrees."""
    good = an_honest_lot(1).shots[:2]
    far = replace(good[1], fractions={a: 1.6 * x for a, x in good[1].fractions.items()})
    shots = [_blind(one, "Co", "Fe", "Ni", limit=1e-9) for one in (good[0], far)]
    [gated] = _detector().layout(_at_the_mine(*shots)).gated
    assert gated.dropped.degrees == 1


def test_a_shot_alone_says_nothing_of_what_it_is_below() -> None:
    """Nothing vouches for it: it may have been aimed at air, and the next one tells."""
    shot = an_honest_lot(1).shots[0]
    layout = _detector().layout(_at_the_mine(_blind(shot, "Cu")))
    [rows] = layout.pattern
    assert isinstance(rows, ShotRows)
    assert rows.analytes == (0, 2, 3)
    assert _detector().judge(_at_the_mine(_blind(shot, *ANALYTES))).ln_e == 0.0


def test_below_detection_of_what_nobody_knows_anything_of_is_left_out() -> None:
    """No origin, nothing measured: there is no analyte that it could be told of."""
    shots = [_blind(one, *ANALYTES) for one in an_honest_lot(1).shots[:3]]
    papers = (replace(an_honest_lot(1).assays[0], fractions={}, below={"Cu": LIMIT}),)
    readings = Readings(shots=tuple(shots), assays=papers)
    layout = Detector(a_model(analytes=(), origin=None, library=())).layout(readings)
    assert not layout.pattern
    assert len(layout.left_out) == 4


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan, math.inf])
def test_a_limit_that_is_none_says_nothing(limit: float) -> None:
    honest = an_honest_lot(1)
    odd = replace(
        honest,
        shots=tuple(_blind(one, "Cu", limit=limit) for one in honest.shots),
        assays=tuple(replace(one, fractions={}, below={"Cu": limit}) for one in honest.assays),
    )
    layout = _detector().layout(odd)
    assert not layout.below
    assert sorted(layout.left_out) == [one.event_id for one in honest.assays]
    assert _detector().judge(odd).ln_e < 2.0
