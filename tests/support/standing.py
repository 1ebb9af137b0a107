"""What stands in the books in the end, and what would stand there in perfect order."""

from collections.abc import Sequence
from dataclasses import replace

from custody.events import LotFact, ReferenceSet
from tests.support import agreement
from tests.support.facts import last_ticks
from tests.support.world import World, amounts


class Books:
    """What stands in the end, without when and under which number it was said.

    Attributes:
        said: What it was read from.
        sums: What transfers add up to, by account.
        balances: The last balance of each account that holds something.
        alerts: Family and subject of those open, by id.
        handed: The last content of each giver and cause that was not withdrawn.

    Args:
        said: All that was said, in any order that keeps each sender's.
    """

    def __init__(self, said: agreement.Said) -> None:
        self.said = said
        latest = {
            account: replace(b, sender="", n=0, at=0, known_at=0)  # type: ignore[arg-type]
            for account, b in said.balances.items()
        }
        self.sums = agreement.sums_of(said.transfers)
        self.balances = {account: b for account, b in latest.items() if amounts(b)}
        last = {a.alert_id: a for a in said.alerts}
        self.alerts = {i: (a.family, a.subject) for i, a in last.items() if a.state == "open"}
        edges = {(c.from_owner, c.cause_event_id): c for c in said.contents}
        self.handed = {
            cause: replace(c, sender="", n=0, known_at=0)  # type: ignore[arg-type]
            for cause, c in edges.items()
            if not c.void
        }
        assert {a: v for a, v in self.sums.items() if a.startswith(("lot/", "process/"))} == {
            account: amounts(b) for account, b in self.balances.items()
        }, "a balance is not the sum of its transfers"


def perfect(facts: Sequence[LotFact], references: Sequence[ReferenceSet]) -> Books:
    """Return the books where reference data came first and facts in canonical order."""
    world = World()
    world.tell(*references)
    world.tell(*sorted(facts, key=lambda f: (f.occurred_at, f.recorded_at, f.event_id)))
    world.tell(*last_ticks())
    return Books(agreement.said_in(world))
