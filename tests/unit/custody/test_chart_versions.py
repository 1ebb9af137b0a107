"""When a chart says a version of its alert, of which lots, and why it takes one back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from types import MappingProxyType

import pytest

from custody.blame import LABORATORY_LOTS
from custody.chart_lots import LOTS_MAX
from custody.core import CustodyFold
from custody.deadlines import DUE, Waiting, waiting_of
from custody.events import Micros
from custody.fold import Output
from custody.records import Alert, Drift, Residual, ResidualFigure, Sighting
from tests.support.facts import MINUTE, T0, Read, Rows, event_id
from tests.support.recomputed import line_of, script, wrong

U, SHARED = 0.03, 0.01
LAB, ROAD = "instrument/LAB", "way/MINE-A>PORT"
NOBODY: Mapping[str, float] = MappingProxyType({})


def word(
    no: int,
    off: dict[str, float],
    *,
    thing: str = LAB,
    explained: float = 0.0,
    again: int = 0,
    rivals: Mapping[str, float] = NOBODY,
) -> Residual:
    """Return what a lot says of a thing; ``again`` is how often it has said another before."""
    figures = [
        ResidualFigure(
            quantity=q,
            value=value,
            u=U,
            u_shared=SHARED,
            explained=explained,
            rivals=tuple(rivals),
            rival_parts=tuple(rivals.values()),
        )
        for q, value in off.items()
    ]
    return Residual(
        sender="worker/0", n=no + 1, cause_event_id=event_id(f"lot/{no}/{again}"),
        lot_id=f"L-{no:04}", thing=thing, ways=(f"MINE-{'AB'[no % 2]}>PORT",),
        occurred_at=Micros(T0 + no * MINUTE), known_at=Micros(T0 + (no + 1_000 * again) * MINUTE),
        figures=tuple(figures),
    )  # fmt: skip


def outputs(words: Iterable[Residual]) -> list[Output]:
    fold, row, found = CustodyFold(), None, list[Output]()
    for one in words:
        step = fold.step(one.thing, row, [Read(one)], Rows())
        row = step.row
        found += step.outputs
    return found


def versions(words: Iterable[Residual]) -> list[Alert]:
    found = [one for one in outputs(words) if isinstance(one, Alert)]
    charts = script("recompute_charts")
    for alert in found:
        line = line_of(alert)
        if charts.mine(line):
            assert not wrong(charts.sums(line))
    return found


def off_by(by: float, lots: Iterable[int], seed: int = 1) -> list[Residual]:
    """Return the words of lots that are off in Cu, and scatter in Fe."""
    rng = Random(seed)
    return [
        word(no, {"Cu": by + rng.gauss(0.0, 0.7 * U), "Fe": rng.gauss(0.0, 0.7 * U)}) for no in lots
    ]


def reason(words: Iterable[Residual]) -> str:
    """Return why the alert that the words raise and take back is taken back."""
    raised, *_, gone = versions(words)
    assert (raised.state, gone.state) == ("open", "retracted")
    assert gone.cause
    return gone.reason


def test_a_laboratory_that_often_does_not_see_the_metal_says_a_version_as_its_lots_double() -> None:
    """Of the last 64 lots now more, now fewer have a figure: nobody acts on that."""
    rng = Random(1)
    words = [
        word(no, {"Cu": 0.1 + rng.gauss(0.0, U)} if rng.random() < 0.5 else {"Fe": 0.0})
        for no in range(300)
    ]
    said = versions(words)
    assert {one.state for one in said} == {"open"}
    assert len(said) <= 8


def test_lots_that_are_put_right_one_by_one_are_no_versions_while_the_size_stays() -> None:
    """Each was said before its lot was declared, and moves the onset by one: no one acts on it."""
    words = off_by(0.1, range(60))
    declared = [word(no, {"Cu": 0.0, "Fe": 0.0}, again=1) for no in range(12)]
    said = versions(words)
    assert len(versions([*words, *declared])) <= len(said) + 1


@pytest.mark.parametrize("lots", [30, 60, 200])
def test_the_sentence_of_a_chart_counts_the_lots_of_its_rows(lots: int) -> None:
    [*_, last] = versions(off_by(0.1, range(lots)))
    assert f" over {len(last.evidence)} lots, since 2" in last.reason
    assert 10 < len(last.evidence) <= min(lots, LOTS_MAX)


def test_the_figures_of_a_shift_whose_first_lots_are_forgotten_are_those_of_its_rows() -> None:
    """A second quantity is named when the first lots of the shift are long forgotten."""
    rng = Random(2)
    words = [
        word(no, {"Cu": 0.1 + rng.gauss(0.0, U)} if no % 4 == 0 else {"Fe": 0.0})
        for no in range(200)
    ]
    [*_, last] = versions(words)
    assert last.onset_event_id is None
    assert f"over its last {len(last.evidence)} lots, since" in last.reason
    assert last.size_u == pytest.approx((U**2 / len(last.evidence) + SHARED**2) ** 0.5, rel=1e-3)


def test_a_shift_that_is_over_says_since_when() -> None:
    words = [*off_by(0.1, range(40)), *off_by(0.0, range(40, 110), seed=2)]
    assert "its lots since 20" in reason(words)
    assert "are not off by it any more" in reason(words)


def test_lots_that_were_measured_again_are_named() -> None:
    again = [word(no, {"Cu": 0.0, "Fe": 0.0}, again=1) for no in range(40)]
    said = reason([*off_by(0.1, range(40)), *again])
    assert said.startswith("nothing is left of it as lots are measured now; the last is L-00")
    assert "event " in said


def test_what_something_else_explains_is_said_with_how_much() -> None:
    words = off_by(0.1, range(40))
    again = [
        word(no, {"Cu": one.figures[0].value, "Fe": 0.0}, explained=0.1, again=1)
        for no, one in enumerate(words)
    ]
    said = reason([*words, *again])
    assert "what else is known to be off explains" in said


def test_lots_that_no_longer_agree_are_said() -> None:
    rng = Random(3)
    words = off_by(0.1, range(40))
    again = [
        word(no, {"Cu": 0.1 + rng.choice((-0.09, 0.09)), "Fe": 0.0}, again=1) for no in range(40)
    ]
    assert "its lots do not agree on it" in reason([*words, *again])


def test_a_gain_that_is_left_of_a_road_is_no_loss() -> None:
    words = [word(no, {"mass": -0.1}, thing=ROAD) for no in range(20)]
    again = [word(no, {"mass": -0.1}, thing=ROAD, explained=-0.3, again=1) for no in range(20)]
    assert "what else is known to be off explains -10.50% of -10.00%" in reason([*words, *again])


def test_a_shift_that_turns_says_so_before_the_new_one_has_lots_enough() -> None:
    """A laboratory is named after 24 lots: till then nothing else explains what it was."""
    words = [word(no, {"Cu": 0.1, "moisture": 0.0}) for no in range(40)]
    words += [word(no, {"Cu": -0.1, "moisture": 0.0}) for no in range(40, 90)]
    said = versions(words)
    [gone] = [one for one in said if one.state == "retracted"]
    assert "are not off by it any more" in gone.reason
    assert said[-1].state == "open"
    assert " low over " in said[-1].reason


def test_a_shift_whose_first_lots_are_put_right_says_that_too_few_show_it() -> None:
    words = [word(no, {"Cu": 0.1, "moisture": 0.0}) for no in range(30)]
    again = [word(no, {"Cu": 0.0, "moisture": 0.0}, again=1) for no in range(12)]
    assert reason([*words, *again]) == "too few lots show it as they are measured now"


def test_a_road_on_which_nothing_is_lost_any_more_says_since_when() -> None:
    words = [word(no, {"mass": -0.1}, thing=ROAD) for no in range(20)]
    words += [word(no, {"mass": 0.2}, thing=ROAD) for no in range(20, 40)]
    assert "are not off by it any more" in reason(words)


def test_a_chart_names_who_else_explains_of_its_shift_and_how_much() -> None:
    """One cause moves the charts of all that it is compared with."""
    rivals = {"instrument/XRF-A|Co": 0.03, "way/MINE-A>PORT|mass": -0.01, "instrument/X|Cu": 1e-4}
    words = [
        word(no, {"Cu": 0.1, "Fe": 0.0}, explained=0.02, rivals=rivals if no % 2 else NOBODY)
        for no in range(8)
    ]
    [one, *_] = versions(words)
    assert one.reason.endswith(
        "judged without that; of all they are off by XRF-A (Co) explains 12%, "
        "MINE-A>PORT (mass) hides 4%"
    )


def test_a_shift_that_nobody_else_explains_names_nobody() -> None:
    [one, *_] = versions(off_by(0.1, range(8)))
    assert one.reason.endswith("judged without that")


def test_what_explains_a_shift_away_is_named() -> None:
    words = off_by(0.1, range(40))
    again = [
        word(no, {"Cu": one.figures[0].value, "Fe": 0.0}, explained=0.1, again=1,
             rivals={"instrument/XRF-A|Cu": 0.1})
        for no, one in enumerate(words)
    ]  # fmt: skip
    assert "; of all they are off by XRF-A (Cu) explains " in reason([*words, *again])


def ways_told(words: Iterable[Residual]) -> list[int]:
    """Return on how many ways the last level is said to show, once for each broadcast."""
    return [one.levels[-1].ways for one in outputs(words) if isinstance(one, Drift)]


def test_a_level_says_on_how_many_ways_it_shows() -> None:
    """Of two mines' lots: what both show is one cause in place of two."""
    assert ways_told(off_by(0.1, range(40)))[-1] == 2
    assert ways_told(off_by(0.1, range(0, 80, 2)))[-1] == 1
    assert set(ways_told([word(no, {"mass": 0.1}) for no in range(40)])) == {1}


