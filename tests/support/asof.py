"""What was so at a time as known at another, by adding up transfers: the slow, plain answer."""

from collections import defaultdict
from collections.abc import Iterable

from custody.records import Transfer

Sums = dict[tuple[str, str], int]
"""By account and quantity; zeros are left out."""


def sums(transfers: Iterable[Transfer], at: int, known: int) -> Sums:
    """Add up what is effective by ``at`` and was known by ``known``, microseconds."""
    found: Sums = defaultdict(int)
    for t in transfers:
        if t.effective_at > at or t.known_at > known:
            continue
        amounts = {"wet": t.mass_wet_g, "dry": t.mass_dry_g}
        amounts |= {metal.analyte: metal.value_mg for metal in t.metals}
        amounts |= {a.name: a.value_micro for a in t.attributes}
        for name, value in amounts.items():
            found[t.debit, name] -= value
            found[t.credit, name] += value
    return {key: value for key, value in found.items() if value}
