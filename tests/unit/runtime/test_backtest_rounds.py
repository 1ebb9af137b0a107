"""What is told together in a backtest, and that an alert is dated as if nothing was."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from typing_extensions import override

from custody.core import CustodyFold
from custody.events import LotFact, Micros
from custody.fold import Entry, Input, Output, Reader, Row, Step
from custody.records import Alert
from runtime.backtest.replay import Replay
from runtime.backtest.rounds import BY_SERIES, MINUTE_US, ONE_BY_ONE, Pace, of_partitions, rounds_of
from tests.support.facts import Maker, corrected
from tests.support.fleet import Fleet
from tests.support.instruments import reference

HOUR = 60 * MINUTE_US


class Counting(CustodyFold):
    """The core; says how many records each step of an owner took."""

    def __init__(self, owner: str) -> None:
        self.steps: list[int] = []
        self._owner = owner

    @override
    def step(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:
        if owner == self._owner:
            self.steps.append(len(entries))
        return super().step(owner, row, entries, reader)


def said(records: Iterable[Input], pace: Pace, partitions: int = 1) -> list[Output]:
    told = Replay(CustodyFold(), pace, partitions).run(records)
    return [one for outputs in told for one in outputs]


def alerts(outputs: Iterable[Output]) -> list[Alert]:
    return [one for one in outputs if isinstance(one, Alert)]


def steps(facts: Iterable[Input], pace: Pace = BY_SERIES) -> list[int]:
    """Of how many records each step of the lot was."""
    fold = Counting("lot/L-1")
    for _ in Replay(fold, pace).run(facts):
        pass
    return fold.steps


def shots(maker: Maker, count: int, since: float = 0.0) -> list[LotFact]:
    return [maker.shot("MINE", since + n, {"Cu": 0.03 + n / 1e4}) for n in range(count)]


def test_shots_of_a_series_wait_for_one_another_and_for_nothing_else() -> None:
    maker = Maker("L-1")
    facts = [
        maker.lot("MINE", 0, {}),
        *shots(maker, 5, 1),
        maker.assay("MINE", 9, {"Cu": (0.03, None)}),
    ]
    # The last step is the clock's: the lot has settled.
    assert steps(facts)[:2] == [1, 6]
    assert steps(facts, ONE_BY_ONE)[:7] == [1] * 7


def test_a_series_waits_no_longer_than_its_time() -> None:
    maker = Maker("L-1")
    facts = [*shots(maker, 3), *shots(maker, 2, 121)]
    other = Maker("L-2").lot("MINE", 120.5, {})
    assert steps([*facts[:3], other, *facts[3:]])[:2] == [3, 2]


def test_a_correction_is_told_at_once() -> None:
    maker = Maker("L-1")
    series = shots(maker, 3)
    again = corrected(series[1], "again", results=())
    assert steps([*series, again, maker.assay("MINE", 99, {})])[0] == 4


def test_a_lot_that_went_into_a_process_waits_for_nothing() -> None:
    maker = Maker("L-1")
    fed = maker.side("MINE", 1, "input", "P-1")
    assert steps([fed, *shots(maker, 3, 2)], Pace(0, HOUR))[:4] == [1] * 4


def test_reference_data_is_told_between_what_was_recorded_before_and_after_it() -> None:
    maker = Maker("L-1")
    series = [replace(one, recorded_at=Micros(n)) for n, one in enumerate(shots(maker, 4))]
    site = [replace(reference("site", "MINE", {}), recorded_at=Micros(n)) for n in (2, 2)]
    rounds = rounds_of([*series[:2], *site, *series[2:]], BY_SERIES, 4)
    assert [one.facts for one in rounds] == [True, False, True]
    assert {one.begin for one in rounds} == {0}
    assert rounds[1].shares == dict.fromkeys(range(4), site)
    [home] = rounds[0].shares
    assert of_partitions(rounds, [home])[1].shares == {home: site}
    assert of_partitions(rounds, {0, 1, 2, 3} - {home})[0].shares == {}
    # All that waits is told before the record, and what comes after it afterwards.
    assert steps([*series[:2], *site, *series[2:]])[:2] == [2, 2]


def test_alerts_of_lots_are_of_the_record_that_raised_them_whatever_is_told_together() -> None:
    """Trucks that lose a share: each version of each alert, to the microsecond."""
    fleet = Fleet(3, lots=8, since=4, stolen=("MINE-B>DEPOT", 0.03), composition=True)
    records = fleet.records()
    found, expected = (
        [
            (
                one.alert_id,
                one.version,
                one.state,
                one.family,
                one.raised_at,
                one.raised_by_event_id,
            )
            for one in alerts(said(records, pace, partitions))
            if one.subject.startswith("lot/")
        ]
        for pace, partitions in ((BY_SERIES, 4), (ONE_BY_ONE, 1))
    )
    assert len(expected) >= 2
    assert sorted(found) == sorted(expected)
