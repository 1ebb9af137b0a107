"""Whose turn it is: a few queries at once, and one more that has to be quick.

Slow queries may hold every ordinary turn for a minute each. So whoever finds none is tried in the
quick turn at once, for a few seconds; what is not done by then has shown that it is slow, and waits
for an ordinary turn like others. Who holds the fewest turns is the next, then who came first.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from console.config import ConsoleConfig
from console.errors import SAME_ID_IS_RUNNING, Busy, Cancelled, Failed
from console.who import Role


class Place(Enum):
    """Where a query is."""

    WAITING = "waiting"
    ORDINARY = "ordinary"
    QUICK = "quick"


@dataclass(slots=True, eq=False)
class Turn:
    """A query that runs or waits.

    Attributes:
        query_id: Its name.
        asker: Who asks; all who share a token are one.
        role: Its role.
        no: How many came before.
        place: Where it is.
        tried: It was not done within the quick turn.
        cancelled: Somebody stopped it.
        put_out: It gave its place in a full line to somebody who had fewer in it.
        kills: How often the engine was told to stop it.
    """

    query_id: str
    asker: str
    role: Role
    no: int
    place: Place = Place.WAITING
    tried: bool = False
    cancelled: bool = False
    put_out: bool = False
    kills: int = 0


class Turns:
    """Gives turns, to any thread.

    Args:
        config: How many there are, and how long they are waited for.
        clock: Seconds that only go up.
    """

    def __init__(self, config: ConsoleConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._changed = threading.Condition()
        self._all = dict[str, Turn]()
        self._came = 0

    def take(self, query_id: str, role: Role, asker: str) -> Turn:
        """Return a turn, to be given back. Blocks at most ``query_wait_s``.

        Raises:
            Failed: One of that name is running.
            Busy: Too many wait, or none ended in time.
            Cancelled: Somebody stopped it.
        """
        with self._changed:
            if query_id in self._all:
                message = f"a query with the id {query_id} is running already"
                raise Failed(message, SAME_ID_IS_RUNNING)
            self._came += 1
            turn = Turn(query_id, asker, role, self._came)
            self._all[query_id] = turn
            try:
                if self._next_place(turn) is None:
                    self._make_room(turn)
                self._wait(turn)
            except BaseException:
                self._drop(turn)
                raise
            return turn

    def take_ordinary(self, turn: Turn) -> None:
        """Give a quick turn up for an ordinary one. Blocks at most ``query_wait_s``.

        Raises:
            Busy: None ended in time.
            Cancelled: Somebody stopped it.
        """
        with self._changed:
            turn.place, turn.tried = Place.WAITING, True
            self._changed.notify_all()
            self._wait(turn)

    def give_back(self, turn: Turn) -> None:
        """Let the next have it; harmless to call again."""
        with self._changed:
            self._drop(turn)

    def cancel(self, query_id: str, role: Role) -> Turn | None:
        """Mark a query as stopped; the operator may stop anybody's. None where there is none."""
        with self._changed:
            found = self._all.get(query_id)
            if found is None or (role is not Role.OPERATOR and found.role is not role):
                return None
            found.cancelled = True
            self._changed.notify_all()
            return found

    def runs_after(self, turn: Turn, seconds: float) -> bool:
        """Return whether it still has a turn, after a time for it to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._all.get(turn.query_id) is not turn, seconds)
            return self._all.get(turn.query_id) is turn and turn.place is not Place.WAITING

    def names(self, role: Role) -> list[str]:
        """Return the names of queries that run or wait; the operator's are all."""
        with self._changed:
            return [
                turn.query_id
                for turn in self._all.values()
                if role is Role.OPERATOR or turn.role is role
            ]

    def _wait(self, turn: Turn) -> None:
        until = self._clock() + self._config.query_wait_s
        while not turn.cancelled:
            place = self._next_place(turn)
            if place is not None:
                turn.place = place
                # Who is next now may be another.
                self._changed.notify_all()
                return
            left = until - self._clock()
            if turn.put_out or left <= 0 or not self._changed.wait(left):
                raise self._busy(turn)
        raise Cancelled(turn.query_id)

    def _busy(self, turn: Turn) -> Busy:
        config = self._config
        why = f"none ended within {config.query_wait_s:g} s"
        if turn.put_out:
            why = f"{len(self._at(Place.WAITING))} wait, most of them yours"
        elif turn.tried:
            why += f"; it was tried beside them for {config.quick_s:g} s"
        return Busy(config.queries_at_once, why)

    def _next_place(self, turn: Turn) -> Place | None:
        """Return the turn that a query that waits can have now."""
        waiting = sorted(self._at(Place.WAITING), key=self._rank)
        if len(self._at(Place.ORDINARY)) < self._config.queries_at_once:
            return Place.ORDINARY if waiting[0] is turn else None
        untried = [one for one in waiting if not one.tried]
        has_room = len(self._at(Place.QUICK)) < self._config.quick_at_once
        return Place.QUICK if has_room and untried and untried[0] is turn else None

    def _rank(self, turn: Turn) -> tuple[int, int]:
        held = sum(one.asker == turn.asker for one in self._at(Place.ORDINARY))
        return held, turn.no

    def _make_room(self, turn: Turn) -> None:
        """Let a query into the line; of a full one, who has the most in it leaves it with the last.

        Raises:
            Busy: The newcomer is that one.
        """
        others = [one for one in self._at(Place.WAITING) if one is not turn and not one.put_out]
        if len(others) < self._config.queries_waiting_max:
            return
        many = {one.asker: sum(o.asker == one.asker for o in others) for one in others}
        most = max(many, key=many.__getitem__, default=turn.asker)
        if many.get(turn.asker, 0) + 1 >= many.get(most, 0):
            raise Busy(self._config.queries_at_once, f"{len(others)} wait")
        max((one for one in others if one.asker == most), key=lambda one: one.no).put_out = True
        self._changed.notify_all()

    def _at(self, place: Place) -> list[Turn]:
        return [turn for turn in self._all.values() if turn.place is place]

    def _drop(self, turn: Turn) -> None:
        if self._all.get(turn.query_id) is turn:
            del self._all[turn.query_id]
            self._changed.notify_all()
