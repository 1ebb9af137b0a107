"""What goes wrong outside of the processes, and for how long."""

from typing import TYPE_CHECKING

from sinks.config import GROUP
from streams.config import APP_ID

if TYPE_CHECKING:
    from tests.support.sim.run import Run

LONGEST_S = 20.0
"""Longest time that something is away at once."""

JUMPS_US = (-3_600_000_000, -1_000_000, 5_000_000, 86_400_000_000, -10 * 86_400_000_000)
"""How far a clock is set: an hour back, a second back, ahead, a day ahead, ten days back."""

POISON_MAX = 3


class Weather:
    """Changes four times a second, as often as the seed says.

    Args:
        run: Whom it falls upon.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._world = run.world
        rng = run.world.rng
        self._rough = rng.choice((0.0, 0.02, 0.08))
        self._until_s = rng.random() * 20
        self._ends: dict[str, float] = {}

    def is_over(self) -> bool:
        """Tell whether it has lasted as long as it was to."""
        return self._world.now_s >= self._until_s

    def turn(self) -> None:
        """Let something begin, or end."""
        run = self._run
        run.broker.away = self._is_away("broker")
        run.registry_away = self._is_away("registry")
        for site in run.sites:
            site.disk.full = self._is_away(f"disk of {site.gateway_id}")
            if self._chance():
                site.process.clock_ahead_us += self._world.rng.choice(JUMPS_US)
        self._rebalance()
        if self._chance() and run.poison < POISON_MAX:
            run.spoil()
        if self._chance():
            silent = self._world.rng.choice(((), ("GW-1",), ("GW-1", "GW-2")))
            run.tick(self._world.rng.randint(0, 300), *silent)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        run = self._run
        self._world.quiet = True
        run.broker.away = run.registry_away = False
        for site in run.sites:
            site.disk.full = False

    def _chance(self) -> bool:
        return self._world.rng.random() < self._rough

    def _is_away(self, what: str) -> bool:
        if self._chance() and what not in self._ends:
            self._ends[what] = self._world.now_s + self._world.rng.random() * LONGEST_S
        if self._ends.get(what, 0.0) > self._world.now_s:
            return True
        self._ends.pop(what, None)
        return False

    def _rebalance(self) -> None:
        """Move partitions; now and then a member is out before it knows."""
        groups = self._run.broker.groups
        for name in (APP_ID, GROUP):
            group = groups.get(name)
            if group is None or not group.members or not self._chance():
                continue
            # Of two sinks the one that is out might still be in the middle of an insert.
            may_be_out = name == APP_ID or len(self._run.sinks) == 1
            if may_be_out and self._world.rng.random() < 0.5:
                group.throw_out(self._world.rng.choice(group.members))
            else:
                group.rebalance()