def test_on_how_many_ways_a_level_shows_is_the_same_in_any_order() -> None:
    words = off_by(0.1, range(40))
    expected = ways_told(words)[-1]
    for seed in range(5):
        assert ways_told(Random(seed).sample(words, len(words)))[-1] == expected


def test_of_a_laboratory_that_is_named_as_many_lots_are_said_as_must_show_it() -> None:
    """Its sums may reach their limit sooner; it is named for 24 lots, and says them."""
    words = [word(no, {"Cu": 0.1, "moisture": 0.0}) for no in range(40)]
    [first, *_] = versions(words)
    assert len(first.evidence) == LABORATORY_LOTS
    assert f" over {LABORATORY_LOTS} lots, since 2" in first.reason


def turns(said: Iterable[Output]) -> list[str]:
    """Return the states of an alert's versions, each as long as it lasts once."""
    found: list[str] = []
    for one in said:
        if isinstance(one, Alert) and found[-1:] != [one.state]:
            found.append(one.state)
    return found


def at_its_limit(lots: Iterable[int], first: float = 0.1, whole: float = 0.068) -> list[Residual]:
    """Return words of lots that say less once they are measured whole."""
    return [
        replace(word(no, {"Cu": by}, again=again), known_at=Micros(T0 + no * MINUTE))
        for no in lots
        for again, by in enumerate((first, whole))
    ]


