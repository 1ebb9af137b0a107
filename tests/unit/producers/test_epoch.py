"""When a new epoch begins."""

from pathlib import Path

import pytest

from producers.epoch import EpochFile, Mark, next_epoch


@pytest.mark.parametrize(
    ("stored", "beside", "expected"),
    [
        (None, None, (1, True)),
        (None, Mark(3, 70), (4, True)),
        (Mark(2, 70), Mark(2, 70), (2, False)),
        (Mark(2, 71), Mark(2, 70), (2, False)),
        (Mark(2, 69), Mark(2, 70), (3, True)),
        (Mark(1, 900), Mark(2, 70), (3, True)),
        (Mark(2, 70), None, (3, True)),
    ],
    ids=["new", "file left", "as left", "power cut", "older copy", "oldest copy", "no file"],
)
def test_an_outbox_older_than_its_mark_begins_the_next_epoch(
    stored: Mark | None, beside: Mark | None, expected: tuple[int, bool]
) -> None:
    assert next_epoch(stored, beside) == expected


def test_the_mark_is_read_back_and_a_broken_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "epoch.json"
    file = EpochFile(path)
    assert file.read() is None
    file.write(Mark(12, 345_678), durable=True)
    file.write(Mark(12, 7))
    assert file.read() == Mark(12, 7)
    file.close()
    path.write_text("{")
    file = EpochFile(path)
    assert file.read() is None
    file.close()
