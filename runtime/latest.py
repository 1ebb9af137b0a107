"""What a lot holds now: the latest balance of each of its accounts.

It is the sum of its transfers (``custody verify``) and has their uncertainty beside it.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from custody.records import Balance, Part
from runtime.asof import Ask, Holding, Quantity, Uncertainty
from runtime.stored import record_of
from schemas.present import rfc3339

_BALANCES = """
SELECT * EXCEPT (key, prev, digest, value)
FROM custody.balance
WHERE lot_id = {lot:String}
ORDER BY account, n DESC
LIMIT 1 BY account
"""


def latest(ask: Ask, lot_id: str) -> list[Balance]:
    """Return the latest balance of each place a lot has been at; blocks."""
    return [cast("Balance", record_of("balance", row)) for row in ask(_BALANCES, {"lot": lot_id})]


def held(balances: Sequence[Balance]) -> list[Balance]:
    """Return those that are not empty."""
    return [
        one
        for one in balances
        if one.mass_wet_g or one.mass_dry_g or any(m.value_mg for m in one.metals)
    ]


def holdings_of(one: Balance) -> Iterator[Holding]:
    """Yield a balance's quantities: masses, metals, attributes."""

    def holding(quantity: Quantity, value: int, u: Uncertainty | None) -> Holding:
        standing = "none" if u is None else "then"
        known_at = None if u is None else rfc3339(one.known_at)
        return Holding(one.lot_id or "", one.place, quantity, value, u, standing, known_at)

    yield holding(
        Quantity("mass", "wet", "g"),
        one.mass_wet_g,
        _u(one.mass_wet_u_random_g, one.mass_wet_u_systematic_g),
    )
    yield holding(
        Quantity("mass", "dry", "g"),
        one.mass_dry_g,
        _u(one.mass_dry_u_random_g, one.mass_dry_u_systematic_g),
    )
    for metal in one.metals:
        u = _u(metal.u_random_mg, metal.u_systematic_mg)
        yield holding(Quantity("metal", metal.analyte, "mg"), metal.value_mg, u)
    for some in one.attributes:
        quantity = Quantity("attribute", some.name, f"micro {some.unit}", some.quality)
        yield holding(quantity, some.value_micro, None)


def _u(random: float, parts: Sequence[Part]) -> Uncertainty:
    return Uncertainty(random, tuple(part for part in parts if part.u))
