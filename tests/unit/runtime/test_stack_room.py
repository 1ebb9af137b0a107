"""What a person is told when the data directory cannot be used."""

import errno
from pathlib import Path

import pytest

from runtime.stack.up import NoRoom, check_room


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.EACCES, "the right to write"),
        (errno.EROFS, "the right to write"),
        (errno.ENOTDIR, "another path"),
        (errno.ENOSPC, "free some"),
        (errno.EIO, "free some"),
    ],
)
def test_hint_is_about_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
) -> None:
    def refuse(_path: Path, _content: bytes) -> int:
        raise OSError(code, "no")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(NoRoom) as refused:
        check_room(tmp_path, 1)
    assert hint in refused.value.next_step
    assert "CUSTODY_DATA_DIR" in refused.value.next_step


def test_path_through_a_file_is_called_a_wrong_path(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(NoRoom, match="no directory"):
        check_room(file / "data", 1)
