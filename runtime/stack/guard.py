"""Decides whether a process that ended is started again, and remembers why not.

A process may exit for its own good: a worker exits with code 70 when it has lost its right to
write. So an exit is a restart; many exits in a short time are a fault, and the process is left
stopped with a reason a person can read. (circus's own Flapping plugin is a process of its own,
counts in fixed groups, counts deliberate stops, and tells no reason.)
"""

import json
import signal
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime import whole_file

RESTART_CODE = 70
"""Exit code of a process of ours that wants to be started anew."""

FINAL = {2: "its settings are wrong", 4: "stored history contradicts itself"}
"""Exit codes a new start cannot cure (the command line gives them their meaning)."""


@dataclass(frozen=True, slots=True)
class Exits:
    """What is known of a process's exits.

    Attributes:
        count: Exits since the supervisor started, deliberate stops not counted.
        last_code: Exit code of the last one, a negative signal number where a signal ended it;
            None where nobody saw it.
        reason: Why it is left stopped; None while it is started again.
    """

    count: int = 0
    last_code: int | None = None
    reason: str | None = None


class Guard:
    """Counts the exits of one process in a sliding window.

    Args:
        exits_max: So many exits within the window, and it is left stopped.
        window_s: Length of the window, seconds.
    """

    def __init__(self, exits_max: int, window_s: float) -> None:
        self._window_s = window_s
        self._recent: deque[float] = deque(maxlen=exits_max)
        self.exits = Exits()

    def exited(self, code: int | None, at_s: float) -> None:
        """Take an exit that nobody asked for.

        Args:
            code: Exit code, or minus the signal; None where nobody saw it.
            at_s: When, seconds on any clock that does not go back.
        """
        self._recent.append(at_s)
        full = len(self._recent) == self._recent.maxlen
        reason = None
        if code in FINAL:
            reason = f"exited {describe(code)}"
        elif full and at_s - self._recent[0] <= self._window_s:
            reason = f"{len(self._recent)} exits in {self._window_s:g} s, the last {describe(code)}"
        self.exits = Exits(self.exits.count + 1, code, reason)

    def may_start(self) -> bool:
        """Return whether the process is to be started again."""
        return self.exits.reason is None

    def forgive(self) -> None:
        """Forget the window: a person has asked for a start."""
        self._recent.clear()
        self.exits = Exits(self.exits.count, self.exits.last_code, None)


def describe(code: int | None) -> str:
    """Return an exit code in words."""
    if code is None:
        return "unseen"
    if code < 0:
        return f"by {signal.Signals(-code).name}"
    if code == RESTART_CODE:
        return f"with code {code} (asked to be started anew)"
    if code in FINAL:
        return f"with code {code} ({FINAL[code]})"
    return f"with code {code}"


def write(path: Path, exits: Exits) -> None:
    """Store exits for ``custody status``, at once as a whole."""
    whole_file.write(path, json.dumps(asdict(exits)))


def read(path: Path) -> Exits:
    """Return what was stored, or no exits where nothing was."""
    if not path.exists():
        return Exits()
    return Exits(**json.loads(path.read_text("utf-8")))
