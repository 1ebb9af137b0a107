"""Outputs that somebody wrote under a worker's name: their numbers do not fit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.audit.outputs import odd
from schemas import topics
from tests.support.gateway import wall_clock
from tests.support.sinks import sighting
from tests.support.stored import PARTITION, Stored, opened

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORKER = "worker/0"
FORGED = 1_000_000


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    directory: Path = tmp_path_factory.mktemp("outputs")
    with opened(directory) as stored:
        yield stored


@pytest.fixture(autouse=True)
def honest(stored: Stored) -> None:
    stored.warehouse.command("TRUNCATE TABLE custody.sighting")
    stored.next.clear()
    stored.at_ms = 1_000_000_000_000
    put(stored, *range(1, 9))


def put(stored: Stored, *numbers: int) -> None:
    stored.put([sighting(WORKER, n, "seal/SL-1") for n in numbers])


def place(offset: int) -> str:
    return f"{topics.FLOW}/{PARTITION}@{offset}"


def test_numbers_without_a_hole_are_nobodys_fault(stored: Stored) -> None:
    put(stored, 9, 10)
    assert list(odd(stored.ask)) == []


def test_the_output_that_stands_behind_a_hole_is_named_and_not_the_true_ones(
    stored: Stored,
) -> None:
    put(stored, FORGED)
    put(stored, 9, 10)
    [one] = odd(stored.ask)
    assert (one.jumps, one.about) == (True, f"{WORKER} n {FORGED}")
    assert one.detail.startswith(f"{place(8)}: ")
    assert f"11 to {FORGED - 1}" in one.detail


def test_two_outputs_with_one_number_are_named_with_both_places(stored: Stored) -> None:
    put(stored, 9)
    put(stored, 9, 10)
    [one] = odd(stored.ask)
    assert (one.jumps, one.about) == (False, f"{WORKER} n 9")
    assert place(8) in one.detail
    assert place(9) in one.detail


@pytest.mark.parametrize(("later_ms", "named"), [(0, 0), (10_000_000, 1)])
def test_what_has_just_come_is_not_behind_a_hole_yet_unless_it_is_dated_to_come(
    stored: Stored, later_ms: int, named: int
) -> None:
    stored.at_ms = wall_clock() // 1000 + later_ms
    put(stored, 12)
    assert len(list(odd(stored.ask))) == named
