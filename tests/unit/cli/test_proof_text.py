"""What a proof shows: every value with its unit, under the name of its field."""

from dataclasses import replace

from runtime.cli.proof_text import lines
from schemas.routes import ROUTES
from tests.support.golden import records
from tests.support.sinks import weighing


def test_masses_and_times_are_shown_with_their_units() -> None:
    fact = replace(weighing("L-1", 7), net_g=30_000_125, volume_m3=12.5, void=False)
    shown = dict(line.strip().split("  ", 1) for line in lines(fact))
    assert shown["net"] == "30,000.125 kg"
    assert shown["volume"] == "12.5 m3"
    assert shown["occurred at"].endswith("Z")
    assert (shown["void"], shown["gateway seq"]) == ("no", "7")
    assert "corrects" not in shown


def test_shares_are_shown_in_percent_and_lists_one_to_a_line() -> None:
    [assay] = records("assay")
    results = [line for line in lines(assay) if line.startswith("  results  ")]
    assert len(results) == len(assay.results)  # type: ignore[union-attr]  # an assay
    assert results[0].startswith("  results  analyte Cu, fraction 2.5 %, ")


def test_no_field_of_any_event_keeps_its_unit_in_its_name() -> None:
    for stem in (route.stem for route in ROUTES if route.chained):
        for record in records(stem):
            labels = [line.strip().split("  ", 1)[0] for line in lines(record)]
            assert labels
            assert not [label for label in labels if label.endswith((" g", " ms", " day", " s"))]
