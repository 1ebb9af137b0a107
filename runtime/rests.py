"""Postings to and from unaccounted accounts: a mass that is missing, or what is better known.

One posting brings a place to what is known now (docs/ledger.md, "Measurement"), so it may be both.
The mass that is missing takes with it what a gram of the place holds; the rest of the posting
moves no mass, and is restated.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from runtime.asof import Quantity, Row, quantity_of

WET = Quantity("mass", "wet", "g")
DRY = Quantity("mass", "dry", "g")

LEG = "leg"
"""Way of finding what two weighings of a trip differ by."""

RESTATED = "restated"
"""Way of finding what is better known and not missing."""

Mix = Mapping[Quantity, float]
"""What a gram of wet mass holds, in each quantity's unit."""


@dataclass(frozen=True, slots=True)
class Rest:
    """One posting to or from an unaccounted account.

    Attributes:
        found_in: ``leg``, ``stock``, ``process`` or ``RESTATED``.
        account: The account the amounts left; they entered it where ``lost`` is negative.
        event_id: The fact that showed it.
        movement_id: The trip; empty where there is none.
        numbers: Of the first and the last transfer of it, in the order of the account's outputs.
        lost: By quantity, in its unit; positive where less was found.
        mix: Of a leg whose two weighings agree to the gram: what a gram of it holds.
    """

    found_in: str
    account: str
    event_id: str
    movement_id: str
    numbers: tuple[int, int]
    lost: Mapping[Quantity, int]
    mix: Mix = field(default_factory=dict)


def divided(rest: Rest, mix: Mix | None) -> list[Rest]:
    """Return a posting found in stock as the mass that is missing and what is better known.

    Args:
        rest: The posting; any other is returned as it is.
        mix: What a gram of the place holds; None where nobody knows, which divides nothing.
    """
    if rest.found_in != "stock":
        return [rest]
    wet = rest.lost.get(WET, 0)
    if not wet:
        return [replace(rest, found_in=RESTATED)]
    if mix is None:
        return [rest]
    # What the one adds the other may have taken: then the posting says nothing of a quantity.
    every = sorted({*rest.lost, *mix}, key=lambda quantity: quantity.order)
    mass = {q: wet if q == WET else round(wet * mix.get(q, 0.0)) for q in every}
    known = {q: rest.lost.get(q, 0) - mass[q] for q in every}
    parts = ((rest.found_in, mass), (RESTATED, known))
    return [
        replace(rest, found_in=way, lost={q: lost for q, lost in part.items() if lost})
        for way, part in parts
        if any(part.values())
    ]


def mix_of(rows: Sequence[Row]) -> dict[Quantity, float] | None:
    """Return what a gram at a place holds: of what lies there, else of what left it last.

    Args:
        rows: What each event moved in and out of the place, by quantity.
    """
    there: dict[Quantity, int] = defaultdict(int)
    last: dict[Quantity, int] = defaultdict(int)
    left = [_when(row) for row in rows if _leaves(row) and quantity_of(row) == WET]
    newest = max(left, default=None)
    for row in rows:
        amount, quantity = int(str(row["amount"])), quantity_of(row)
        there[quantity] += amount
        if _leaves(row) and _when(row) == newest:
            last[quantity] += amount
    held = there if there[WET] else last
    wet = held.pop(WET, 0)
    return {quantity: amount / wet for quantity, amount in held.items()} if wet else None


def _leaves(row: Row) -> bool:
    return bool(int(str(row["out"])))


def _when(row: Row) -> tuple[int, str]:
    return int(str(row["at"])), str(row["event_id"])


def rests_of(rows: Sequence[Row]) -> list[Rest]:
    """Return the postings of the rows of ``v_unaccounted``, the quantities of each together."""
    lost: dict[tuple[str, str], dict[Quantity, int]] = defaultdict(dict)
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = str(row["account"]), str(row["event_id"])
        first.setdefault(key, row)
        lost[key][quantity_of(row)] = int(str(row["lost"]))
    return [
        Rest(
            str(row["found_in"]),
            *key,
            str(row["movement_id"]) if row["found_in"] == LEG else "",
            (int(str(row["first_n"])), int(str(row["last_n"]))),
            lost[key],
        )
        for key, row in first.items()
    ]


def even_legs(rows: Sequence[Row], rests: Sequence[Rest]) -> list[Rest]:
    """Return the legs on which nothing is missing, and of which no posting says so.

    Scales show steps: of small lots every third leg may come out even. Its two weighings are no
    better known for that, and a sum over legs that left it out would look surer than it is.

    Args:
        rows: What each receipt moved from the way to the place, by quantity.
        rests: What was missing.
    """
    uneven = {(rest.account, rest.event_id) for rest in rests}
    moved: dict[tuple[str, str, str], dict[Quantity, int]] = defaultdict(dict)
    for row in rows:
        key = str(row["account"]), str(row["event_id"]), str(row["movement_id"])
        if key[:2] not in uneven:
            moved[key][quantity_of(row)] = int(str(row["amount"]))
    return [
        Rest(
            LEG,
            account,
            event_id,
            movement_id,
            (0, 0),
            dict.fromkeys(amounts, 0),
            {quantity: amount / amounts[WET] for quantity, amount in amounts.items()},
        )
        for (account, event_id, movement_id), amounts in moved.items()
        if amounts.get(WET)
    ]
