import pytest

from custody.events import Micros
from custody.information import Onset
from custody.records import (
    Alert,
    Balance,
    CalibratedUntil,
    Evidence,
    Metal,
    OriginShare,
    Part,
    Posterior,
)
from runtime.stored import MissingColumn, record_of

BALANCE_ROW: dict[str, object] = {
    "sender": "worker/2",
    "n": "17",
    "owner": "lot/L-1",
    "account": "lot/L-1/MINE",
    "lot_id": "L-1",
    "process_id": None,
    "place": "MINE",
    "status": "weighed",
    "at": "2026-11-03 04:42:10.000001",
    "known_at": "2026-11-03 04:43:00.000000",
    "mass_wet_g": "30000000",
    "mass_wet_u_random_g": 12.5,
    "mass_wet_u_systematic_g.source": ["WB-1"],
    "mass_wet_u_systematic_g.u": [6.5],
    "moisture_fraction": 0.08,
    "moisture_u_fraction": None,
    "mass_dry_g": 27600000,
    "mass_dry_u_random_g": 1,
    "mass_dry_u_systematic_g.source": [],
    "mass_dry_u_systematic_g.u": [],
    "metals.analyte": ["Co", "Cu"],
    "metals.value_mg": ["1", "690000000"],
    "metals.u_random_mg": [0.5, 2.0],
    "metals.u_systematic_mg.source": [[], ["LAB", "WB-1"]],
    "metals.u_systematic_mg.u": [[], [3.0, 4.0]],
    "metals.expected": [False, True],
    "origins.level": ["site"],
    "origins.id": ["MINE"],
    "origins.share": [1.0],
    "metal_origins.analyte": [],
    "metal_origins.level": [],
    "metal_origins.id": [],
    "metal_origins.share": [],
    "shares.dimension": ["mined"],
    "shares.label": ["CD"],
    "shares.share": [1.0],
    "attributes.name": ["ghg"],
    "attributes.unit": ["kgCO2e"],
    "attributes.quality": ["declared"],
    "attributes.value_micro": ["1380000000"],
}


def test_a_balance_comes_back_with_lists_inside_lists() -> None:
    found = record_of("balance", BALANCE_ROW)
    assert isinstance(found, Balance)
    assert found.n == 17
    assert found.mass_wet_g == 30_000_000
    assert found.at == Micros(1_793_680_930_000_001)
    assert found.process_id is None
    assert found.mass_wet_u_systematic_g == (Part(source="WB-1", u=6.5),)
    assert found.metals[1] == Metal(
        analyte="Cu",
        value_mg=690_000_000,
        u_random_mg=2.0,
        u_systematic_mg=(Part(source="LAB", u=3.0), Part(source="WB-1", u=4.0)),
        expected=True,
    )
    assert found.origins == (OriginShare(level="site", id="MINE", share=1.0),)


def test_a_column_that_is_not_there_is_named() -> None:
    without = {k: v for k, v in BALANCE_ROW.items() if k != "metals.value_mg"}
    with pytest.raises(MissingColumn, match=r"table balance has no column"):
        record_of("balance", without)


def test_an_alert_keeps_its_evidence_and_a_taken_name_has_its_prefix() -> None:
    row: dict[str, object] = dict.fromkeys(
        ("sender", "alert_id", "state", "rule", "family", "subject", "raised_by_event_id", "unit",
         "statistic", "threshold_basis", "severity", "reason"),
        "x",
    )  # fmt: skip
    row |= dict.fromkeys(
        ("process_id", "movement_id", "onset_event_id", "cause", "actor", "action_id",
         "onset_u_s", "assignee", "until", "resolution"),
    )  # fmt: skip
    row |= {"n": 1, "version": 2, "size": 0.5, "size_u": 0.1, "threshold": 3.0, "lot_id": ""}
    row |= {"raised_at": "2026-11-03 00:00:00.000000", "occurred_at": "1970-01-01 00:00:01"}
    row |= {"onset_at": "1970-01-01 00:00:02.500000"}
    row |= {"record_value": 5210.0, "posterior.family": ["loss"], "posterior.probability": [1.0]}
    row |= {"posterior.ln_e": [7.0], "unobserved": ["Li"]}
    row |= {"detectable.family": [], "detectable.size": []}
    row |= {"calibrations.device_id": ["WB"], "calibrations.until": ["1970-01-01 00:00:03"]}
    row |= {
        "gated.event_id": ["e3"],
        "gated.device_id": ["XRF"],
        "gated.site_id": ["PORT"],
        "gated.why": ["disagrees"],
        "gated.value": [90.0],
        "gated.threshold": [38.5],
    }
    row |= {
        "evidence.quantity": ["mass_wet"],
        "evidence.analyte": [None],
        "evidence.expected": [1.0],
        "evidence.observed": [2.0],
        "evidence.u": [0.5],
        "evidence.z": [2.0],
        "evidence.unit": ["t"],
        "evidence.event_ids": [["e1", "e2"]],
        "evidence.instruments": [[]],
        "evidence.shift": [1.5],
        "evidence.ln_ratio": [1.875],
        "evidence.u_shared": [0.25],
    }
    for name in ("movement_id", "station", "number", "probability", "score", "information"):
        row[f"trips.{name}"] = []
    for name in ("family", "stations", "movement_id", "site_id", "probability"):
        row[f"causes.{name}"] = []
    row |= {
        "way": ["MINE", "PORT"],
        "shifts": ["dry_mass"],
        "onsets.stations": [["MINE"], ["PORT"]],
        "onsets.probability": [0.25, 0.75],
        "onsets.score": [[1.5], [-2.0]],
        "onsets.information": [[4.0], [9]],
        "other_sites.site_id": ["HILL"],
        "other_sites.probability": [0.0],
        "other_sites.ln_ratios": [[]],
        "other_sites.spread": [[]],
        "own_spread": [],
        "stake_share": 0.125,
        "stake_amount": 732.5,
        "stake_currency": "USD",
        "stake_analytes": ["Cu", "Co"],
        "stake_priced_on": "2026-11-01",
        "stake_price_source": None,
        "stoppable": True,
    }
    found = record_of("alert", row)
    assert isinstance(found, Alert)
    assert found.onsets[1] == Onset(
        stations=("PORT",), probability=0.75, score=(-2.0,), information=(9.0,)
    )
    assert [site.site_id for site in found.other_sites] == ["HILL"]
    assert found.value == 5210.0
    assert found.lot_id is None
    assert found.occurred_at == Micros(1_000_000)
    assert found.onset_at == Micros(2_500_000)
    assert found.posterior == (Posterior(family="loss", probability=1.0, ln_e=7.0),)
    assert found.unobserved == ("Li",)
    assert found.detectable == ()
    assert found.calibrations == (CalibratedUntil(device_id="WB", until=Micros(3_000_000)),)
    assert [(shot.device_id, shot.value) for shot in found.gated] == [("XRF", 90.0)]
    assert found.evidence == (
        Evidence(
            quantity="mass_wet",
            analyte=None,
            expected=1.0,
            observed=2.0,
            u=0.5,
            z=2.0,
            unit="t",
            event_ids=("e1", "e2"),
            instruments=(),
            shift=1.5,
            ln_ratio=1.875,
            u_shared=0.25,
        ),
    )
