"""What a declaration says of a lot beside its grade: origins, stages, shares, attributes."""

from typing import TYPE_CHECKING

from custody.events import Attribute, LotDeclared
from tests.support.oracle.amounts import Amounts, Carried, Mix, is_attribute
from tests.support.oracle.refs import References

if TYPE_CHECKING:
    from tests.support.oracle.lots import LotBooks

STAGES = ("mined", "refined", "metal", "magnet")
SHARE_NAMES = ("recycled", "verified")
SCORE = "score/"
OF_ONE = {"fraction": 1, "pct": 100, "kg_per_t": 1000, "ppm": 1_000_000, "g_per_t": 1_000_000}
YES = "yes"
MICRO = 1e6
GRAMS_PER_T = 1e6


def carried(lot: LotDeclared | None, refs: References) -> Carried:
    """Shares as declared; what is missing to one is unknown."""
    if lot is None:
        return Carried()
    origins: Mix = {}
    for one in lot.declared_origins:
        key = (one.level, one.id)
        origins[key] = origins.get(key, 0.0) + one.share
    rest = 1 - sum(origins.values())
    if rest > 1e-12:
        origins["unknown", ""] = origins.get(("unknown", ""), 0.0) + rest
    return Carried(origins, {}, _mined(origins, lot, refs) | _shares(lot))


def _mined(origins: Mix, lot: LotDeclared, refs: References) -> Mix:
    """Where it was mined, by country, as far as the declared origins tell."""
    found: Mix = {}
    for (level, name), share in origins.items():
        country = name if level == "country" else None
        if level == "site":
            country = refs.body("site", name, lot.occurred_at).get("country")
        if country:
            key = ("mined", country)
            found[key] = found.get(key, 0.0) + share
    return found


def is_share(attribute: Attribute) -> bool:
    name = attribute.name
    return attribute.unit == "fraction" or name in SHARE_NAMES or name.startswith(SCORE)


def _shares(lot: LotDeclared) -> Mix:
    found: Mix = {}
    for one in lot.attributes:
        if one.name.startswith(SCORE):
            found[one.name, f"{one.amount:g}"] = 1.0
        elif is_share(one) and not beyond_one(one):
            found[one.name, YES] = one.amount / OF_ONE[one.unit]
    return found


def beyond_one(one: Attribute) -> bool:
    """Whether an attribute is to be a share of the mass and cannot be one."""
    if not is_share(one) or one.name.startswith(SCORE):
        return False
    return one.unit not in OF_ONE or not 0 <= one.amount <= OF_ONE[one.unit]


def intensities(lot: "LotBooks", whole: Amounts) -> dict[str, dict[str, float]]:
    """Millionths of each attribute's unit per gram of ``dry`` and of ``wet`` mass."""
    wet = sum(lot.went_in.wet_of(one) for one in lot.parts)
    handed = {n: v / wet for n, v in whole.items() if is_attribute(n) and wet > 0}
    found: dict[str, dict[str, float]] = {"dry": {}, "wet": handed}
    given = {name.rsplit("/", 1)[0] for name in whole if is_attribute(name)}
    for one in lot.lot.attributes if lot.lot is not None else ():
        if is_share(one) or f"@{one.name}/{one.unit}" in given:
            continue
        basis = "wet" if one.per == "total" else "dry"
        per_gram = _spread(one, lot) if one.per == "total" else _per_gram(one, lot)
        if per_gram is not None:
            name = f"@{one.name}/{one.unit}/{one.quality}"
            found[basis][name] = found[basis].get(name, 0.0) + per_gram
    return found


def _spread(one: Attribute, lot: "LotBooks") -> float | None:
    """Of a total, what a gram of wet mass has: of all that came, or of what was declared to come.

    A declared dry mass is as wet as the lot was taken to be before anybody measured it.
    """
    assert lot.lot is not None
    share = 1 - (lot.unmeasured or 0.0)
    declared = (lot.lot.declared_mass_dry_g or 0) / share if share > 0 else 0.0
    wet = max(declared, lot.entered())
    return one.amount * MICRO / wet if wet > 0 else None


def _per_gram(one: Attribute, lot: "LotBooks") -> float | None:
    share = 1 - (lot.went_in.moisture or 0.0)
    per_t = one.amount * MICRO / GRAMS_PER_T
    if one.per == "t_dry":
        return per_t
    if one.per == "t_wet":
        return per_t / share if share > 0 else None
    if one.per.removeprefix("t_") not in lot.went_in.grades:
        return None
    return per_t * lot.went_in.dry_grade(one.per.removeprefix("t_"))
