"""What reference data says of origins, instruments and limits, as the mixture detector takes it."""

import json
import math

import numpy as np
import pytest

from custody.detect.lot_facts import Known
from custody.detect.lot_model import Thought, detector, errors, fingerprint, limit

LN = {
    "analytes": ["Cu", "Co"],
    "ln_mean": [-4.0, -6.0],
    "ln_covariance": [[0.04, 0.01], [0.01, 0.09]],
}


def body(**changes: object) -> str:
    return json.dumps(LN | {"samples": 40} | changes)


def test_a_fingerprint_in_logarithms_is_taken_in_order_of_its_analytes() -> None:
    site = fingerprint("MINE", body())
    assert site is not None
    assert (site.site_id, site.analytes, site.lots) == ("MINE", ("Co", "Cu"), 40)
    assert site.mean.tolist() == [-6.0, -4.0]
    assert site.covariance.tolist() == [[0.09, 0.01], [0.01, 0.04]]


def test_means_and_covariance_of_fractions_are_those_of_a_logarithmic_normal() -> None:
    """Drawn: a million lots of a known logarithmic distribution give back its own figures."""
    rng = np.random.default_rng(5)
    lots = np.exp(rng.multivariate_normal([-4.0, -6.0], [[0.04, 0.01], [0.01, 0.09]], 1_000_000))
    said = {"analytes": ["Cu", "Co"], "mean": lots.mean(axis=0).tolist(),
            "covariance": np.cov(lots.T).tolist(), "samples": 40}  # fmt: skip
    site = fingerprint("MINE", json.dumps(said))
    assert site is not None
    assert site.mean.tolist() == pytest.approx([-6.0, -4.0], abs=0.002)
    assert site.covariance.ravel().tolist() == pytest.approx([0.09, 0.01, 0.01, 0.04], abs=0.001)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", body(analytes="Cu"), body(analytes=["Cu", "Cu"]), body(analytes=[]),
        body(ln_mean=[1.0]), body(ln_mean=[math.nan, 1.0]), body(ln_mean="x"), body(ln_mean=None),
        body(ln_covariance=[[1.0, 2.0], [2.0, 1.0]]), body(ln_covariance=[[1.0, 0.5], [0.0, 1.0]]),
        json.dumps({"analytes": ["Cu"], "mean": [0.0], "covariance": [[0.1]]}),
        json.dumps({"analytes": ["Cu"], "mean": [0.1], "covariance": [[-1.0]]}),
    ],
)  # fmt: skip
def test_a_fingerprint_that_cannot_be_used_is_none(text: str) -> None:
    assert fingerprint("MINE", text) is None


def test_few_samples_count_as_two() -> None:
    for samples in (0, 1, -5, "many", None):
        site = fingerprint("MINE", body(samples=samples))
        assert site is not None
        assert site.lots == 2


def test_without_a_record_the_limit_is_the_proved_one() -> None:
    for text in (None, "{}", '{"threshold": "low"}', '{"threshold": 0.5}', '{"threshold": NaN}'):
        found = limit(text)
        assert found.ln_e == pytest.approx(math.log(1_000))
        assert found.basis.startswith("proved")


def test_a_calibrated_limit_says_on_what_it_was() -> None:
    found = limit('{"threshold": 52, "lots": 12400, "basis": "1 in 1,000"}')
    assert found.ln_e == pytest.approx(math.log(52))
    assert found.basis == "calibrated on 12400 clean lots: 1 in 1,000"


def test_errors_of_instruments_hold_where_they_are_said_to() -> None:
    one = {"instrument": "XRF-1", "quantity": "Cu", "mean": 0.01, "u": 0.005}
    listed = [one, one | {"quantity": "mass", "site": "PORT"}, one | {"u": -1}, "no", {"mean": 1}]
    text = json.dumps({"errors": listed})
    assert errors(text, ("MINE",)) == {("XRF-1", "Cu"): Known(0.01, 0.005)}
    assert set(errors(text, ("MINE", "PORT"))) == {("XRF-1", "Cu"), ("XRF-1", "mass")}
    assert errors('{"errors": 7}', ()) == {}


def test_what_a_way_says_of_an_instrument_is_taken_before_what_holds_anywhere() -> None:
    anywhere = {"errors": [{"instrument": "WB", "quantity": "mass", "mean": 0.001, "u": 0.0005}]}
    of_way = {"errors": [{"instrument": "WB", "quantity": "mass", "mean": 0.002, "u": 0.0001}]}
    said = json.dumps(anywhere), json.dumps(of_way)
    thought = Thought(("Cu",), ("MINE",), (), None, (), (-0.05, 0.05), (), *said)
    assert detector(thought).model.errors == {("WB", "mass"): Known(0.002, 0.0001)}
    alone = thought._replace(of_way=None)
    assert detector(alone).model.errors == {("WB", "mass"): Known(0.001, 0.0005)}
