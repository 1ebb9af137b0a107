"""A gateway's disk: full at times, and losing what was not synced when the power goes.

The outbox is a real SQLite file. What is asked of the disk is seen at its connection: a commit
under ``synchronous = FULL`` is on the disk; one under less may not be, and a power cut takes it
away. So the real file need not be synced, and a run does not wait for a disk.
"""

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from typing_extensions import override

from tests.support.sim.world import World

FULL_SYNC = 2
_LEVELS = {"OFF": 0, "NORMAL": 1, "FULL": FULL_SYNC, "EXTRA": 3}
_PRAGMA = "PRAGMA synchronous = "


class Disk:
    """The directory of one gateway.

    Args:
        world: Chance.
        directory: Where its outbox lies.

    Attributes:
        full: Nothing can be written.
    """

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        self.full = False
        self._synced = directory.with_name(directory.name + ".synced")
        self._lost: bool = False
        self._epoch: bytes | None = None

    def connect(self, *given: Any, **named: Any) -> "Connection":  # noqa: ANN401  sqlite3's
        """Open a database on this disk."""
        made = sqlite3.connect(*given, factory=Connection, **named)
        made.disk = self
        return made

    def before_commit(self, level: int) -> None:
        """Keep what is synced, where what comes may not be."""
        if level < FULL_SYNC and not self._lost:
            shutil.rmtree(self._synced, ignore_errors=True)
            shutil.copytree(self.directory, self._synced)
            self._lost = True
        elif level >= FULL_SYNC:
            self._lost = False

    def synced(self, _descriptor: int) -> None:
        """Note that the epoch's file is on the disk as it is."""
        self._epoch = (self.directory / "epoch.json").read_bytes()

    def cut_power(self) -> None:
        """Lose what was not synced."""
        if self._lost:
            shutil.rmtree(self.directory)
            shutil.copytree(self._synced, self.directory)
            self._lost = False
        epoch = self.directory / "epoch.json"
        if self._epoch is not None and self.world.rng.random() < 0.5:
            epoch.write_bytes(self._epoch)


class Connection(sqlite3.Connection):
    """A connection whose commits may fail, or be the last thing its process did."""

    disk: Disk
    level = FULL_SYNC

    @override
    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith(_PRAGMA):
            self.level = _LEVELS[sql.removeprefix(_PRAGMA)]
            return super().execute(_PRAGMA + "OFF")
        if sql != "COMMIT":
            return super().execute(sql, *parameters)
        world = self.disk.world
        world.point("commit_begins")
        if self.disk.full:
            raise sqlite3.OperationalError("database or disk is full")
        self.disk.before_commit(self.level)
        done = super().execute(sql)
        world.point("commit_ends")
        return done


class Disks:
    """All of them; what stands in for ``sqlite3`` and ``os`` in ``producers``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_path: dict[str, Disk] = {}

    def add(self, directory: Path) -> Disk:
        """Return the disk of a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        made = self._by_path[directory.absolute().as_uri()] = Disk(self._world, directory)
        return made

    def sqlite3(self) -> SimpleNamespace:
        """Return what stands in for the module."""
        return SimpleNamespace(
            connect=self._connect,
            Connection=sqlite3.Connection,
            Error=sqlite3.Error,
            OperationalError=sqlite3.OperationalError,
        )

    def os(self) -> SimpleNamespace:
        """Return what stands in for ``os`` where the epoch is written."""
        return SimpleNamespace(fsync=self._fsync)

    def _fsync(self, descriptor: int) -> None:
        for disk in self._mine():
            disk.synced(descriptor)

    def _connect(self, address: str, **named: Any) -> Connection:  # noqa: ANN401  sqlite3's
        return self._by_path[address.rpartition("/")[0]].connect(address, **named)

    def _mine(self) -> list[Disk]:
        name = self._world.current.process.name
        return [disk for disk in self._by_path.values() if disk.directory.name == name]
