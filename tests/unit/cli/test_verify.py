"""How long ``custody verify`` waits for what is on its way, and what it says at the end."""

from collections.abc import Iterable, Iterator

import pytest

from runtime.cli.verify import settled
from runtime.verify import Check, Violation, is_complete

CLEAN = [Check("kafka", 1, ()), Check("balances", 1, ())]
WRONG = [Check("kafka", 1, ()), Check("balances", 1, (Violation("lot/A", "apart"),))]


def behind(records: int) -> list[Check]:
    """Records are on their way, and a balance is apart until they are in."""
    late = Violation("t/0", f"{records} are not in", pending=True)
    return [Check("kafka", 1, (late,)), WRONG[1]]


class Looks:
    """Gives one outcome after the other, the last for ever; time goes on by sleeping."""

    def __init__(self, outcomes: Iterable[list[Check]]) -> None:
        self._outcomes: Iterator[list[Check]] = iter(outcomes)
        self._last = CLEAN
        self.now_s = 0.0

    def look(self) -> list[Check]:
        self._last = next(self._outcomes, self._last)
        return self._last

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def settled(self, settle_s: float) -> list[Check]:
        return settled(self.look, settle_s, lambda: self.now_s, self.sleep)


def test_it_waits_longer_than_asked_while_records_come_in() -> None:
    looks = Looks([*map(behind, range(50, 0, -1)), CLEAN])
    assert looks.settled(10.0) == CLEAN
    assert looks.now_s == 25.0


@pytest.mark.parametrize(("stays", "complete"), [(WRONG, True), (behind(7), False)])
def test_what_stays_apart_is_a_violation_only_where_nothing_is_on_its_way(
    stays: list[Check], *, complete: bool
) -> None:
    looks = Looks([stays])
    assert looks.settled(10.0) == stays
    assert looks.now_s == 10.0
    assert is_complete(stays) is complete


def test_records_that_never_end_are_waited_for_six_times_as_long() -> None:
    looks = Looks(behind(number) for number in range(1000))
    assert not is_complete(looks.settled(10.0))
    assert looks.now_s == 60.0
