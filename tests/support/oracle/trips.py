"""A lot's trips: which weighings and papers belong to one journey of one vehicle."""

from collections.abc import Sequence
from dataclasses import dataclass

from custody.events import Fact, LotMoved, LotWeighed

ENDS = ("dispatch", "receipt")


@dataclass
class Trip:
    """The facts of one trip; of two of a kind the later in canonical order."""

    weighed_out: LotWeighed | None = None
    left: LotMoved | None = None
    came: LotMoved | None = None
    weighed_in: LotWeighed | None = None
    weighed_twice: bool = False

    @property
    def sold_to(self) -> str | None:
        """The party that takes it away, where no site of the chain is named."""
        if self.left is None or self.left.to_site is not None:
            return None
        return self.left.counterparty

    @property
    def bought_from(self) -> str | None:
        return None if self.weighed_out or self.came is None else self.came.counterparty

    @property
    def arrival(self) -> Fact | None:
        """The fact that says it has arrived; a sale never does."""
        return None if self.sold_to else self.weighed_in or self.came

    @property
    def gone(self) -> bool:
        return self.left is not None or self.arrival is not None

    @property
    def source(self) -> str:
        if self.weighed_out is not None:
            return self.weighed_out.site_id
        sites = [paper.from_site for paper in (self.left, self.came) if paper is not None]
        return next((site for site in sites if site), "unknown")

    @property
    def target(self) -> str:
        if self.weighed_in is not None:
            return self.weighed_in.site_id
        sites = [paper.to_site for paper in (self.left, self.came) if paper is not None]
        return next((site for site in sites if site), "unknown")

    def take(self, fact: LotWeighed | LotMoved) -> None:
        if isinstance(fact, LotMoved):
            setattr(self, "left" if fact.kind == "dispatch" else "came", fact)
            return
        end = "weighed_out" if fact.purpose == "dispatch" else "weighed_in"
        before = getattr(self, end)
        if before is not None:
            # Weighed in at two sites it was received at two sites, which is another finding.
            self.weighed_twice |= end == "weighed_out" or before.site_id == fact.site_id
        setattr(self, end, fact)

    def has(self, fact: LotWeighed | LotMoved) -> bool:
        """Whether a fact cannot be of this trip any more: its place is taken, or it is over."""
        if isinstance(fact, LotMoved):
            first = fact.kind == "dispatch"
            taken = (self.left if first else self.came) is not None
        else:
            first = fact.purpose == "dispatch"
            taken = (self.weighed_out if first else self.weighed_in) is not None
        return taken or (first and (self.came or self.weighed_in) is not None)


def trips_of(facts: Sequence[Fact]) -> tuple[list[Trip], bool]:
    """Return the trips of facts in canonical order, and whether any was paired by its vehicle."""
    named: dict[str, Trip] = {}
    open_of: dict[str, Trip] = {}
    trips: list[Trip] = []
    for fact in facts:
        if not isinstance(fact, LotWeighed | LotMoved):
            continue
        if (fact.kind if isinstance(fact, LotMoved) else fact.purpose) not in ENDS:
            continue
        if fact.movement_id is not None:
            if fact.movement_id not in named:
                named[fact.movement_id] = Trip()
                trips.append(named[fact.movement_id])
            named[fact.movement_id].take(fact)
            continue
        vehicle = fact.vehicle_id or ""
        if vehicle not in open_of or open_of[vehicle].has(fact):
            open_of[vehicle] = Trip()
            trips.append(open_of[vehicle])
        open_of[vehicle].take(fact)
    return trips, bool(open_of)
