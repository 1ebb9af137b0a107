"""Coverage: of all intervals of 95 %, 95 % hold what is true, for lots and for sums of lots.

The simulator (``tests/support/instruments.py``) draws what is true and what the papers say; the
core says how well that is known. Seeds are fixed: a test is one experiment, and it repeats.

Counts: 20,000 lots, each with instruments of its own; 5,000 sums of 100 lots, with fresh
instruments for each sum. A sum takes its lots from those 20,000: what the core says of a lot is
computed once, added up by the core in every sum that holds the lot, and compared with the error
of newly drawn tickets. The values themselves are the core's where lots are tested one by one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from custody import metrology
from custody.estimate import Estimate, relative, said, sigma, times, total
from custody.metrology import Device, Laboratory
from custody.records import Balance
from custody.rows import Value, Weighed
from tests.support import instruments
from tests.support.facts import Maker
from tests.support.instruments import Effects, Lots, Stated, Tickets
from tests.support.world import World

LOTS = 20_000
SUMS, LOTS_OF_A_SUM = 5_000, 100
FOLDED_LOTS = 4_000
K95 = 1.959964
"""Half width of an interval of 95 %, in sigma of a normal error."""
LEAST, MOST = 0.94, 0.96

BRIDGE = Device(
    device_id="WB",
    principle="non_automatic",
    product_class="III",
    interval_g=instruments.INTERVAL_G,
    repeatability_g=instruments.INTERVAL_G / 4,
    systematic_share=metrology.SYSTEMATIC_SHARE,
    systematic_rel=None,
    heterogeneity_rel=0.05,
    bias_rel=0.03,
    default=False,
)
CALIBRATED = BRIDGE._replace(systematic_rel=instruments.SPAN_MAX / math.sqrt(3))
LAB = Laboratory("LAB", metrology.ASSAY_U_REL, metrology.MOISTURE_U, metrology.LAB_SYSTEMATIC_SHARE)

Draw = Callable[[np.random.Generator, Lots], Tickets]
Said = tuple[Estimate, Estimate, Estimate]
"""Wet, dry and metal, grams."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What is on tickets and certificates beside the figures, and what is known of who wrote it."""

    stated: Stated | None = None
    device: Device = BRIDGE
    laboratory: Laboratory = LAB
    stored_tare: bool = False

    def estimates(self, lots: Lots, tickets: Tickets) -> list[Said]:
        """Return what the core says of each lot, read back from what it would write."""
        columns = (tickets.gross_g, tickets.tare_g, tickets.moisture, tickets.grade, lots.truck)
        return [self._one(*one) for one in zip(*(c.ravel().tolist() for c in columns), strict=True)]

    def _one(self, gross: float, tare: float, moisture: float, grade: float, truck: int) -> Said:
        stated, laboratory = self.stated, self.laboratory
        u_moisture = None if stated is None else stated.moisture
        u_grade = None if stated is None else stated.grade_rel * grade
        wet = metrology.net_mass(self._weighed(round(gross), round(tare), truck), self.device)
        share = metrology.dryness(moisture, u_moisture, laboratory)
        dry = times(relative(wet), share)
        value = Value(grade, u_grade, dry=True)
        metal = times(dry, metrology.assay_grade("Cu", value, laboratory))
        return read_back(wet), read_back(dry, dry.value), read_back(metal, metal.value)

    def _weighed(self, gross: int, tare: int, truck: int) -> Weighed:
        stated = self.stated
        return Weighed(
            movement=None,
            vehicle=f"T-{truck}",
            purpose="dispatch",
            device=self.device.device_id,
            gross=gross,
            tare=tare,
            net=gross - tare,
            stored_tare=self.stored_tare,
            u_random=None if stated is None else stated.net_random_g,
            u_systematic=None if stated is None else stated.net_systematic_g,
        )


def read_back(estimate: Estimate, scale: float = 1.0) -> Estimate:
    u_random, parts = said(estimate, scale)
    return Estimate(estimate.value, u_random**2, {part.source: part.u for part in parts})


