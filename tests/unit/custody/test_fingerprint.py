"""Whether one assay looks like its declared origin."""

import math

import numpy as np
import pytest
from scipy import special  # type: ignore[import-untyped]  # it ships no types

from custody.detect.fingerprint import fingerprint, ledoit_wolf
from custody.detect.lot_facts import Site
from tests.support.lot_models import ANALYTES, sites

U = dict.fromkeys(ANALYTES, 0.01)


def grades(site: int, *offsets: float) -> dict[str, float]:
    ln = sites()[site].mean + np.array(offsets or (0.0,) * 4)
    return dict(zip(ANALYTES, np.exp(ln).tolist(), strict=True))


def test_an_assay_at_the_mean_is_no_surprise() -> None:
    found = fingerprint(grades(0), U, sites()[0], sites())
    assert found is not None
    assert found.t2 == pytest.approx(0.0, abs=1e-12)
    assert found.minus_log10_p == pytest.approx(0.0)
    assert found.origins[0].site_id == "S0"


def test_material_of_another_site_is_told_by_name() -> None:
    found = fingerprint(grades(1), U, sites()[0], sites())
    assert found is not None
    assert found.minus_log10_p > 3.3
    assert found.origins[0].site_id == "S1"
    assert found.origins[0].probability > 0.99
    assert math.fsum(found.contributions) == pytest.approx(found.t2)


def test_one_analyte_is_the_square_of_students_t() -> None:
    """T2 with p = 1 by hand: 0.3 over sqrt(0.01 (1 + 1/50) + 0.01^2), 49 degrees of freedom."""
    found = fingerprint({"Co": math.exp(-6.0 + 0.3)}, U, sites()[0], ())
    assert found is not None
    t = 0.3 / math.sqrt(0.01 * (1 + 1 / 50) + 0.01**2)
    assert found.t2 == pytest.approx(t * t)
    assert found.minus_log10_p == pytest.approx(-math.log10(2 * special.stdtr(49, -t)))


@pytest.mark.parametrize("lots", [8, 20, 200])
def test_honest_lots_are_as_rare_as_said_however_few_lots_there_were(lots: int) -> None:
    """2,000 histories of six analytes at 1 %: 20 expected, at most three sigma more."""
    rng = np.random.default_rng(lots)
    names = tuple("abcdef")
    true = 0.1**2 * (0.4 + 0.6 * np.eye(6))
    factor = np.linalg.cholesky(true)
    alarms = 0
    for _ in range(2_000):
        history = rng.normal(size=(lots, 6)) @ factor.T
        covariance, _ = ledoit_wolf(history)
        site = Site(
            site_id="S",
            analytes=names,
            mean=history.mean(axis=0),
            covariance=covariance,
            lots=lots,
        )
        ln = factor @ rng.normal(size=6)
        grade = dict(zip(names, np.exp(ln).tolist(), strict=True))
        found = fingerprint(grade, dict.fromkeys(names, 0.0), site, ())
        assert found is not None
        alarms += found.minus_log10_p >= 2.0
    assert alarms <= 20 + 3 * math.sqrt(20)


def test_what_was_not_seen_or_is_not_known_is_left_out() -> None:
    odd = {"Co": 0.0, "Cu": math.nan, "Fe": math.exp(-1.5), "Au": 1e-6}
    found = fingerprint(odd, {"Fe": math.nan}, sites()[0], sites())
    assert found is not None
    assert found.analytes == ("Fe",)
    assert math.isfinite(found.t2)
    assert fingerprint({"Au": 1e-6}, {}, sites()[0], sites()) is None


def test_shrinking_is_none_with_many_lots_and_full_with_no_spread() -> None:
    rng = np.random.default_rng(1)
    true = np.array([[1.0, 0.8], [0.8, 2.0]])
    many, share = ledoit_wolf(rng.multivariate_normal([0, 0], true, 50_000))
    assert share < 0.01
    assert many == pytest.approx(true, rel=0.05)
    flat, share = ledoit_wolf(np.ones((5, 2)))
    assert share == 1.0
    assert np.isfinite(flat).all()
