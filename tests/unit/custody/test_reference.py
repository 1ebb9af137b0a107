"""What reference data says of instruments, by the time of the measurement."""

import itertools
from dataclasses import replace

import pytest

from custody import metrology
from custody.events import Micros
from custody.geography import Leg
from custody.metrology import Device
from custody.reference import References
from custody.reference_versions import with_version
from tests.support.facts import Maker, Rows
from tests.support.instruments import reference
from tests.support.oracle.books import Oracle
from tests.support.world import World

END_OF_2026 = 1_798_761_600_000_000
"""2027-01-01T00:00:00Z."""
BRIDGE = {"class": "III", "interval_kg": 20, "u_systematic_rel": 0.0005}


def device(body: dict[str, object] | None, at: int = 0) -> Device:
    world = World()
    if body is not None:
        world.tell(reference("device", "WB-1", body))
    rows: Rows = world.rows
    return References(rows).device("WB-1", Micros(at))


@pytest.mark.parametrize(
    ("at", "expired"),
    [(0, False), (END_OF_2026 - 1, False), (END_OF_2026, True), (2 * END_OF_2026, True)],
)
@pytest.mark.parametrize("until", ["2026-12-31", "2026-12-31T08:00:00Z"])
def test_a_calibration_holds_to_the_end_of_its_last_day(
    until: str, at: int, *, expired: bool
) -> None:
    found = device({**BRIDGE, "calibrated_until": until}, at)
    assert found.expired is expired
    assert found.systematic_rel == (0.001 if expired else 0.0005)


@pytest.mark.parametrize("until", [None, "", "soon", "2026-13-01", 20261231, ["2026-12-31"]])
def test_what_is_no_date_is_no_expiry(until: object) -> None:
    assert not device({**BRIDGE, "calibrated_until": until}, 2 * END_OF_2026).expired


def test_the_end_of_the_calendar_is_no_expiry() -> None:
    assert not device({**BRIDGE, "calibrated_until": "9999-12-31"}, 2 * END_OF_2026).expired


def test_an_expired_gun_has_twice_the_bias_and_the_same_ore() -> None:
    gun: dict[str, object] = {"class": "xrf", "bias_rel": 0.02, "calibrated_until": "2026-12-31"}
    before, after = device(gun, END_OF_2026 - 1), device(gun, END_OF_2026)
    assert (before.bias_rel, after.bias_rel) == (0.02, 0.04)
    assert before.heterogeneity_rel == after.heterogeneity_rel
    assert not before.class_unknown


def test_a_weighing_after_the_calibration_counts_with_a_wider_uncertainty() -> None:
    """The lot is weighed twice, before and after; the masses stand, u of the second is wider."""
    found = []
    for until in ("2200-01-01", "2000-01-01"):
        world = World()
        world.tell(
            reference("device", "WB-MINE", {**BRIDGE, "calibrated_until": until}),
            Maker().weighing("MINE", 1, "dispatch", 45_000, 15_000),
        )
        found.append(world.balances["lot/L-1/MINE"])
    inside, outside = found
    assert inside.mass_wet_g == outside.mass_wet_g == 30_000_000
    assert inside.mass_wet_u_systematic_g[0].u == pytest.approx(15_000)
    assert outside.mass_wet_u_systematic_g[0].u == pytest.approx(2 * 29_439.2, rel=1e-5)


@pytest.mark.parametrize(
    ("body", "principle", "product_class", "unknown"),
    [
        ({"class": "III"}, "non_automatic", "III", False),
        ({"class": "V"}, "non_automatic", "III", True),
        ({"class": "1"}, "non_automatic", "III", True),
        ({"interval_kg": 20}, "non_automatic", "III", True),
        ({"class": "1.0", "principle": "in_motion"}, "in_motion", "1", False),
        ({"class": 0.5, "principle": "in_motion"}, "in_motion", "0.5", False),
        ({"class": "7", "principle": "in_motion"}, "in_motion", "2", True),
        ({"class": "III", "principle": "belt"}, "belt", "2", True),
        ({"class": "5", "principle": "belt"}, "belt", "2", True),
        ({"class": "nan", "principle": "belt"}, "belt", "2", True),
        ({"class": True, "principle": "belt"}, "belt", "2", True),
        ({"class": "III", "principle": "magic"}, "non_automatic", "III", False),
        ({"class": "xrf"}, "xrf", "xrf", False),
        ({"class": "tank", "principle": "volumetric"}, "volumetric", "xrf", False),
        (None, "non_automatic", "III", False),
    ],
)
def test_a_class_its_norm_does_not_have_takes_the_default_and_is_marked(
    body: dict[str, object] | None, principle: str, product_class: str, *, unknown: bool
) -> None:
    found = device(body)
    assert (found.principle, found.product_class) == (principle, product_class)
    assert found.class_unknown is unknown
    assert found.default is (body is None)