def coverage_of_lots(draw: Draw, papers: Papers, seed: int) -> tuple[float, ...]:
    """Return the share of wet, dry and metal whose interval holds the truth."""
    rng = np.random.default_rng(seed)
    lots = instruments.lots(rng, (LOTS, 1))
    truth = np.hstack([lots.wet_g, lots.dry_g, lots.metal_g])
    found = papers.estimates(lots, draw(rng, lots))
    wrong = np.abs(np.array([[e.value for e in one] for one in found]) - truth)
    return shares(wrong, np.array([[sigma(e) for e in one] for one in found]))


def coverage_of_sums(draw: Draw, papers: Papers, seed: int) -> tuple[float, ...]:
    """Return the share of sums of wet, dry and metal whose interval holds the truth."""
    rng = np.random.default_rng(seed)
    pool = instruments.lots(rng, (LOTS, 1))
    known = papers.estimates(pool, draw(rng, pool))
    chosen = rng.integers(0, LOTS, (SUMS, LOTS_OF_A_SUM))
    lots = pool.take(chosen)
    tickets = draw(rng, lots)
    errors = (
        tickets.net_g - lots.wet_g,
        tickets.dry_g - lots.dry_g,
        tickets.metal_g - lots.metal_g,
    )
    wrong = np.abs(np.column_stack([error.sum(axis=1) for error in errors]))
    sigmas = [
        [sigma(total(column)) for column in zip(*(known[no] for no in row), strict=True)]
        for row in chosen.tolist()
    ]
    return shares(wrong, np.array(sigmas))


def shares(wrong: instruments.Floats, sigmas: instruments.Floats) -> tuple[float, ...]:
    found: list[float] = (wrong <= K95 * sigmas).mean(axis=0).tolist()
    return tuple(found)


def normal(rng: np.random.Generator, lots: Lots) -> Tickets:
    return instruments.normal(rng, lots, Stated())


def rectangular(rng: np.random.Generator, lots: Lots) -> Tickets:
    return instruments.told(rng, lots, Effects())


def rectangular_with_stored_tare(rng: np.random.Generator, lots: Lots) -> Tickets:
    return instruments.told(rng, lots, Effects(stored_tare=True))


@pytest.mark.slow
@pytest.mark.parametrize("coverage", [coverage_of_lots, coverage_of_sums])
def test_normal_errors_of_the_stated_u_are_covered_as_stated(
    coverage: Callable[[Draw, Papers, int], tuple[float, ...]],
) -> None:
    found = coverage(normal, Papers(Stated()), 1)
    assert min(found) >= LEAST, found
    assert max(found) <= MOST, found


@pytest.mark.slow
@pytest.mark.parametrize("device", [BRIDGE, CALIBRATED], ids=["by class", "calibrated"])
@pytest.mark.parametrize("draw", [rectangular, rectangular_with_stored_tare])
def test_what_instruments_really_do_to_a_lot_is_covered(device: Device, draw: Draw) -> None:
    papers = Papers(device=device, stored_tare=draw is rectangular_with_stored_tare)
    found = coverage_of_lots(draw, papers, 2)
    assert min(found) >= LEAST, found


@pytest.mark.slow
@pytest.mark.parametrize("device", [BRIDGE, CALIBRATED], ids=["by class", "calibrated"])
def test_what_instruments_really_do_to_sums_is_covered(device: Device) -> None:
    papers = Papers(device=device, stored_tare=True)
    found = coverage_of_sums(rectangular_with_stored_tare, papers, 2)
    assert min(found) >= LEAST, found


def drifted(rng: np.random.Generator, lots: Lots) -> Tickets:
    return instruments.told(rng, lots, Effects(scatter=metrology.EXPIRED_WIDENING))


