"""What a refused request is sent as the next time."""

import json

import pytest

from custody.events import Micros
from producers.refused_share import BODY_BYTES_MAX
from producers.view import Kept
from runtime.mending import BadChange, BodyCut, is_whole, mended, text_of


def kept(body: bytes) -> Kept:
    return Kept(7, Micros(0), "test", "bad_value", "{}", body)


def test_a_request_goes_as_it_stands_where_nothing_is_changed() -> None:
    text = '{"net_kg": 30.020, "lot_id": "L-1"}'
    assert mended(text_of(kept(text.encode())), []) == text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("net_kg=30000", {"net_kg": 30000}),
        ("net_kg=30000.5", {"net_kg": 30000.5}),
        ("lot_id=L-24-0117", {"lot_id": "L-24-0117"}),
        ('lot_id="17"', {"lot_id": "17"}),
        ("net_kg=", {}),
        ("void=true", {"void": True}),
        ("source_ref=a=b", {"source_ref": "a=b"}),
        ('net_kg={"value": 30, "unit": "t"}', {"net_kg": {"value": 30, "unit": "t"}}),
    ],
)
def test_a_field_is_set_or_taken_out(change: str, expected: dict[str, object]) -> None:
    changed = json.loads(mended('{"net_kg": 1}', [change]))
    assert {name: changed.get(name) for name in expected} == expected
    assert ("net_kg" in changed) == (change != "net_kg=")


def test_a_path_leads_into_objects_and_lists() -> None:
    text = '{"results": [{"analyte": "Cu", "value": 250, "unit": "pct"}]}'
    changed = mended(text, ["results.0.value=2.5", "results.0.u="])
    assert json.loads(changed)["results"] == [{"analyte": "Cu", "value": 2.5, "unit": "pct"}]


@pytest.mark.parametrize("change", ["net_kg", "=3", "results.9.value=1", "lot.a.b=1", "0=1"])
def test_a_change_without_a_place_is_not_made(change: str) -> None:
    with pytest.raises(BadChange):
        mended('{"results": [], "lot": "L-1"}' if change != "0=1" else "17", [change])


def test_a_request_that_was_cut_is_not_sent() -> None:
    long = json.dumps({"tags": ["Z" * 100] * 700}).encode()
    assert len(long) > BODY_BYTES_MAX
    assert not is_whole(kept(long[:BODY_BYTES_MAX]))
    with pytest.raises(BodyCut, match=f"{BODY_BYTES_MAX:,} bytes"):
        text_of(kept(long[:BODY_BYTES_MAX]))


def test_a_request_of_exactly_the_bound_is_whole() -> None:
    exact = json.dumps("Z" * (BODY_BYTES_MAX - 2)).encode()
    assert len(exact) == BODY_BYTES_MAX
    assert is_whole(kept(exact))


def test_what_is_no_object_is_changed_by_a_file_only() -> None:
    with pytest.raises(BadChange, match="no JSON"):
        mended("{", ["a=1"])
