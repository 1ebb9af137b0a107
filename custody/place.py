"""What a lot holds at one place: the sum of its postings, and what was weighed in and out."""

from dataclasses import dataclass, field
from typing import NamedTuple

from custody.estimate import NOTHING, Estimate, add, sigma
from custody.events import Micros
from custody.knowledge import Amount, Cause

SETTLED_SIGMAS = 4.0
"""A rest within so many sigma of the weighings in and out is a difference of weighings.

What is left of a lot after all its trucks have gone is the difference of two measurements of the
same mass. It is posted to unaccounted/<lot>, so that a lot that has left has left.
"""


class Flow(NamedTuple):
    """A mass that came in (sign 1) or went out (sign -1) and how well it was measured."""

    at: Micros
    sign: float
    mass: Estimate
    cause: Cause


@dataclass(slots=True)
class Place:
    """Running sums of a place while its postings are derived.

    Attributes:
        wet: Grams.
        dry: Grams.
        metals: Milligrams by analyte.
        postings: How many postings the sums have; each is rounded.
        flows: What was weighed in and out, in the order it was met.
        stock: Newest weighing of all that was there; replaces the flows before it.
        estimate: Wet mass by the flows that count, once ``settle`` has run.
    """

    wet: int = 0
    dry: int = 0
    metals: dict[str, int] = field(default_factory=dict)
    postings: int = 0
    flows: list[Flow] = field(default_factory=list)
    stock: Flow | None = None
    estimate: Estimate = NOTHING

    def take(self, amount: Amount, sign: int) -> None:
        """Add (1) or take away (-1) what a posting moves."""
        self.wet += sign * amount.wet
        self.dry += sign * amount.dry
        metals = self.metals
        for analyte, value in amount.amounts.items():
            metals[analyte] = metals.get(analyte, 0) + sign * value
        self.postings += 1

    @property
    def is_empty(self) -> bool:
        """All that came has gone, exactly, and nothing was measured that says otherwise."""
        if self.wet or self.dry or self.flows or self.stock:
            return False
        return not any(self.metals.values())

    def settle(self) -> int:
        """Decide what wet mass is there and how well that is known.

        Returns:
            Grams; zero where what is left is only a difference of weighings, or less than
            nothing.
        """
        flows, wet = self.flows, self.wet
        if self.stock is not None:
            stock = self.stock
            flows = [stock, *[flow for flow in flows if flow.at > stock.at]]
            wet = round(sum(flow.sign * flow.mass.value for flow in flows))
        estimate = _sum(flows)
        gone = any(flow.sign < 0 for flow in flows)
        if wet < 0 or (gone and wet <= SETTLED_SIGMAS * sigma(estimate)):
            self.estimate = NOTHING
            return 0
        self.estimate = estimate._replace(value=float(wet))
        return wet

    @property
    def overdrawn(self) -> bool:
        """More went out than came in, beyond what weighings explain."""
        if self.wet >= 0:
            return False
        return -self.wet > SETTLED_SIGMAS * sigma(_sum(self.flows))

    @property
    def last_cause(self) -> Cause | None:
        """The newest fact that moved something here."""
        return max((flow.cause for flow in self.flows), default=None)


def _sum(flows: list[Flow]) -> Estimate:
    if len(flows) == 1 and flows[0].sign > 0:
        return flows[0].mass
    estimate = NOTHING
    for flow in flows:
        estimate = add(estimate, flow.mass, flow.sign)
    return estimate