def told_when_due(words: Iterable[Residual], *, later: Iterable[Residual] = ()) -> list[Output]:
    """Return what is said where the clock comes by after the words, and more come after that."""
    fold, row, found, waiting = CustodyFold(), None, list[Output](), dict[str, object]()
    for one in [*words, None, *later]:
        due = [sighting(waiting_of(key)) for key, held in waiting.items() if held]
        for entry in [one] if one is not None else due:
            step = fold.step(LAB, row, [Read(entry)], Rows())
            row = step.row
            found += step.outputs
            waiting |= {key: held for key, held in step.rows.items() if key.startswith("due/")}
    return found


def sighting(waiting: Waiting) -> Sighting:
    return Sighting(
        sender="worker/0", n=9_999, cause_event_id=event_id("tick"), thing=waiting.owner,
        lot_id=None, site_id=None, occurred_at=waiting.at, known_at=waiting.at, quantity=DUE,
        value=None, u=None, text=waiting.about,
    )  # fmt: skip


def test_a_shift_at_its_limit_does_not_come_and_go_with_each_lot() -> None:
    """A lot speaks when it has left the mine, and again when the port has measured it."""
    said = outputs(at_its_limit(range(20)))
    assert turns(said) == ["open"]
    assert () not in [one.levels for one in said if isinstance(one, Drift)]


def test_a_shift_that_is_a_little_below_its_limit_for_a_day_is_taken_back() -> None:
    words = at_its_limit(range(8))
    assert turns(outputs(words)) == ["open"]
    said = told_when_due(words)
    assert turns(said) == ["open", "retracted"]
    assert [one.levels for one in said if isinstance(one, Drift)][-1] == ()
    assert turns(told_when_due(words, later=at_its_limit(range(8, 30)))) == [
        "open", "retracted", "open",
    ]  # fmt: skip


@pytest.mark.parametrize("lots", [7, 8, 9, 20])
def test_what_stands_once_the_clock_has_come_by_is_the_same_in_any_order(lots: int) -> None:
    words = at_its_limit(range(lots))
    last = {one.lot_id: one for one in words}
    in_order = told_when_due(last.values())
    expected = turns(in_order)[-1:] == ["open"]
    for seed in range(5):
        mixed = Random(seed).sample(words, len(words))
        ends = [*mixed, *Random(seed).sample([*last.values()], len(last))]
        assert (turns(told_when_due(ends))[-1:] == ["open"]) is expected


def test_what_is_put_right_is_taken_back_at_once() -> None:
    again = [word(no, {"Cu": 0.0}, again=2) for no in range(12)]
    assert turns(outputs([*at_its_limit(range(12), whole=0.1), *again])) == ["open", "retracted"]
