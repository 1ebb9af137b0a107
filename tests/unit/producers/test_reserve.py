"""Room that is set aside: given up once where opening fails, and taken again."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from producers import reserve

FULL = sqlite3.OperationalError("database or disk is full")


def size(directory: Path) -> int:
    path = directory / reserve.FILE
    return path.stat().st_size if path.exists() else 0


def outcomes(*some: Exception | str) -> Iterator[Exception | str]:
    yield from some


def opened(directory: Path, coming: Iterator[Exception | str], held: list[int]) -> str:
    def attempt() -> str:
        held.append(size(directory))
        outcome = next(coming)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return reserve.opened(directory, attempt)


def test_what_cannot_be_opened_is_tried_once_more_without_the_reserve(tmp_path: Path) -> None:
    reserve.keep(tmp_path, 0)
    held: list[int] = []
    assert opened(tmp_path, outcomes(FULL, "open"), held) == "open"
    assert held == [reserve.BYTES, 0]
    assert size(tmp_path) == reserve.BYTES, "taken again at once"
    with pytest.raises(OSError, match="still"):
        opened(tmp_path, outcomes(FULL, OSError("still")), held)


def test_without_a_reserve_the_first_error_is_the_one_that_is_said(tmp_path: Path) -> None:
    held: list[int] = []
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        opened(tmp_path, outcomes(FULL), held)
    assert held == [0]


def test_a_reserve_is_kept_only_where_there_is_room_and_made_whole_later(tmp_path: Path) -> None:
    reserve.keep(tmp_path, 1 << 60)
    reserve.refill(tmp_path)
    assert size(tmp_path) == 0
    (tmp_path / reserve.FILE).write_bytes(b"x" * 5_000)
    reserve.refill(tmp_path)
    assert reserve.BYTES <= size(tmp_path) < reserve.BYTES + 4_096
    (tmp_path / reserve.FILE).write_bytes(b"x")
    reserve.keep(tmp_path, 0)
    assert size(tmp_path) >= reserve.BYTES
