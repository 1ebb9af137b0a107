"""No reference record and no figure within its limits stops the test of a lot."""

import math
import warnings
from random import Random

import pytest

from custody.events import LotFact, ReferenceSet
from schemas import codec
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.world import World

ODD = (0, 1, -1, 1e-300, 1e300, 5e-324, 1e-12, 1e-5, 0.01, 0.5, 2, 50, -50, 700, -700, 1e5)
"""Numbers that people type, programs write by mistake, and floats end at."""


def odd(rng: Random) -> float:
    return rng.choice(ODD)


def fingerprint(rng: Random, site: str, analytes: list[str]) -> ReferenceSet:
    n = len(analytes)
    spread = [abs(odd(rng)) or 1.0 for _ in analytes]
    matrix = [[spread[i] if i == j else 0.0 for j in range(n)] for i in range(n)]
    for i in range(n):
        for j in range(i):
            both = spread[i] * spread[j]
            matrix[i][j] = matrix[j][i] = rng.choice((0.0, 0.1 * math.sqrt(min(both, 1e300))))
    body: dict[str, object] = {"analytes": analytes, "samples": rng.choice((2, 3, 100))}
    if rng.random() < 0.5:
        body |= {"ln_mean": [odd(rng) for _ in analytes], "ln_covariance": matrix}
    else:
        body |= {"mean": [abs(odd(rng)) for _ in analytes], "covariance": matrix}
    return reference("fingerprint", site, body)


def references(rng: Random, analytes: list[str]) -> list[ReferenceSet]:
    sites = [site for site in ("MINE", "OTHER", "THIRD") if rng.random() < 0.8]
    leg = {"from": "MINE", "to": "PORT", "expected_loss": abs(odd(rng)), "drying": abs(odd(rng)),
           "expected_loss_u": abs(odd(rng)), "drying_u": abs(odd(rng))}  # fmt: skip
    gun = {"class": "xrf", "bias_rel": abs(odd(rng)), "matrix_rel": abs(odd(rng)),
           "heterogeneity_rel": abs(odd(rng))}  # fmt: skip
    errors = [
        {"instrument": "XRF-PORT", "quantity": "Cu", "mean": rng.choice((0, 0.5, -1)), "u": 1},
        {"instrument": "WB-PORT", "quantity": "mass", "mean": 0.1, "u": abs(odd(rng))},
    ]
    limit = {"threshold": rng.choice((1, 1.5, 50, 1e300)), "errors": errors}
    lab = {"u_rel": abs(odd(rng)), "moisture_u": abs(odd(rng)), "systematic_share": 0.5}
    return [
        *[fingerprint(rng, site, analytes) for site in sites],
        reference("route", "MINE-PORT", {"legs": [leg]}),
        reference("device", "XRF-PORT", gun),
        reference("laboratory", "LAB-PORT", lab),
        reference("detection", "lot", limit),
    ]


def facts(rng: Random, analytes: list[str]) -> list[LotFact]:
    maker, most = Maker(), 0.9 / len(analytes)
    told: list[LotFact] = [maker.lot("MINE", -5, dict.fromkeys(analytes, 0.02))]
    for site, minute in (("MINE", 0), ("PORT", 600)):
        for no in range(rng.randint(0, 3)):
            seen = {
                a: rng.choice((0.02 * rng.random(), min(most, abs(odd(rng))))) for a in analytes
            }
            told.append(maker.shot(site, minute + no, seen))
        if rng.random() < 0.7:
            grades: dict[str, tuple[float, float | None]] = {
                a: (rng.choice((1e-12, 0.02, most)), rng.choice((None, 1e-12, 0.01, 0.9)))
                for a in analytes
            }
            wet = rng.choice((0.0, 0.08, 0.5, 0.999)), rng.choice((None, 0.002, 0.5))
            told.append(maker.assay(site, minute + 20, grades, moisture=wet))
    told.append(maker.weighing("MINE", 30, "dispatch", 45_000, 15_000))
    gross = rng.choice((45_000, 44_000, 15_001, 90_000))
    told.append(maker.weighing("PORT", 500, "receipt", gross, 15_000))
    rng.shuffle(told)
    return told


@pytest.mark.parametrize("seed", range(60))
def test_odd_reference_data_and_figures_never_stop_the_core(seed: int) -> None:
    """Nor does a number overflow, or divide by nothing, on the way to an alert that is written."""
    rng = Random(seed)
    analytes = ["Cu", "Co", "Fe", "S"][: rng.randint(1, 4)]
    world = World()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        world.tell(*references(rng, analytes), *facts(rng, analytes))
    for output in world.outputs:
        codec.encode(output)
