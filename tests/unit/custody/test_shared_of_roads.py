"""What lots of a road have in common, where mean errors and the road are of one history.

Source: docs/detection/charts.md.
"""

import pytest

from custody.detect.lot_facts import MASS, MOISTURE, Known, Leg, Moisture, Readings, Weighing
from custody.detect.mixture import Detector
from custody.detect.residuals import WAY, Residual, residuals
from custody.geography import leg_of
from tests.support.lot_models import STATIONS, a_model

SCALES = ("mine-scale", "hub-scale")
READINGS = Readings(
    weighings=tuple(
        Weighing(event_id=f"w{no}", station=site, net=net, u_rel=0.001, scale=scale)
        for no, (site, net, scale) in enumerate(
            zip(STATIONS, (22_000.0, 21_950.0), SCALES, strict=False)
        )
    ),
    moistures=(
        Moisture(event_id="m", station="mine", fraction=0.08, u=0.002, laboratory="mine-lab"),
    ),
)


def of_road(lots: int, *known: tuple[str, str], u: float = 0.0004) -> Residual:
    """Return what the lot says of its first road, estimated from so many lots."""
    legs = tuple(Leg(-0.001, 0.001, 0.002, 0.002, lots=lots) for _ in STATIONS[1:])
    model = a_model(legs=legs, errors=dict.fromkeys(known, Known(0.0, u)))
    judge = Detector(model)
    found = residuals(judge, judge.layout(READINGS), {})
    [road] = [one for subject, one in found.items() if subject.kind == WAY]
    return road


ALL = ((SCALES[0], MASS), (SCALES[1], MASS), ("mine-lab", MOISTURE))


def test_lots_of_the_history_tell_what_errors_one_by_one_do_not() -> None:
    before, after = of_road(0, *ALL), of_road(100, *ALL)
    assert before.shared > 0.0005
    assert after.u == before.u
    assert after.value == before.value
    assert after.shared == pytest.approx(before.u / 10.0)


def test_errors_known_well_do_not_make_the_history_of_a_road_longer() -> None:
    """What they are known by is the same lots: counted twice, an honest road was named."""
    well, badly = of_road(9, *ALL, u=1e-5), of_road(9, *ALL)
    assert well.u == badly.u
    assert well.shared == badly.shared == pytest.approx(well.u / 3.0)


@pytest.mark.parametrize("unknown", ALL)
def test_of_an_instrument_that_the_history_does_not_have_it_tells_nothing(
    unknown: tuple[str, str],
) -> None:
    known = [one for one in ALL if one != unknown]
    assert of_road(100, *known).shared == of_road(0, *known).shared


@pytest.mark.parametrize(
    ("said", "lots"),
    [
        ({"loss_n": 133, "drying_n": 88}, 88),
        ({"loss_n": 60}, 0),
        ({"loss_n": "many", "drying_n": 88}, 0),
        ({"loss_n": -1, "drying_n": 88}, 0),
        ({}, 0),
    ],
)
def test_the_lots_of_a_road_are_those_both_figures_rest_on(
    said: dict[str, object], lots: int
) -> None:
    leg = {"from": "A", "to": "B", "expected_loss": 0.001, "drying": 0.002, **said}
    assert leg_of({"legs": [leg]}, ("A", "B")).lots == lots
