"""Which XRF shots are used: agreement of replicates, and what decides where none agree."""

import numpy as np
import pytest

from custody.detect import shot_gate
from custody.detect.lot_facts import Floats
from custody.detect.shot_gate import Reference, Why, gate

E = 12
VAR = np.full((3, E), 0.05**2)


def shots(*offsets: float, seed: int = 1) -> Floats:
    """Return shots around one composition, each with an offset up and down by analyte."""
    rng = np.random.default_rng(seed)
    pattern = np.where(np.arange(E) % 2 == 0, 1.0, -1.0)
    return np.array([-4.0 + o * pattern for o in offsets]) + (
        rng.normal(0.0, 0.05, (len(offsets), E))
    )


@pytest.mark.parametrize(("degrees", "limit"), [(12, 38.5), (6, 27.3), (4, 23.0)])
def test_the_limits_are_those_of_the_specification(degrees: int, limit: float) -> None:
    assert shot_gate.limit(degrees) == pytest.approx(limit, abs=0.05)


def test_honest_shots_disagree_once_in_eight_thousand_pairs() -> None:
    """100,000 series of two: 12.5 expected, 3.5 sigma each way."""
    rng = np.random.default_rng(7)
    ln = rng.normal(0.0, 0.05, (100_000, 2, E))
    q, degrees = shot_gate.distances(ln, np.broadcast_to(VAR[:2], ln.shape))
    apart = int((~shot_gate.agreeing(q, degrees)).sum())
    assert 1 <= apart <= 25


def test_near_the_limit_honest_shots_disagree_no_more_often() -> None:
    """Half of what shots see of all analytes is below detection: 100,000 series of two."""
    rng = np.random.default_rng(8)
    ln = rng.normal(0.0, 0.05, (100_000, 2, E))
    below = ln < 0.0
    ln = np.maximum(ln, 0.0)
    q, degrees = shot_gate.distances(ln, np.broadcast_to(VAR[:2], ln.shape), below)
    assert int((~shot_gate.agreeing(q, degrees)).sum()) <= 25


@pytest.mark.parametrize("bad", range(3))
def test_of_three_the_agreeing_pair_is_kept(bad: int) -> None:
    offsets = [0.0, 0.0, 0.0]
    offsets[bad] = 0.4
    found = gate(shots(*offsets), VAR)
    assert found.kept == tuple(i for i in range(3) if i != bad)
    (dropped,) = found.dropped
    assert (dropped.number, dropped.why) == (bad, Why.DISAGREES)
    assert dropped.statistic > dropped.limit == shot_gate.limit(E)


def test_what_is_said_of_a_dropped_shot_is_what_it_was_dropped_for() -> None:
    """It said the distance to the nearest kept shot, which may be within the limit."""
    found = gate(np.array([0.0, 0.12, 0.22])[:, None] * np.ones(E), VAR)
    [dropped] = found.dropped
    assert dropped.number == 0
    assert dropped.statistic > dropped.limit


def test_all_are_kept_where_all_agree() -> None:
    assert gate(shots(0.0, 0.0, 0.0), VAR) == ((0, 1, 2), ())


@pytest.mark.parametrize("bad", range(2))
def test_of_two_the_one_further_from_what_is_known_is_dropped(bad: int) -> None:
    """An offset common to all analytes, as between two instruments, does not mislead."""
    offsets = [0.0, 0.0]
    offsets[bad] = 0.4
    reference = Reference(np.full(E, -4.15), np.full(E, 0.005), 0.1**2)
    found = gate(shots(*offsets), VAR[:2], reference)
    assert found.kept == (1 - bad,)
    assert found.dropped[0].why is Why.FURTHER


def test_of_two_none_is_used_where_nothing_tells_which_is_bad() -> None:
    found = gate(shots(0.0, 0.4), VAR[:2])
    assert found.kept == ()
    assert [one.why for one in found.dropped] == [Why.UNDECIDED, Why.UNDECIDED]


def test_three_that_all_differ_leave_the_one_that_fits() -> None:
    reference = Reference(np.full(E, -4.0), np.full(E, 0.005), 0.0)
    found = gate(shots(0.5, 0.0, -0.5), VAR, reference)
    assert found.kept == (1,)


def test_only_analytes_that_both_report_are_compared() -> None:
    ln = shots(0.0, 0.0, 0.4)
    ln[2, ::2] = np.nan
    assert len(gate(ln, VAR).dropped) == 1
    assert gate(ln, VAR).dropped[0].degrees == E // 2
    ln[2] = np.nan
    assert gate(ln, VAR).kept == (0, 1, 2), "it says nothing, so nothing against it"


def test_of_what_is_below_detection_its_limit_is_compared_but_not_two_limits() -> None:
    ln, below = shots(0.0, 0.0, 0.0), np.zeros((3, E), dtype=np.bool_)
    below[2] = True
    ln[2] = -9.0
    assert gate(ln, VAR, below=below).kept == (0, 1)
    below[:] = True
    assert gate(ln, VAR, below=below).kept == (0, 1, 2)
    q, degrees = shot_gate.distances(ln, VAR, below)
    assert (q.sum(), degrees.sum()) == (0.0, 0.0)
    fine = np.zeros((3, E), dtype=np.bool_)
    assert not shot_gate.all_agree(ln, VAR, (3,), fine)
    assert shot_gate.all_agree(ln, VAR, (3,), below)


def test_a_limit_above_what_is_known_otherwise_is_nothing_against_a_shot() -> None:
    ln = shots(0.0, 0.4)
    ln[0, 0] = -2.0
    below = np.zeros((2, E), dtype=np.bool_)
    below[0, 0] = True
    reference = Reference(np.full(E, -4.0), np.full(E, 0.005), 0.0)
    assert gate(ln, VAR[:2], reference, below).kept == (0,)


@pytest.mark.parametrize("count", [0, 1])
def test_a_shot_alone_has_nothing_to_agree_with(count: int) -> None:
    assert gate(np.zeros((count, E)), VAR[:count]).kept == tuple(range(count))


def test_all_series_at_once_agree_as_each_does() -> None:
    fine, odd = shots(0.0, 0.0, 0.0), shots(0.0, 0.4)
    together = np.concatenate([fine, odd])
    var = np.full(together.shape, 0.05**2)
    assert not shot_gate.all_agree(together, var, (3, 5))
    assert shot_gate.all_agree(fine, VAR, (3,))
    assert shot_gate.all_agree(fine[:1], VAR[:1], (1,))
