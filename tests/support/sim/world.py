"""Chance, time and turns of a simulated world: who runs next, what time it is, who dies where.

Each thread of a simulated process is a thread of this one, and exactly one of all of them runs at
a time. It hands on at a *point*, which is where the real one would wait for a disk, a network or a
lock; the seed says who is next, and whether the process is killed there. So a run is a function of
its seed, and a kill leaves what a kill -9 leaves: what was durable before the point.

Time passes only here. It moves a little with each turn, and to the next deadline where all wait.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import NoReturn

from custody.events import Micros

START = Micros(1_762_000_000_000_000 + 2 * 86_400_000_000)
"""Two days after the facts of ``tests/support/facts.py`` begin."""

TURN_S = 0.004
"""Longest time one turn takes."""

TURNS_MAX = 400_000
"""A run that needs more does not come to rest."""


class Killed(BaseException):
    """The process died here; not an ``Exception``, so that nothing of ours catches it."""


class NotAtRest(AssertionError):
    """Something goes on for ever, or waits for what never comes."""


@dataclass(slots=True)
class Actor:
    """One thread of a process, and what it waits for."""

    name: str
    process: "Process"
    baton: threading.Lock = field(default_factory=threading.Lock)
    ready: Callable[[], bool] | None = None
    deadline_s: float | None = None
    done: bool = False

    def can_run(self, now_s: float) -> bool:
        """Tell whether it would go on if it were its turn."""
        if self.process.dead or (self.ready is None and self.deadline_s is None):
            return True
        if self.deadline_s is not None and self.deadline_s <= now_s:
            return True
        return self.ready is not None and self.ready()


@dataclass(slots=True)
class Process:
    """What dies together.

    Attributes:
        name: Whose it is.
        crash: Chance of a kill at each point.
        dead: Killed, or ended by itself.
        actors: Its threads.
        clock_ahead_us: How far its clock runs ahead.
    """

    name: str
    crash: float = 0.0
    dead: bool = False
    actors: list[Actor] = field(default_factory=list)
    clock_ahead_us: int = 0

    @property
    def gone(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.dead and all(actor.done for actor in self.actors)


class World:
    """All of it.

    Args:
        seed: What everything follows from.

    Attributes:
        rng: The only chance there is.
        now_s: Time since the beginning.
        quiet: Nothing goes wrong any more.
        kills: How many processes were killed.
        points: How often somebody waited, by what for.
        killed_at: How often somebody was killed there.
        failure: What ended a thread that should not have ended.
    """

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now_s = 0.0
        self.quiet = False
        self.kills = 0
        self.turns = 0
        self.failure: BaseException | None = None
        self.points: dict[str, int] = {}
        self.killed_at: dict[str, int] = {}
        self._ending = False
        self._digest = sha256()
        self._threads: list[threading.Thread] = []
        self._main = Actor("main", Process("main"))
        self._main.baton.acquire()
        self._actors = [self._main]
        self.current = self._main

    # -- time ---------------------------------------------------------------------------------

    def monotonic(self) -> float:
        """Return seconds of a clock that only goes forward."""
        return self.now_s

    def wall(self, process: Process | None = None) -> Micros:
        """Return the time of day, as a process's clock shows it."""
        ahead = (process or self.current.process).clock_ahead_us
        return Micros(START + round(self.now_s * 1e6) + ahead)

    # -- turns --------------------------------------------------------------------------------

    def spawn(self, process: Process, name: str, body: Callable[[], object]) -> None:
        """Give a process a thread; it runs when its turn comes."""
        actor = Actor(name, process)
        actor.baton.acquire()
        process.actors.append(actor)
        self._actors.append(actor)
        thread = threading.Thread(target=self._live, args=(actor, body), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def point(self, name: str) -> None:
        """Maybe die, maybe let others go on: where something is asked of the outside."""
        me = self.current
        self._check(me)
        self.points[name] = self.points.get(name, 0) + 1
        self._digest.update(f"{me.name} {name} {self.now_s:.6f}\n".encode())
        crash = me.process.crash
        if crash and not self.quiet and self.rng.random() < crash:
            self.killed_at[name] = self.killed_at.get(name, 0) + 1
            self.kill(me.process)
            raise Killed
        if self.rng.random() < 0.4:
            self._turn()
            self._check(me)

    def wait(self, ready: Callable[[], bool] | None, timeout_s: float | None) -> bool:
        """Let others go on until something holds or time is up; say whether it holds.

        Args:
            ready: What is waited for; None for nothing but time.
            timeout_s: How long; None for ever.
        """
        me = self.current
        self._check(me)
        if ready is not None and ready():
            return True
        me.ready = ready
        me.deadline_s = None if timeout_s is None else self.now_s + timeout_s
        self._turn()
        me.ready = me.deadline_s = None
        self._check(me)
        return ready is not None and ready()

    def chance(self, probability: float) -> bool:
        """Draw whether something goes wrong; nothing does once it is quiet."""
        return not self.quiet and self.rng.random() < probability

    def kill(self, process: Process) -> None:
        """kill -9: all its threads end where they stand."""
        if not process.dead:
            process.dead = True
            self.kills += 1

    def exit(self) -> NoReturn:
        """End the running process, as ``os._exit`` does."""
        self.current.process.dead = True
        raise Killed

    def end(self) -> None:
        """End every thread. To be called from the thread that made the world."""
        self._ending = True
        for actor in self._actors[1:]:
            while not actor.done:
                self._hand_to(actor)
        for thread in self._threads:
            thread.join()

    def digest(self) -> str:
        """Return what tells two runs apart: each point, by whom and when."""
        return self._digest.hexdigest()

    def _live(self, actor: Actor, body: Callable[[], object]) -> None:
        actor.baton.acquire()
        try:
            self._check(actor)
            body()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  raised by whoever runs the world
            self.failure = self.failure or error
        finally:
            actor.done = True
            self._actors = [other for other in self._actors if other is not actor or self._ending]
            following = self._main if self._ending or self.failure else self._choose()
            self.current = following
            following.baton.release()

    def _check(self, me: Actor) -> None:
        if me is self._main:
            if self.failure is not None:
                raise self.failure
        elif me.process.dead or self._ending:
            raise Killed

    def _turn(self) -> None:
        self.turns += 1
        if self.turns > TURNS_MAX:
            self.failure = self.failure or NotAtRest(f"{self.turns} turns")
        self.now_s += self.rng.random() * TURN_S
        self._hand_to(self._main if self.failure else self._choose())

    def _hand_to(self, chosen: Actor) -> None:
        me = self.current
        if chosen is me:
            return
        self.current = chosen
        chosen.baton.release()
        me.baton.acquire()

    def _choose(self) -> Actor:
        ready = [actor for actor in self._actors if actor.can_run(self.now_s)]
        if not ready:
            due = [a.deadline_s for a in self._actors if a.deadline_s is not None]
            assert due, "everybody waits for ever"
            self.now_s = max(self.now_s, min(due))
            ready = [actor for actor in self._actors if actor.can_run(self.now_s)]
        return ready[0] if len(ready) == 1 else self.rng.choice(ready)
