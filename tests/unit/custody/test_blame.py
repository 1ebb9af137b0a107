"""What an instrument is blamed for, and what it is not: lots that tell it something, one by one."""

from collections.abc import Callable, Mapping
from random import Random

import pytest

from custody.core import CustodyFold
from custody.events import Micros
from custody.records import Alert, Drift, Residual, ResidualFigure
from tests.support.facts import MINUTE, T0, Read, Rows, event_id

U, SHARED = 0.03, 0.01
ORIGINS = ("MINE-A", "MINE-B")


def told(
    off: Callable[[int], Mapping[str, float]], lots: int = 40, origins: tuple[str, ...] = ORIGINS
) -> list[Alert | Drift]:
    """Tell a laboratory of lots, each in a step of its own.

    Args:
        off: By what each lot is off, in logarithms by analyte.
        lots: How many.
        origins: Where they come from, one after the other.
    """
    rng, fold, row = Random(7), CustodyFold(), None
    outputs = []
    for no in range(lots):
        figures = tuple(
            ResidualFigure(
                quantity=analyte, value=value + rng.gauss(0.0, U), u=U, u_shared=SHARED,
                explained=0.0,
            )
            for analyte, value in off(no).items()
        )  # fmt: skip
        word = Residual(
            sender="worker/0", n=no + 1, cause_event_id=event_id(f"lot/{no}"),
            lot_id=f"L-{no:04}", thing="instrument/LAB", ways=(origins[no % len(origins)],),
            occurred_at=Micros(T0 + no * MINUTE), known_at=Micros(T0 + no * MINUTE),
            figures=figures,
        )  # fmt: skip
        step = fold.step("instrument/LAB", row, [Read(word)], Rows())
        row = step.row
        outputs += [one for one in step.outputs if isinstance(one, Alert | Drift)]
    return outputs


def steady(cu: float = 0.0, **others: float) -> Callable[[int], Mapping[str, float]]:
    off = {"Cu": cu, "Fe": 0.0, "Ni": 0.0, "Zn": 0.0} | others
    return lambda _: off


@pytest.mark.parametrize("origins", [ORIGINS, ORIGINS[:1]])
def test_a_bias_of_one_element_is_named(origins: tuple[str, ...]) -> None:
    alerts = [one for one in told(steady(0.10), origins=origins) if isinstance(one, Alert)]
    assert {(one.rule, one.state) for one in alerts} == {("instrument_bias", "open")}
    assert alerts[-1].size == pytest.approx(0.10, abs=0.02)


def test_every_second_lot_of_another_material_is_no_bias() -> None:
    """The mean of such lots is one that none of them shows; to believe it excused every fraud."""
    for origins in (ORIGINS, ORIGINS[:1]):
        assert told(lambda no: {"Cu": -0.4 * (no // 2 % 2)}, origins=origins) == []


def test_lots_of_one_origin_of_several_are_no_bias() -> None:
    """Whoever swaps the lots of one mine changes what its lots say, and no other's."""
    assert told(lambda no: {"Cu": 0.15 if no % 2 else 0.0}) == []


def test_a_material_that_differs_in_all_is_no_bias_where_there_is_one_origin() -> None:
    other = steady(0.12, Fe=-0.12, Ni=0.12)
    assert told(other, origins=ORIGINS[:1]) == []
    assert told(other) != []


def test_nobody_works_with_an_instrument_that_is_off_by_half() -> None:
    assert told(steady(-0.7)) == []


def test_one_fraud_among_many_hides_no_bias() -> None:
    found = told(lambda no: {"Cu": -0.9 if no == 9 else 0.10})
    assert any(isinstance(one, Alert) and one.state == "open" for one in found)


def test_a_level_stays_what_it_was_when_its_first_lots_are_forgotten() -> None:
    """More lots than a row remembers; the sentence goes on dating it by its first."""
    alerts = [one for one in told(steady(0.10), lots=200) if isinstance(one, Alert)]
    assert {one.state for one in alerts} == {"open"}
    assert len({one.onset_at for one in alerts}) == 1
    assert len({one.reason.partition("since ")[2] for one in alerts}) == 1
    # Said anew as lots double and where the size has moved by its u, not with every lot.
    assert len(alerts) <= 12
