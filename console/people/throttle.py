"""How often a password may be guessed: by user and by address.

An attempt counts before the password is looked at, and is given back where it was right: a hundred
guesses at once are a hundred guesses. What is remembered is in memory and bounded; a restart
forgets it, and who can restart the console needs no password.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """How many attempts are free, and how long one waits for the next after them, seconds.

    The wait doubles from one second up to ``wait_s_max``.
    """

    free: int
    wait_s_max: float


USER = Limit(10, 60.0)
"""Short, because whoever guesses at somebody's password shuts him out for as long."""
ADDRESS = Limit(20, 900.0)

_FORGET_S = 3_600.0


@dataclass(slots=True)
class _Tries:
    count: int = 0
    last_s: float = 0.0


class Throttle:
    """Counts attempts. Threads may share it.

    Args:
        monotonic: Seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()

    def begin(self, user: str, address: str) -> float:
        """Count an attempt; return 0, or the seconds until the next one is looked at."""
        now = self._monotonic()
        pairs = ((("user", user), USER), (("address", address), ADDRESS))
        with self._lock:
            wait_s = max(self._wait(self._of(key, now), limit, now) for key, limit in pairs)
            if not wait_s:
                for key, _ in pairs:
                    tries = self._of(key, now)
                    tries.count += 1
                    tries.last_s = now
        return wait_s

    def succeeded(self, user: str, address: str) -> None:
        """Give an attempt back: the user's are forgotten, the address has one less.

        Not all of an address's, or a user of ours could guess at others' for ever.
        """
        with self._lock:
            self._tries.pop(("user", user), None)
            tries = self._tries.get(("address", address))
            if tries is not None:
                tries.count -= 1

    def _of(self, key: tuple[str, str], now: float) -> _Tries:
        tries = self._tries.setdefault(key, _Tries(last_s=now))
        self._tries.move_to_end(key)
        if now - tries.last_s > _FORGET_S:
            tries.count = 0
        while len(self._tries) > _KEPT_MAX:
            self._tries.popitem(last=False)
        return tries

    @staticmethod
    def _wait(tries: _Tries, limit: Limit, now: float) -> float:
        beyond = tries.count - limit.free
        if beyond < 0:
            return 0.0
        wait_s = min(limit.wait_s_max, 2.0 ** min(beyond, 20))
        return max(0.0, tries.last_s + wait_s - now)
