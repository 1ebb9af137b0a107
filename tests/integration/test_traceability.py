"""Traceability on the real engine: what is covered by which evidence, and the first gap."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from custody.events import DeclaredOrigin, LotFact, LotWeighed
from custody.records import OriginShare, Share
from runtime.examined import examine
from tests.support.facts import Maker, corrected
from tests.support.lineage import NOW, a_plant, asked, emptied, moved, told
from tests.support.stored import Stored, opened

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with opened(tmp_path_factory.mktemp("traceability")) as stored:
        yield stored


@pytest.fixture
def stored(engine: Stored) -> Stored:
    return emptied(engine)


def test_everything_in_order_is_confirmed_and_has_no_gap(stored: Stored) -> None:
    told(stored, a_plant())
    _, answers = examine(stored.ask, "X", NOW)
    by_name = {str(answer["element"]): answer for answer in answers}
    assert list(by_name) == [
        "origin", "geographic_path", "chain_of_custody", "physical_evolution",
    ]  # fmt: skip
    assert [answer["first_gap"] for answer in answers] == [None] * 4
    for name, best in (
        ("origin", "measured"), ("geographic_path", "confirmed"), ("chain_of_custody", "confirmed"),
    ):  # fmt: skip
        whole = dict.fromkeys(("confirmed", "measured", "declared", "none"), 0.0) | {best: 1.0}
        assert by_name[name]["dry_fraction"] == pytest.approx(whole)
        assert by_name[name]["metal_fraction"] == {"Cu": by_name[name]["dry_fraction"]}


def origin_of(stored: Stored, lot: str = "L") -> dict[str, float]:
    """How good the evidence of a lot's origin is, where there is any."""
    [origin] = [a for a in examine(stored.ask, lot, NOW)[1] if a["element"] == "origin"]
    fractions = origin["dry_fraction"]
    assert isinstance(fractions, dict)
    return {name: share for name, share in fractions.items() if share}


def a_sale(maker: Maker, first: str, *, receipt: str | None = None) -> list[LotFact]:
    """Ore said to be of MINE, first weighed at a site, and weighed in at the smelter."""
    facts: list[LotFact] = [
        maker.lot("MINE", 0, {"Cu": 0.01}, custodian="MINE"),
        maker.weighing(first, 10, "dispatch", 45_000, 15_000, movement_id="W-1"),
        maker.move("dispatch", first, 11, (first, "SMELT"), movement_id="W-1"),
        maker.weighing("SMELT", 60, "receipt", 45_000, 15_000, movement_id="W-1"),
    ]
    if receipt is not None:
        facts.append(maker.move("receipt", "SMELT", 61, (receipt, "SMELT"), movement_id="W-1"))
    return facts


def test_an_origin_is_measured_only_where_the_first_weighing_was_made_there(
    stored: Stored,
) -> None:
    told(stored, [*a_sale(Maker("L"), "DEPOT"), *a_sale(Maker("M"), "MINE")])
    assert origin_of(stored) == {"declared": 1.0}
    assert origin_of(stored, "M") == {"measured": 1.0}


def test_a_receipt_that_names_the_declared_site_confirms_the_origin(stored: Stored) -> None:
    told(
        stored,
        [
            *a_sale(Maker("L"), "MINE", receipt="MINE"),
            *a_sale(Maker("M"), "DEPOT", receipt="DEPOT"),
            *a_sale(Maker("N"), "MINE", receipt="DEPOT"),
        ],
    )
    assert origin_of(stored) == {"confirmed": 1.0}
    assert origin_of(stored, "M") == {"declared": 1.0}
    assert origin_of(stored, "N") == {"measured": 1.0}


def test_one_load_without_the_receivers_word_leaves_the_origin_measured(stored: Stored) -> None:
    maker = Maker("L")
    second = [
        maker.weighing("MINE", 70, "dispatch", 45_000, 15_000, movement_id="W-2"),
        maker.weighing("SMELT", 90, "receipt", 45_000, 15_000, movement_id="W-2"),
    ]
    told(stored, [*a_sale(maker, "MINE", receipt="MINE"), *second])
    assert origin_of(stored) == {"measured": 1.0}


@pytest.mark.parametrize(("site", "found"), [("SMELT", "confirmed"), ("MINE", "measured")])
def test_a_declaration_of_another_site_confirms_and_one_of_the_same_does_not(
    stored: Stored, site: str, found: str
) -> None:
    maker = Maker("L")
    again = maker.lot(
        site, 70, {"Cu": 0.01}, custodian="MINE",
        declared_origins=(DeclaredOrigin(level="site", id="MINE", share=1.0),),
    )  # fmt: skip
    told(stored, [*a_sale(maker, "MINE"), again])
    assert origin_of(stored) == {found: 1.0}


def test_a_declaration_that_was_withdrawn_confirms_nothing(stored: Stored) -> None:
    maker = Maker("L")
    again = maker.lot(
        "SMELT", 70, {"Cu": 0.01},
        declared_origins=(DeclaredOrigin(level="site", id="MINE", share=1.0),),
    )  # fmt: skip
    gone = corrected(again, "withdrawn", 80.0, void=True)
    told(stored, [*a_sale(maker, "MINE"), again, gone])
    assert origin_of(stored) == {"measured": 1.0}


def test_a_truck_weighed_only_where_it_arrived_has_a_declared_origin(stored: Stored) -> None:
    maker = Maker("L")
    facts = a_sale(maker, "MINE")
    told(stored, [f for f in facts if not isinstance(f, LotWeighed) or f.site_id != "MINE"])
    assert origin_of(stored) == {"declared": 1.0}


def test_a_trip_without_receipt_and_a_process_without_close_are_named(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(stored, a_plant(close=False, receipt=False))
    _, answers = examine(stored.ask, "X", NOW)
    by_name = {str(answer["element"]): answer for answer in answers}
    assert by_name["geographic_path"]["first_gap"] == "movement W-B has no receipt"
    assert by_name["geographic_path"]["dry_fraction"] == pytest.approx(
        {"confirmed": 0.75, "measured": 0.0, "declared": 0.0, "none": 0.25}
    )
    assert by_name["geographic_path"]["metal_fraction"] == {
        "Cu": pytest.approx({"confirmed": 0.5, "measured": 0.0, "declared": 0.0, "none": 0.5})
    }
    assert by_name["physical_evolution"]["first_gap"] == "process P-7 has no close"
    text = asked(stored, monkeypatch, "traceability", "X")
    assert "first gap: movement W-B has no receipt" in text
    assert "origin: MINE-A 75.0 %, MINE-B 25.0 %" in text


def test_shares_that_travel_are_shown_with_what_is_unknown(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = (
        Share(dimension="mined", label="CD", share=0.6),
        Share(dimension="refined", label="ZM", share=1.0),
    )
    stored.put(
        [replace(moved(1, ("process/P", "lot/X"), 10), shares=stages,
                 origins=(OriginShare(level="country", id="CD", share=0.6),))]
    )  # fmt: skip
    lines = asked(stored, monkeypatch, "traceability", "X").splitlines()
    assert lines[-3:] == [
        "origin: CD 60.0 %, unknown 40.0 %", "mined: CD 60.0 %, unknown 40.0 %",
        "refined: ZM 100.0 %",
    ]  # fmt: skip
