"""What owners post and hand each other, as rows keep it: plain named tuples."""

from typing import NamedTuple

from custody.events import Micros

BEGINNING = Micros(0)
"""Before anything was known."""

DRY, BOTH = "dry", "both"
"""Masses that an output of a process states, where it does not state its wet mass alone."""


class Posted(NamedTuple):
    """A posting that stands: accounts, grams wet and dry, amounts as in ``knowledge.Amount``."""

    debit: str
    credit: str
    wet: int
    dry: int
    amounts: dict[str, int]
    at: Micros
    movement: str | None
    process: str | None


class Sums(NamedTuple):
    """What postings add up to, and how many they are; amounts of zero are left out."""

    wet: int
    dry: int
    amounts: dict[str, int]
    postings: int


class Carried(NamedTuple):
    """What travels with a mass (``custody.carried`` has the rules).

    Attributes:
        origins: Share of the dry mass by origin; what is missing to one is unknown.
        metal_origins: The same of one metal, where it differs.
        shares: By dimension (a stage, recycled, a score) share of the dry mass by label.
        attributes: Millionths of their unit by attribute.
    """

    origins: dict[str, float]
    metal_origins: dict[str, dict[str, float]]
    shares: dict[str, dict[str, float]]
    attributes: dict[str, int]


class Held(NamedTuple):
    """An amount as a process and a lot hand it to each other, with its uncertainty.

    ``metals``: milligrams, random u, systematic u by source; ``expected`` those nobody measured.
    ``stated``: what an output states, ``DRY``, ``BOTH``, or None for its wet mass alone. ``kind``:
    what its process does by the side of an input; None of an output.
    """

    cause: str
    owner: str
    place: str
    generation: int
    at: Micros
    wet: int
    wet_u: float
    wet_parts: dict[str, float]
    dry: int
    dry_u: float
    dry_parts: dict[str, float]
    metals: dict[str, tuple[int, float, dict[str, float]]]
    carried: Carried
    stated: str | None = None
    expected: tuple[str, ...] = ()
    kind: str | None = None
