"""Amounts by name, and the shares that travel with them.

Names of amounts: ``wet`` and ``dry`` (grams), an analyte (milligrams), ``@name/unit/quality``
(an attribute, millionths of its unit).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

Amounts = dict[str, int]
Mix = dict[tuple[str, str], float]
"""Shares by (level, id) of an origin or (dimension, label) of anything else."""

ORIGINS_MAX = 256
UNKNOWN: Mix = {("unknown", ""): 1.0}


def added(*terms: tuple[int, Amounts]) -> Amounts:
    """The sum of amounts, each with its sign."""
    total: Amounts = {}
    for sign, amounts in terms:
        for name, value in amounts.items():
            total[name] = total.get(name, 0) + sign * value
    return total


def is_metal(name: str) -> bool:
    return name not in ("wet", "dry") and not name.startswith("@")


def is_attribute(name: str) -> bool:
    return name.startswith("@")


@dataclass
class Carried:
    """What is said of material in shares.

    Attributes:
        origins: Shares of the dry mass; together one.
        by_metal: Shares of each metal, where they are not those of the dry mass.
        shares: Other shares of the dry mass, by (dimension, label).
    """

    origins: Mix = field(default_factory=lambda: dict(UNKNOWN))
    by_metal: dict[str, Mix] = field(default_factory=dict)
    shares: Mix = field(default_factory=dict)

    def of_metal(self, analyte: str) -> Mix:
        return self.by_metal.get(analyte, self.origins)


@dataclass
class Handed:
    """What one owner hands to another: the side that says so, where and when, how much, of what.

    ``u_wet`` is the standard uncertainty of the wet mass, grams. ``dry_alone``: whoever handed it
    over stated its dry mass and no wet mass; ``both``: both. ``expected``: metals that nobody
    measured. ``kind``: of its process, by an input.
    """

    cause: str
    at: int
    site: str
    amounts: Amounts
    carried: Carried
    u_wet: float = 0.0
    dry_alone: bool = False
    both: bool = False
    expected: frozenset[str] = frozenset()
    kind: str = ""


def unmeasured(parts: Iterable[Handed]) -> set[str]:
    """The metals of a mixture that nobody measured in all of it: water holds none."""
    some = list(parts)
    marked = {name for one in some for name in one.expected}
    named = [{n for n in one.amounts if is_metal(n)} for one in some if one.amounts["dry"] > 0]
    return marked | {name for has in named for name in has if any(name not in m for m in named)}


def mixed(parts: Iterable[tuple[float, Mix]]) -> Mix:
    """Shares of a mixture; nothing where no part has any weight."""
    known = list(parts)
    whole = sum(weight for weight, _ in known)
    total: Mix = {}
    for weight, mix in known if whole > 0 else ():
        part = weight / whole
        for name, share in mix.items():
            total[name] = total.get(name, 0.0) + part * share
    return total


def cut(mix: Mix) -> Mix:
    """The largest 255 origins, and ``other``."""
    if len(mix) <= ORIGINS_MAX:
        return mix
    ordered = sorted(mix.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ordered[: ORIGINS_MAX - 1])
    kept["other", ""] = sum(share for _, share in ordered[ORIGINS_MAX - 1 :])
    return kept


def mixture(parts: list[tuple[Amounts, Carried]], key: str | None) -> Carried:
    """What a mixture carries.

    Args:
        parts: Amounts and what they carry.
        key: Amount that weighs origins; None or one nobody has takes the dry mass.
    """
    if not parts:
        return Carried()
    name = key if key and any(amounts.get(key, 0) > 0 for amounts, _ in parts) else "dry"
    metals = {n for amounts, _ in parts for n in amounts if is_metal(n)}
    origins = mixed((max(a.get(name, 0), 0), c.origins) for a, c in parts)
    by_metal = {
        n: cut(mixed((max(a.get(n, 0), 0), c.of_metal(n)) for a, c in parts))
        for n in metals
        if any(a.get(n, 0) > 0 for a, _ in parts)
    }
    shares = mixed((max(a.get(name, 0), 0), c.shares) for a, c in parts)
    return Carried(cut(origins) or dict(UNKNOWN), by_metal, shares)


def attributes_of(amounts: Amounts) -> Amounts:
    return {name: value for name, value in amounts.items() if is_attribute(name)}