def test_a_bridge_of_class_iiii_has_a_coarse_interval_by_default() -> None:
    assert device({"class": "IIII"}).interval_g == metrology.INTERVAL_G_DEFAULT_IIII
    assert device({"class": "III"}).interval_g == metrology.INTERVAL_G_DEFAULT
    assert not device({"class": "III"}).interval_known
    assert device(dict(BRIDGE)).interval_known
    assert not device({"class": "III", "interval_kg": 1e-300}).interval_known


def test_no_gun_is_believed_to_be_perfect() -> None:
    assert device({"class": "xrf", "bias_rel": 0}).bias_rel == metrology.XRF_BIAS_REL_MIN


def test_of_copies_of_one_record_that_differ_the_same_one_stands_whichever_came_first() -> None:
    first = reference("device", "WB-1", {"class": "III", "interval_kg": 10})
    later = replace(first, recorded_at=Micros(first.recorded_at + 1), body='{"interval_kg":50}')
    other = replace(first, body='{"class":"III","interval_kg":20}')
    weighing = Maker().weighing("MINE", 0, "stock", 30_000, 0, device_id="WB-1")
    for records in itertools.permutations([first, later, other]):
        world = World()
        world.tell(weighing, *records)
        assert world.rows["ref/device/WB-1"] == with_version(None, first)
        assert References(world.rows).device("WB-1", Micros(0)).interval_g == 10_000
        balance = world.balances["lot/L-1/MINE"]
        alone = World()
        alone.tell(first, weighing)
        assert balance.mass_wet_u_random_g == alone.balances["lot/L-1/MINE"].mass_wet_u_random_g
        assert Oracle([weighing], records).refs.body("device", "WB-1", 0)["interval_kg"] == 10


def leg(said: dict[str, object] | None) -> Leg:
    world = World()
    if said is not None:
        body = {"legs": [{"from": "MINE", "to": "PORT", **said}]}
        world.tell(reference("route", "R", body))
    rows: Rows = world.rows
    return References(rows).leg("R", ("MINE", "PORT"), Micros(0))


@pytest.mark.parametrize("said", [None, {"deadline_h": 48}, {"expected_loss": None}])
def test_a_leg_nobody_described_is_wider_than_any_that_was_measured(
    said: dict[str, object] | None,
) -> None:
    """Ore's: 0.10 +- 0.17 % lost, 0.20 +- 0.15 % dried; up to 0.45 % were calibrated of drying."""
    found = leg(said)
    assert not found.described
    assert (found.loss, found.drying) == (0.001, 0.002)
    assert found.loss_u > 0.0017
    assert found.drying_u > 0.0045


def test_a_record_of_the_loss_alone_has_the_drying_in_it() -> None:
    found = leg({"expected_loss": 0.004, "expected_loss_u": 0.001})
    assert found.described
    assert (found.loss, found.loss_u, found.drying, found.drying_u) == (0.004, 0.001, 0.0, 0.0005)


def test_a_u_that_a_record_leaves_out_is_that_of_a_leg_nobody_described() -> None:
    found, unknown = leg({"expected_loss": 0.004, "drying": 0.01}), leg(None)
    assert (found.loss, found.drying) == (0.004, 0.01)
    assert (found.loss_u, found.drying_u) == (unknown.loss_u, unknown.drying_u)


def test_a_u_that_a_record_says_alone_is_about_nothing() -> None:
    found = leg({"expected_loss_u": 0.001, "drying_u": 0.0})
    assert (found.loss, found.drying) == (0.0, 0.0)
    assert (found.loss_u, found.drying_u) == (0.001, 0.0)
