"""What counts as found, and how totals are summed."""

import math

import pytest

from demo.frauds import Fraud
from demo.outcome import Measured, Raised, Sum, clean_with_alert, judge

THEFT = Fraud("theft", "L-1-0001", "W-1", 600.0, 0.02, "kg", 300.0, "mass", -1)
WATER = Fraud("water", "L-1-0003", "W-3", 0.03, 0.03, "fraction", 0.014, "dry share", -1)
SWAP = Fraud("swap", "L-1-0002", "W-2", 0.3, 0.2, "fraction", 0.1, "Cu", -1)


def seen(what: str, z: float) -> Measured:
    analyte = None if what.startswith("ln_") else what
    quantity = what if analyte is None else "ln_fraction"
    return Measured(quantity, analyte, 0.0, z * 0.01, 0.01, z, "1", ("XRF-1",))


def alert(
    lot_id: str, *evidence: Measured, movement: str | None = None, family: str = "loss"
) -> Raised:
    return Raised(
        alert_id=f"A-{lot_id}",
        state="open",
        family=family,
        subject=f"lot/{lot_id}",
        lot_id=lot_id,
        movement_id=movement,
        size=-0.02,
        size_u=0.002,
        severity="medium",
        reason="",
        evidence=evidence,
    )


def test_a_theft_is_found_by_an_alert_on_its_truck_with_mass_missing() -> None:
    (judged,) = judge([THEFT], [alert("L-1-0001", seen("ln_net", -9.0), movement="W-1")])
    assert judged.lacks == ""


@pytest.mark.parametrize(
    ("found", "lacks"),
    [
        ([], "no open alert on the lot"),
        ([alert("L-1-0001", seen("ln_net", -9.0), movement="W-9")], "wrong truck W-9"),
        ([alert("L-1-0001", seen("ln_net", 9.0), movement="W-1")], "wrong sign of mass"),
        ([alert("L-1-0001", movement="W-1")], "no evidence about mass"),
        ([alert("L-1-0001", movement="W-1", family="water")], "called water, not loss"),
        ([alert("L-1-0001", family="ledger")], "called ledger, not loss"),
    ],
)
def test_an_alert_elsewhere_or_of_the_other_sign_is_no_find(
    found: list[Raised], lacks: str
) -> None:
    (judged,) = judge([THEFT], found)
    assert judged.lacks == lacks


def test_a_swap_is_judged_by_the_analyte_it_moved_most() -> None:
    named = "foreign_material"
    right = alert("L-1-0002", seen("Ni", 5.0), seen("Cu", -8.0), family=named)
    (judged,) = judge([SWAP], [right])
    assert judged.lacks == ""
    wrong = alert("L-1-0002", seen("Ni", -5.0), seen("Cu", 8.0), family=named)
    (judged,) = judge([SWAP], [wrong])
    assert judged.lacks == "wrong sign of Cu"


def test_water_is_judged_by_the_dry_share_and_not_by_the_mass() -> None:
    told = [seen("ln_net", 0.5), seen("ln_dry_share", -7.0)]
    (judged,) = judge([WATER], [alert("L-1-0003", *told, movement="W-3", family="water")])
    assert judged.lacks == ""


def test_what_a_test_says_is_shown_before_what_the_books_say() -> None:
    said = [alert("L-1-0002", family="ledger"), alert("L-1-0002", family="omnibus")]
    (judged,) = judge([SWAP], said)
    assert judged.alert is said[1]
    assert judged.lacks == "called omnibus, not foreign_material"


def test_a_right_alert_counts_beside_a_wrong_one() -> None:
    wrong = alert("L-1-0001", seen("ln_net", -9.0), movement="W-9")
    right = alert("L-1-0001", seen("ln_net", -9.0), movement="W-1")
    (judged,) = judge([THEFT], [wrong, right])
    assert judged.alert is right


def test_clean_lots_count_once_however_many_alerts_they_have() -> None:
    alerts = [alert("L-1-0001"), alert("L-1-0009"), alert("L-1-0009")]
    assert [a.lot_id for a in clean_with_alert([THEFT], alerts)] == ["L-1-0009"]


def test_systematic_parts_add_linearly_and_random_ones_in_quadrature() -> None:
    total = Sum()
    total.add(100.0, 3.0, [("WB-1", 2.0)])
    total.add(100.0, 4.0, [("WB-1", 2.0), ("WB-2", 3.0)])
    assert total.value == 200.0
    assert total.u == pytest.approx(math.sqrt(3**2 + 4**2 + (2 + 2) ** 2 + 3**2))
