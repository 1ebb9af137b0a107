"""Attributes that say a share of a lot's dry mass, or a score of it, and no amount.

Source:
    docs/ledger.md, "Travelling attributes of a lot"
"""

from custody import units

CONTENTS = frozenset({"recycled", "verified"})
"""Attributes that are shares in whatever unit."""

SCORE = "score/"
"""What the name of a score begins with."""


def is_share(name: str, unit: str) -> bool:
    """Tell whether an attribute is a share of the mass or a score, not an amount."""
    return name.startswith(SCORE) or is_content(name, unit)


def is_content(name: str, unit: str) -> bool:
    """Tell whether an attribute says how much of the mass is of a sort; a score says none."""
    return not name.startswith(SCORE) and (unit == "fraction" or name in CONTENTS)


def share_of(amount: float, unit: str) -> float | None:
    """Return what a content is of one; None where it is no share from 0 to 1.

    Args:
        amount: As declared, finite.
        unit: As declared, any text; a share has one of ``units.PER_FRACTION``.
    """
    whole = units.PER_FRACTION.get(unit)
    share = -1.0 if whole is None else amount / float(whole)
    return share if 0.0 <= share <= 1.0 else None
