"""The last day's counts, and whether the far ends answer."""

from custody.events import Micros
from producers.group import Answer
from producers.outcome import Code
from producers.standing import Standing
from producers.tally import HOUR_US, HOURS, Tally, keys_of, stem_of

START = Micros(1_000 * HOUR_US + 5)


def test_a_request_counts_once_by_result_and_type_however_many_records_it_has() -> None:
    answers = [
        Answer("processing", 5, None, {}),
        Answer("weighing", 0, None, {}),
        Answer("", 0, Code.UNKNOWN_TYPE, {}),
        Answer("", 0, Code.MISSING_FIELD, {}),
    ]
    raws = [{}, {}, {"type": ["x"]}, {"type": "lot"}]
    tally = Tally(START)
    tally.add(START, keys_of([stem_of(raw) for raw in raws], answers))
    assert tally.last_day(START).counts == {
        "accepted": {"processing": 1},
        "duplicate": {"weighing": 1},
        "refused": {"lot": 1, "unknown": 1},
    }


def test_what_is_a_day_old_is_no_longer_counted_nor_kept() -> None:
    tally = Tally(START)
    tally.add(START, [("accepted", "lot")])
    last_hour = Micros(START + (HOURS - 1) * HOUR_US)
    assert tally.last_day(last_hour).counts["accepted"] == {"lot": 1}
    assert tally.last_day(last_hour).since == START
    beyond = Micros(START + HOURS * HOUR_US)
    assert tally.last_day(beyond).counts["accepted"] == {}
    assert tally.last_day(beyond).since == 1_001 * HOUR_US
    tally.add(beyond, [("accepted", "xrf")])
    assert list(tally._hours) == [beyond // HOUR_US]


def test_a_type_that_is_not_ours_is_never_a_name_of_a_count() -> None:
    assert stem_of({"type": "<img src=x>"}) == "unknown"
    assert stem_of(["weighing"]) == stem_of(None) == "unknown"
    assert stem_of({"type": "weighing"}) == "weighing"


def test_since_changes_only_when_what_is_heard_changes() -> None:
    now = [Micros(1)]
    broker = Standing(lambda: now[0])
    assert (broker.name, broker.since) == ("unknown", None)
    broker.tell(up=None)
    assert broker.name == "unknown"
    broker.tell(up=False)
    now[0] = Micros(2)
    broker.tell(up=False)
    assert (broker.name, broker.since) == ("away", 1)
    broker.tell(up=True)
    assert (broker.name, broker.since) == ("up", 2)
