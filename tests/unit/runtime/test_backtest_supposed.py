"""``--set``: what may be set, and a history as if its reference data had said so."""

import math

import pytest

from custody.core import CustodyFold
from custody.detect.lot_model import limit
from custody.records import Alert
from producers.outcome import Record
from runtime.backtest import supposed
from runtime.backtest.replay import Replay
from tests.support.facts import Maker
from tests.support.instruments import reference


def told(lost_kg: int = 750) -> list[Record]:
    """One truck that lost something: by 750 kg of 30 t, E is 23."""
    maker = Maker()
    return [
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.weighing("DEPOT", 60, "receipt", 45_000 - lost_kg, 15_000),
    ]


def raised(records: list[Record], *settings: str) -> list[Alert]:
    asked = supposed.supposing(records, supposed.settings_of(settings))
    said = [one for outputs in Replay(CustodyFold()).run(asked) for one in outputs]
    last = {one.alert_id: one for one in said if isinstance(one, Alert)}
    return [one for one in last.values() if one.rule == "lot_eprocess" and one.state == "open"]


def test_a_lower_threshold_raises_what_the_proved_one_does_not() -> None:
    assert raised(told()) == []
    [alert] = raised(told(), "detection.threshold=20")
    assert alert.threshold == pytest.approx(20.0)
    assert alert.threshold_basis.endswith(supposed.BASIS)
    assert len(raised(told(950))) == 1
    assert raised(told(950), "detection.threshold=2000") == []


def test_every_version_of_the_record_is_set_and_says_the_rest_as_before() -> None:
    body = {"threshold": 5.0, "basis": "of old", "lots": 900, "errors": []}
    records = [reference("detection", "lot", body), reference("detection", "way/MINE", body)]
    setting = supposed.settings_of(["detection.threshold=50", "detection.threshold=60"])
    first, mine, other = supposed.supposing(records, setting)
    assert (first.valid_from, other) == (0, records[1])  # type: ignore[union-attr]
    assert mine.body == '{"basis":"set for this run","errors":[],"threshold":60}'  # type: ignore[union-attr]
    assert limit(mine.body).ln_e == pytest.approx(math.log(60))  # type: ignore[union-attr]


def test_nothing_set_is_the_history_itself() -> None:
    assert supposed.supposing(told(), supposed.settings_of([])) == told()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("detection.treshold=4", "detection.basis, detection.lots, detection.threshold"),
        ("detection.date=2026-11-01", "no such setting"),
        ("price.Cu=4", "no such setting"),
        ("threshold", "no such setting"),
        ("detection.errors=[]", "no such setting"),
        ("detection.threshold=many", "not a number"),
        ("detection.threshold=NaN", "not a number"),
        ("detection.threshold=1e400", "not a number"),
        ("detection.threshold=true", "not a number"),
        ("detection.threshold=0.5", "not in its range"),
        ("detection.threshold", "not a number"),
    ],
)
def test_what_cannot_be_set_is_refused_with_what_can(text: str, why: str) -> None:
    with pytest.raises(supposed.BadSetting, match=why):
        supposed.settings_of([text])
