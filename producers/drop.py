"""The file drop: a folder that is looked into, and whose files are taken one after the other.

It is polled, because notices of changes do not come across network shares. A file that was the
same at two looks, an empty one at twelve, is moved to ``taking`` and read there. Whatever is
wrong with the folder is a state in ``/health`` and a line in the log, and is tried again at the
next look.
"""

import logging
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

from producers import drop_file as one_file
from producers import drop_place as place
from producers import drop_read, drop_table
from producers.config import DropConfig
from producers.drop_look import Quiet, Sight, look, seen_again, sight, status_of, steady
from producers.drop_read import Reader
from producers.drop_state import DropState
from producers.inlet import Surroundings
from telemetry import metrics

STARTING, WATCHING, STOPPED = "starting", "watching", "stopped"
AWAY, UNUSABLE, CLOSED = "folder_away", "folder_unusable", "outbox_closed"
"""States in ``/health``."""

_OURS = frozenset({"taking", "done", "failed"})

log = logging.getLogger(__name__)

READERS: Mapping[str, Reader] = {**drop_read.READERS, **drop_table.READERS}
"""How dropped files are read, by the end of the name, lower case."""


class Drop:
    """Takes what is dropped into a folder, on a thread of its own.

    Args:
        config: Where, and within what limits.
        given: What the gateway gives it.
        readers: How files are read, by the end of the name.
    """

    name = "drop"

    def __init__(
        self, config: DropConfig, given: Surroundings, readers: Mapping[str, Reader] = READERS
    ) -> None:
        self._config = config
        self._given = given
        self._readers = readers
        self._places = place.Places(config.folder)
        self._stop = threading.Event()
        self._state, self._reason = STARTING, ""
        self._waiting = 0
        self._quiet: Mapping[str, Quiet] = {}
        self._told: Mapping[str, str] = {}
        given.counts.watch(metrics.DROP_WAITING, lambda: float(self._waiting))
        self._thread = threading.Thread(target=self._run, name="drop", daemon=True)

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch that is under way; its file is gone on with at the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._state = STOPPED

    def state(self) -> Mapping[str, object]:
        """Return how it is, for ``/health``."""
        return {"state": self._state, "reason": self._reason, "waiting": self._waiting}

    def _run(self) -> None:
        while not self._stop.is_set():
            self._look_once()
            self._stop.wait(self._config.poll_s)

    def _look_once(self) -> None:
        try:
            self._places.prepare()
            state = DropState(self._given.database)
            try:
                self._take_all(self._workplace(state))
            finally:
                state.close()
        except one_file.Stopped:
            return
        except place.NoPlace as error:
            self._note(AWAY, error.what)
        except OSError as error:
            self._note(UNUSABLE, f"{error.strerror}: {error.filename}")
        except sqlite3.Error as error:
            self._note(CLOSED, str(error))
        except Exception as error:
            # A process edge: whatever it is, the files are where they were.
            log.exception("looking into the drop folder failed")
            self._note(UNUSABLE, type(error).__name__)
        else:
            self._note(WATCHING, "")

    def _workplace(self, state: DropState) -> one_file.Workplace:
        return one_file.Workplace(
            places=self._places,
            state=state,
            take=self._given.take,
            clock=self._given.clock,
            limits=self._config,
            stop=self._stop,
            note=lambda why: self._note(CLOSED if why else WATCHING, why),
            gateway_id=self._given.gateway_id,
            readers=self._readers,
        )

    def _take_all(self, at: one_file.Workplace) -> None:
        """Finish what was begun, then take what has stopped growing."""
        for begun in sorted(self._places.taking.iterdir()):
            # A half moved file of a crash between two file systems; its source is still there.
            if begun.name.startswith(".") and place.is_file(begun):
                begun.unlink()
            else:
                self._count(one_file.settle(begun.name, at))
        at.state.close_all_moved()
        found = look(self._config.folder, _OURS)
        self._refuse(found.others, at)
        self._waiting = len(found.files)
        self._quiet = seen_again(self._quiet, found.files)
        for name in steady(self._quiet):
            self._claim(name, found.files[name], at)

    def _refuse(self, others: Mapping[str, str], at: one_file.Workplace) -> None:
        """Say once of each that it is no file."""
        for name, what in others.items():
            if self._told.get(name) != what:
                one_file.refuse(name, what, at)
        self._told = others

    def _claim(self, name: str, seen: Sight, at: one_file.Workplace) -> None:
        """Move a file to where nobody else writes, and deal with it there."""
        if self._stop.is_set():
            raise one_file.Stopped
        source = self._config.folder / name
        status = status_of(source)
        if status is None or sight(status) != seen:
            return
        target = self._places.taking / name
        try:
            place.move(source, target)
        except PermissionError:
            # On Windows a file that somebody has open cannot be moved: it is still being written.
            # Where nothing can be moved at all, the folder is to blame.
            self._assert_writable(target)
            return
        self._count(one_file.settle(name, at))

    def _assert_writable(self, target: Path) -> None:
        """Raise where our own folder takes no file.

        Raises:
            OSError: It does not.
        """
        probe = target.with_name(".probe")
        probe.touch()
        probe.unlink()

    def _count(self, outcome: str | None) -> None:
        if outcome is not None:
            self._waiting = max(0, self._waiting - 1)
            self._given.counts.add(metrics.DROP_FILES, outcome)

    def _note(self, state: str, reason: str) -> None:
        if state != self._state:
            if state != WATCHING:
                log.warning("drop folder not read", extra={"state": state, "reason": reason})
            elif self._state != STARTING:
                log.warning("drop folder read again")
        self._state, self._reason = state, reason
