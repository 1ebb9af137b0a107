"""What balances and processes say of what is held, figure by figure.

Each of these was found by a mutation of the code that no other test noticed.
"""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from custody import process
from custody.balance import Balances, Here, Stamp
from custody.carried import Said
from custody.estimate import NOTHING, Estimate, relative
from custody.events import Micros
from custody.held import Carried, Held, Posted
from custody.knowledge import Amount, Cause, Knowledge
from custody.lot_rows import Basis
from custody.process_known import Leaving, output_known
from custody.process_rows import OutRow, ProcessRow, Told
from custody.reference import References
from custody.reference_versions import with_version
from custody.rows import Side
from tests.support.plant import reference

SHARES = Said((), (), ())
NONE = Carried({}, {}, {}, {})
STAMP = Stamp("lot/L", "L", None, Micros(5), Micros(6))


def known(dryness: float) -> Knowledge:
    """A material of 2 % copper, its moisture known to 1 % of its dry share."""
    return Knowledge(
        dryness=Estimate(dryness, 1e-4, {}),
        grades={"Cu": Estimate(0.02, 0.0, {})},
        rates={},
        cause=None,
        unmeasured=dryness,
        handed={},
        basis=Basis(None, {}, {}),
        certified=frozenset(),
        moist=True,
        findings=[],
    )


def balances(dryness: float) -> Balances:
    return Balances(known(dryness), STAMP, SHARES)


@pytest.mark.parametrize(("dryness", "said"), [(1.0, 0.0), (0.92, 0.08), (1.01, None)])
def test_a_bone_dry_lot_has_a_moisture_of_zero_and_more_dry_than_wet_has_none(
    dryness: float, said: float | None
) -> None:
    here = Here("MINE", Amount(1000, 1000, {"Cu": 20_000}), Estimate(1000.0, 4.0, {}))
    balance = balances(dryness).of_place(here)
    assert balance.moisture_fraction == said
    assert balance.moisture_u_fraction == pytest.approx(0.01 * dryness)


def test_an_empty_place_holds_none_of_a_metal_that_was_never_posted_to_it() -> None:
    balance = balances(0.92).of_place(Here("MINE", Amount(0, 0, {}), Estimate(0.0, 0.0, {})))
    assert (balance.status, balance.moisture_fraction) == ("empty", None)
    assert [(m.analyte, m.value_mg, m.u_random_mg) for m in balance.metals] == [("Cu", 0, 0.0)]
    assert (balance.mass_wet_u_random_g, balance.mass_dry_u_random_g) == (0.0, 0.0)
    left = balances(0.92).of_place(Here("MINE", Amount(0, 0, {"Cu": 7}), NOTHING))
    assert [m.value_mg for m in left.metals] == [7], "what is posted is said"


def test_a_place_below_zero_is_not_an_empty_one() -> None:
    here = Here("MINE", Amount(-100, -92, {"Cu": -1840}), Estimate(-100.0, 4.0, {}))
    balance = balances(0.92).of_place(here)
    assert (balance.status, balance.moisture_fraction) == ("weighed", 0.08)
    assert balance.mass_wet_u_random_g == 2.0


def test_a_metal_that_is_known_and_not_posted_yet_is_none() -> None:
    here = Here("MINE", Amount(100, 92, {}), Estimate(100.0, 4.0, {}))
    assert [m.value_mg for m in balances(0.92).of_place(here).metals] == [0]


def test_a_lot_that_nobody_has_weighed_holds_nothing_exactly() -> None:
    balance = balances(0.92).declared("MINE")
    assert (balance.n, balance.sender) == (0, ""), "the worker numbers it"
    assert (balance.mass_wet_g, balance.mass_dry_g, balance.metals) == (0, 0, ())
    assert (balance.mass_wet_u_random_g, balance.mass_dry_u_random_g) == (0.0, 0.0)
    assert (balance.moisture_fraction, balance.moisture_u_fraction) == (None, None)


def test_moistures_are_said_to_twelve_digits() -> None:
    here = Here("MINE", Amount(1, 1, {}), Estimate(1.0, 0.0, {}))
    assert balances(1 - 0.123456789012).of_place(here).moisture_fraction == 0.123456789012


@pytest.mark.parametrize(
    ("wet", "dry", "share"),
    [(100, 92, 0.92), (100, 110, 1.0), (100, -3, 0.0), (1, 0, 0.0), (0, 0, 1.0), (-5, 2, 1.0)],
)
def test_a_dry_share_lies_between_none_and_all_and_is_all_of_nothing(
    wet: int, dry: int, share: float
) -> None:
    assert process.dry_share(wet, dry) == share


def side(**known: float) -> Side:
    given: dict[str, Any] = {"wet": None, "dry": None, "moisture": None, "u_mass": None, **known}
    return Side("P", "smelt", "output", 1, None, None, **given)


def test_a_side_without_a_mass_has_none_and_a_dry_one_is_as_wet_as_its_own_moisture_says() -> None:
    assert process.side_mass(side(), 0.9) == (0, 0)
    assert process.side_mass(side(wet=1000), 0.9) == (1000, 900)
    assert process.side_mass(side(wet=1000, moisture=0.2), 0.9) == (1000, 800)
    assert process.side_mass(side(dry=900), 0.9) == (1000, 900)


def test_what_nobody_measured_is_known_to_five_percent_or_half_a_one() -> None:
    assert process.RECOVERY_U_REL == 0.05
    assert process.mass_u(side(), 1000) == 5.0
    assert process.mass_u(side()._replace(part="stock"), 1000) == 50.0
    assert process.mass_u(side(u_mass=7), 1000) == 7.0


