"""What a seed decides: the histories, how many workers, and what goes wrong in which order."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from custody.events import LotFact, ReferenceSet
from tests.support.chains import Chain, arrival
from tests.support.renaming import renamed, renamed_references

HISTORIES = 4
"""Chains of processes that go on at once, so that every chunk has facts of several."""
LEVELS = 3
FAULTS_EACH = 3


class Fault(StrEnum):
    """One thing that goes wrong."""

    KILLED = "killed at a random moment"
    KILLED_BETWEEN = "killed between two steps of the protocol"
    ENDED = "ended by SIGTERM and started again"
    GUEST = "another worker joins and leaves"
    RAISED = "an exception in a step"
    SLOW = "a slow chunk"
    UNCOMMITTED = "all killed before a partition has a commit"
    STOPPED = "stopped beyond its session"


_ORDER = tuple(Fault)
_STRIDE = 3
"""With no divisor in common with the number of faults: so many seeds in a row have each equally
often, in every place."""


class Histories:
    """Several chains under names of their own, over one set of reference data.

    Args:
        rng: Of all of them.
        count: How many.
    """

    def __init__(self, rng: Random, count: int = HISTORIES) -> None:
        chains = [Chain(rng, levels=LEVELS).draw() for _ in range(count)]
        self.by_name = {f"H{no}-": renamed(c.facts, f"H{no}-") for no, c in enumerate(chains)}
        self.references: list[ReferenceSet] = list(chains[0].references)
        for name, chain in zip(self.by_name, chains, strict=True):
            self.references += renamed_references(chain.references, name)
        self.facts: list[LotFact] = [fact for facts in self.by_name.values() for fact in facts]
        placed = [
            (at / len(facts), fact)
            for facts in self.by_name.values()
            for arrived in [arrival(facts, rng)]
            for at, fact in enumerate(arrived)
        ]
        self.sent = [fact for _, fact in sorted(placed, key=lambda pair: pair[0])]


@dataclass(frozen=True)
class Plan:
    """A repetition before it begins.

    Attributes:
        seed: What all of it follows from.
        workers: Processes that share the partitions.
        faults: What goes wrong, one after another.
        histories: What is sent.
    """

    seed: int
    workers: int
    faults: tuple[Fault, ...]
    histories: Histories

    @property
    def again(self) -> str:
        """The command that repeats it."""
        return f"python -m tests.torture --repetitions 1 --seed {self.seed}"


def plan(seed: int, histories: int = HISTORIES) -> Plan:
    """Return what a seed decides."""
    rng = Random(seed)
    first = seed * _STRIDE
    drawn = [_ORDER[(first + no) % len(_ORDER)] for no in range(FAULTS_EACH)]
    # What needs workers that have committed nothing comes before all others.
    drawn.sort(key=lambda fault: fault is not Fault.UNCOMMITTED)
    return Plan(seed, 2 + seed % 2, tuple(drawn), Histories(rng, histories))
