"""What a disk may hold after a power cut: what was synced, and of the rest nothing or anything.

A model of a file system that promises no more than POSIX and a journal for names do:

- what is written to a file is there once a sync of that file has begun after it and ended;
- a name that was made, removed or moved stands so once its directory was synced in the same way;
  a move is one step, synced with either of its two directories, and after those that led to it;
- of what was not synced any part may be there, in sectors of 512 bytes and in any order; names
  in their order.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.support.power_trace import Call

SECTOR_BYTES = 512
IGNORED = "-shm"
"""SQLite's index of its log: shared memory, made anew from the log."""


Present = Mapping[Path, tuple[int, bytes | None]]
"""Inode and content by path; None for the content of a directory."""


def found_in(root: Path) -> Present:
    """Return what is below a directory now."""
    return {
        path: (path.stat().st_ino, None if path.is_dir() else path.read_bytes())
        for path in root.rglob("*")
    }


@dataclass(slots=True)
class _Change:
    at: int
    offset: int
    data: bytes = b""
    size: int | None = None
    """New size where it is a truncation."""

    def apply(self, content: bytearray, rng: Random | None = None) -> None:
        if self.size is not None:
            del content[self.size :]
            content.extend(bytes(self.size - len(content)))
            return
        for begin in range(0, len(self.data), SECTOR_BYTES) if rng else (0,):
            if rng and rng.random() < 0.5:
                continue
            piece = self.data[begin : begin + SECTOR_BYTES] if rng else self.data
            place = self.offset + begin
            content.extend(bytes(max(0, place + len(piece) - len(content))))
            content[place : place + len(piece)] = piece


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    changes: list[_Change] = field(default_factory=list)


@dataclass(slots=True)
class _Naming:
    at: int
    removed: str = ""
    made: str = ""
    what: "_File | None" = None
    """The file under the name made; None for a directory."""

    def directories(self) -> set[str]:
        return {os.path.dirname(name) for name in (self.removed, self.made) if name}  # noqa: PTH120


class Disk:
    """A directory on such a disk.

    Args:
        root: Only what is below it is looked at; it is there itself.
        present: Files that are there, and synced, at the beginning: see ``found_in``.
    """

    def __init__(self, root: Path, present: "Present") -> None:
        self._root = str(root)
        self._by_inode: dict[int, _File] = {}
        self._names: dict[str, _File | None] = {self._root: None}
        for path, (inode, content) in present.items():
            known = None if content is None else _File(bytearray(content))
            self._names[str(path)] = known
            if known is not None:
                self._by_inode[inode] = known
        self._durable = dict(self._names)
        self._namings: list[_Naming] = []
        self._ended = 0

    def take(self, calls: Iterable[Call]) -> None:
        """Let calls have come to their ends, in this order."""
        for call in calls:
            if call.path.startswith(self._root) and not call.path.endswith(IGNORED):
                self._take(call)
            self._ended += 1

    def survivors(self, rng: Random | None = None) -> dict[str, bytes | None]:
        """Return what is there after a cut now: content by path, None for directories.

        Args:
            rng: Chooses what is there of the rest; None lets there be nothing of it.
        """
        names = dict(self._durable)
        pending = list(self._namings)
        for naming in pending[: rng.randint(0, len(pending))] if rng else ():
            _name(names, naming)
        found: dict[str, bytes | None] = {}
        for path, file in sorted(names.items(), key=lambda pair: pair[0]):
            parent = os.path.dirname(path)  # noqa: PTH120  a name, not a path of this machine
            if path != self._root and parent not in found:
                continue  # its directory is not there
            found[path] = None if file is None else _content(file, rng)
        return found

    def _take(self, call: Call) -> None:
        now = self._ended
        match call.name:
            case "create":
                self._create(call)
            case "write":
                self._by_inode[call.inode].changes.append(_Change(now, call.offset, call.data))
            case "truncate":
                self._by_inode[call.inode].changes.append(_Change(now, 0, size=call.size))
            case "sync":
                self._sync(call)
            case "mkdir" | "unlink" | "rename":
                self._rename(call)
            case other:
                assert other == "open", f"{other} of {call.path}: not in the model"

    def _create(self, call: Call) -> None:
        if call.path not in self._names:
            self._by_inode[call.inode] = made = _File()
            self._note(_Naming(self._ended, made=call.path, what=made))
        elif call.size:
            self._by_inode[call.inode].changes.append(_Change(self._ended, 0, size=0))

    def _rename(self, call: Call) -> None:
        if call.name == "mkdir":
            self._note(_Naming(self._ended, made=call.path))
        elif call.name == "unlink":
            self._note(_Naming(self._ended, removed=call.path))
        else:
            moved = self._names[call.path]
            self._note(_Naming(self._ended, call.path, call.other, moved))

    def _note(self, naming: _Naming) -> None:
        _name(self._names, naming)
        self._namings.append(naming)

    def _sync(self, call: Call) -> None:
        if self._names.get(call.path, self) is None:
            self._sync_directory(call)
            return
        file = self._by_inode[call.inode]
        for change in [one for one in file.changes if one.at < call.begun]:
            change.apply(file.durable)
            file.changes.remove(change)

    def _sync_directory(self, call: Call) -> None:
        """Make what was named in a directory durable, and the steps that led there."""
        chosen: list[_Naming] = []
        for naming in reversed(self._namings):
            mine = naming.at < call.begun and call.path in naming.directories()
            if mine or any(naming.made and naming.made == later.removed for later in chosen):
                chosen.append(naming)
        for naming in reversed(chosen):
            _name(self._durable, naming)
            self._namings.remove(naming)


def _name(names: dict[str, "_File | None"], naming: _Naming) -> None:
    if naming.removed:
        names.pop(naming.removed, None)
    if naming.made:
        names[naming.made] = naming.what


def _content(file: _File, rng: Random | None) -> bytes:
    content = bytearray(file.durable)
    for change in file.changes if rng else ():
        change.apply(content, rng)
    return bytes(content)


def write(survivors: Mapping[str, bytes | None], root: Path, into: Path) -> None:
    """Make what survived anew, below another directory."""
    into.mkdir()
    for name, content in survivors.items():
        path = into / os.path.relpath(name, root)
        if content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)
