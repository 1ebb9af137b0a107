"""What stands posted of an owner, and what flowed at a place of a lot."""

import math
from dataclasses import dataclass, field

from custody.events import LotWeighed
from tests.support.oracle.amounts import Amounts, added

TRANSIT = "transit"


def account_of(lot_id: str, place: str) -> str:
    """A lot's account at a place, whose slashes are none of the path's."""
    return f"lot/{lot_id}/{place.translate({ord('%'): '%25', ord('/'): '%2F'})}"


@dataclass
class Posting:
    """An amount that moved from one account to another; ``dry`` is its dry mass unrounded.

    ``own``: nothing that a process handed over is in it.
    """

    kind: str
    cause: str
    source: str
    target: str
    amounts: Amounts
    dry: float = 0.0
    own: bool = False


@dataclass
class Flow:
    """A mass that came to a place (sign 1), left it (-1) or was found there (0).

    ``u`` is the standard uncertainty of a mass that was not weighed here, grams.
    """

    order: tuple[int, int, str]
    sign: int
    wet: int
    weighing: LotWeighed | None = None
    u: float = 0.0


@dataclass
class Place:
    """One place of a lot.

    Attributes:
        flows: What came, left and was found, in any order.
        postings: How many postings touch it.
    """

    flows: list[Flow] = field(default_factory=list)
    postings: int = 0

    def since_stock(self, until: float = math.inf) -> list[Flow]:
        """The newest stock weighing and what happened after it, in canonical order.

        At the very time of the stock weighing what came in is weighed with it; what went out
        left after it.

        Args:
            until: What happened later counts as not yet happened.
        """
        ordered = sorted(self.flows, key=lambda flow: flow.order)
        ordered = [flow for flow in ordered if flow.order[0] <= until]
        stocks = [flow for flow in ordered if flow.sign == 0]
        if not stocks:
            return ordered
        newest = stocks[-1]
        at = newest.order[0]
        out = [f for f in ordered if f.order[0] == at and f.sign < 0]
        return [newest, *out, *(f for f in ordered if f.order[0] > at)]


def sums_of(postings: list[Posting]) -> dict[str, Amounts]:
    """What postings add up to, by account; zeros left out."""
    sums: dict[str, Amounts] = {}
    for posting in postings:
        for account, sign in ((posting.source, -1), (posting.target, 1)):
            sums[account] = added((1, sums.get(account, {})), (sign, posting.amounts))
    nonzero = {a: {k: v for k, v in held.items() if v} for a, held in sums.items()}
    return {account: held for account, held in nonzero.items() if held}
