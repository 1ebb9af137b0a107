"""Traceability on the real engine: what is covered by which evidence, and the first gap."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from custody.records import OriginShare, Share
from runtime.cli.traceability import examine
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
    for name in ("origin", "geographic_path", "chain_of_custody"):
        assert by_name[name]["dry_fraction"] == pytest.approx(
            {"confirmed": 1.0, "measured": 0.0, "declared": 0.0, "none": 0.0}
        )
        assert by_name[name]["metal_fraction"] == {"Cu": by_name[name]["dry_fraction"]}


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