@pytest.mark.slow
def test_a_scale_that_drifted_beyond_its_norm_is_covered_once_it_counts_as_expired() -> None:
    believed = coverage_of_lots(drifted, Papers(device=CALIBRATED), 3)
    expired = Papers(device=metrology.out_of_calibration(CALIBRATED))
    found = coverage_of_lots(drifted, expired, 3)
    assert believed[0] < 0.92
    assert min(found) >= LEAST, found


@pytest.mark.slow
def test_a_u_that_is_a_tenth_too_small_is_noticed() -> None:
    papers = Papers(Stated(22_500, 18_000, 0.0027, 0.009))
    assert max(coverage_of_lots(normal, papers, 1)) < LEAST
    assert max(coverage_of_sums(normal, papers, 1)) < LEAST


@pytest.mark.slow
def test_sums_that_pretend_to_average_out_are_noticed() -> None:
    """Each lot alone is as well covered as it should be; the sums are the lie."""
    device = CALIBRATED._replace(systematic_share=0.0, systematic_rel=None)
    papers = Papers(device=device, laboratory=LAB._replace(systematic_share=0.0))
    assert min(coverage_of_lots(rectangular, papers, 2)) >= LEAST
    assert max(coverage_of_sums(rectangular, papers, 2)) < 0.6


def coverage_of_folded_lots(draw: Draw, stated: Stated | None, seed: int) -> tuple[float, ...]:
    """Return the same of complete lots: facts into the core's fold, balance records out."""
    rng = np.random.default_rng(seed)
    lots = instruments.lots(rng, (FOLDED_LOTS, 1))
    truth = np.hstack([lots.wet_g, lots.dry_g, lots.metal_g * 1000.0])
    tickets = draw(rng, lots)
    columns = (tickets.gross_g, tickets.tare_g, tickets.moisture, tickets.grade)
    values, sigmas = [], []
    for no, one in enumerate(zip(*(c.ravel().tolist() for c in columns), strict=True)):
        balance = folded(f"L-{no}", one, stated)
        [metal] = balance.metals
        values.append((balance.mass_wet_g, balance.mass_dry_g, metal.value_mg))
        sigmas.append(
            [
                sigma(Estimate(0.0, u_random**2, {part.source: part.u for part in parts}))
                for u_random, parts in (
                    (balance.mass_wet_u_random_g, balance.mass_wet_u_systematic_g),
                    (balance.mass_dry_u_random_g, balance.mass_dry_u_systematic_g),
                    (metal.u_random_mg, metal.u_systematic_mg),
                )
            ]
        )
    return shares(np.abs(np.array(values) - truth), np.array(sigmas))


def folded(
    lot_id: str, ticket: tuple[float, float, float, float], stated: Stated | None
) -> Balance:
    """Return the balance of a lot that is declared, weighed and assayed."""
    gross, tare, moisture, grade = round(ticket[0]), round(ticket[1]), ticket[2], ticket[3]
    maker, world = Maker(lot_id), World()
    weighing = maker.weighing(
        "MINE",
        1,
        "dispatch",
        0,
        0,
        gross_g=gross,
        tare_g=tare,
        net_g=gross - tare,
        u_random_g=None if stated is None else stated.net_random_g,
        u_systematic_g=None if stated is None else stated.net_systematic_g,
    )
    u_grade = None if stated is None else stated.grade_rel * grade
    u_moisture = None if stated is None else stated.moisture
    world.tell(
        maker.lot("MINE", 0, {"Cu": 0.024}),
        weighing,
        maker.assay("MINE", 600, {"Cu": (grade, u_grade)}, (moisture, u_moisture)),
        together=True,
    )
    return world.balances[f"lot/{lot_id}/MINE"]


@pytest.mark.slow
def test_balances_cover_normal_errors_as_stated() -> None:
    found = coverage_of_folded_lots(normal, Stated(), 5)
    assert min(found) >= LEAST, found
    assert max(found) <= MOST, found


@pytest.mark.slow
def test_balances_cover_what_instruments_really_do() -> None:
    found = coverage_of_folded_lots(rectangular, None, 6)
    assert min(found) >= LEAST, found