def test_a_shortfall_is_a_finding_beyond_four_sigma_and_tonnes_are_millions_of_grams() -> None:
    u = Estimate(0.0, 9.0, {"scale/A": 4.0})
    assert process.whole_u(u) == 5.0
    assert not process.exceeds(20.0, u)
    assert process.exceeds(20.001, u)
    assert process.tonnes(1_234_567_800_000) == "1,234,567.800 t"


@pytest.mark.parametrize(("moved", "was_told"), [(True, True), (True, False), (False, True)])
def test_an_output_deep_in_a_ring_moves_what_it_moved_last_if_it_ever_did(
    *, moved: bool, was_told: bool
) -> None:
    one = process.Standing(1, Cause(Micros(5), Micros(6), "e"), "PLANT", side(wet=1000))
    last = Posted("process/P", "lot/L/PLANT", 700, 600, {"Cu": 5}, Micros(5), None, "P")
    told = Told("lot/L", "PLANT", 9, Micros(5), b"")
    before = OutRow(
        posted={"process_output|e": last} if moved else {}, told=told if was_told else None
    )
    findings: dict[str, str] = {}
    found = process.frozen(one, Amount(1000, 900, {}), before, findings)
    kept = Amount(700, 600, {"Cu": 5}) if moved and was_told else Amount(1000, 900, {})
    assert (found, list(findings)) == (kept, ["cycle_or_too_deep"])


def test_an_output_is_known_as_well_as_mass_grade_and_separation() -> None:
    """10 g in 1 kg are 1 %, grades 3 and 4 %: of copper, expected to 2 %, and of cobalt."""
    grades = {
        "Cu": relative(Estimate(0.02, 0.0006**2, {})),
        "Co": relative(Estimate(0.01, 0.0004**2, {"lab/X": 0.0001})),
    }
    mass = Estimate(1000.0, 100.0, {})
    out = Leaving(mass, 900.0, relative(mass), derived=True)
    metals, share = {"Cu": 500, "Co": 300}, Estimate(0.9, 0.0, {})
    found = output_known(out, metals, grades, share, {"Cu": 0.02})
    assert (found.wet.value, math.sqrt(found.wet.var)) == (1000.0, 10.0)
    assert found.dry.value == 900.0
    assert math.sqrt(found.dry.var) == pytest.approx(9.0)
    copper, cobalt = found.metals["Cu"], found.metals["Co"]
    assert copper.value == 500.0
    assert math.sqrt(copper.var) == pytest.approx(500 * math.sqrt(1e-4 + 9e-4 + 4e-4))
    assert cobalt.value == 300.0
    assert math.sqrt(cobalt.var) == pytest.approx(300 * math.sqrt(1e-4 + 16e-4))
    assert cobalt.parts == pytest.approx({"lab/X": 3.0})


def test_a_stage_that_happens_here_takes_the_place_of_that_stage_alone() -> None:
    """The country of refining replaces the one before; where it was mined stays, and recycled."""
    row = with_version(
        None,
        replace(reference("site", "PLANT", json.dumps({"country": "FI"})), valid_from=Micros(0)),
    )
    references = References({"ref/site/PLANT": row})
    kept = {"mined": {"CD": 1.0}, "recycled": {"yes": 0.1}, "risk": {"low": 1.0}}
    before = {**kept, "refined": {"CN": 0.7, "ZM": 0.3}}
    carried = Carried({}, {}, before, {})
    cause = Cause(Micros(1), Micros(1), "e")
    after = process.staged(carried, "refined", "PLANT", references, cause)
    assert after.shares == {**before, "refined": {"FI": 1.0}}
    assert process.staged(carried, None, "PLANT", references, cause) is carried
    nobody_knows = process.staged(carried, "refined", "ELSEWHERE", references, cause)
    assert nobody_knows.shares == kept


def test_what_was_handed_in_is_as_well_known_as_it_was_said_to_be() -> None:
    held = Held(
        cause="e",
        owner="lot/L",
        place="MINE",
        generation=1,
        at=Micros(1),
        wet=1000,
        wet_u=3.0,
        wet_parts={"scale/A": 2.0},
        dry=900,
        dry_u=4.0,
        dry_parts={"scale/A": 1.8},
        metals={"Cu": (500, 5.0, {"lab/X": 6.0})},
        carried=NONE,
    )
    found = process.held_estimates(held)
    assert found.wet == Estimate(1000.0, 9.0, {"scale/A": 2.0})
    assert found.dry == Estimate(900.0, 16.0, {"scale/A": 1.8})
    assert found.metals == {"Cu": Estimate(500.0, 25.0, {"lab/X": 6.0})}


def test_a_process_says_its_place_its_status_and_what_it_holds() -> None:
    row = ProcessRow(wet=1000, dry=900, amounts={"Cu": 500, "Co": 3})
    estimates = process.Estimates(
        Estimate(0.0, 9.0, {}), Estimate(0.0, 16.0, {}), {"Cu": Estimate(0.0, 25.0, {})}
    )
    stamp = Stamp("process/P", None, "P", Micros(5), Micros(6))
    balance = process.balance_of(row, estimates, stamp, NONE, ("PLANT", "open"))
    assert (balance.place, balance.status, balance.n) == ("PLANT", "open", 0)
    assert (balance.mass_wet_g, balance.mass_wet_u_random_g) == (1000, 3.0)
    assert (balance.mass_dry_g, balance.mass_dry_u_random_g) == (900, 4.0)
    said = {m.analyte: (m.value_mg, m.u_random_mg) for m in balance.metals}
    assert said == {"Cu": (500, 5.0), "Co": (3, 0.0)}
