"""What every process has in common, batch or continuous: masses of sides, and what is said of it.

A process is a function of the set of its sides and of what its inputs handed in, whichever came
first. Its account may be below zero while it is open. *Physical* kinds conserve dry mass and every
metal; *chemical* kinds conserve metals, and what becomes of the rest of the mass is
``conversion``.

Source:
    docs/ledger.md, "Processes".
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from custody import carried as travelling
from custody import stated
from custody.balance import Stamp
from custody.estimate import Estimate, said
from custody.handing import GENERATIONS_MAX
from custody.held import BOTH, DRY, Carried, Held
from custody.kinds import UNTOLD, Kind
from custody.knowledge import Amount, Cause
from custody.metrology import wet_of
from custody.process_rows import OutRow, ProcessRow
from custody.records import Balance, Metal
from custody.reference import References
from custody.rows import FactRow, Side

RECOVERY_U_REL = 0.05
"""Relative uncertainty of a recovery nobody measured."""
OUTPUT_U_REL = 0.005
"""Relative uncertainty of the mass of a side without a statement."""
SURVEY_U_REL = 0.05
"""Likewise of a measured stock. Assumed: a volume flown or walked, times a density."""

SIGMAS = 4.0
"""A shortfall within so many sigma is a difference of measurements and no finding."""


class Standing(NamedTuple):
    """A side that stands, and its number."""

    number: int
    cause: Cause
    site: str
    side: Side


class Estimates(NamedTuple):
    """How well what is in a process is known: wet and dry mass, grams; metals, milligrams."""

    wet: Estimate
    dry: Estimate
    metals: Mapping[str, Estimate]


def standing_side(number: int, fact: FactRow) -> Standing | None:
    """Return a side as what is derived needs it."""
    head = fact.head
    if fact.side is None:
        return None
    return Standing(number, Cause(head.at, head.known, head.event_id), head.site, fact.side)


def dry_share(wet: int, dry: int) -> float:
    """Return the dry share of a material; 1 where that is unknown or somebody declared more."""
    return min(max(dry / wet, 0.0), 1.0) if wet > 0 else 1.0


def side_mass(side: Side, share_there: float) -> tuple[int, int]:
    """Return wet and dry grams of a side.

    Args:
        side: The side; its own moisture counts where it states one.
        share_there: Dry share of what it is taken from.
    """
    share = share_there if side.moisture is None else 1.0 - side.moisture
    if side.dry is not None:
        return wet_of(side.dry, share) if side.wet is None else side.wet, side.dry
    wet = side.wet or 0
    return wet, round(wet * share)


def doubts_of(
    side: Side, cause: Cause, site: str, kind: Kind | None, references: References
) -> dict[str, str]:
    """Return what does not fit of a side whatever the others are, sentences by rule.

    Args:
        side: The side.
        cause: When it was.
        site: Where; its laboratory is thought to have measured the moisture.
        kind: What the process does; None where that is not asked.
        references: Laboratories.
    """
    found: dict[str, str] = {}
    if kind is not None:
        found |= of_other_kind(side.kind, kind)
    if side.wet is None or side.dry is None or side.moisture is None:
        return found
    u = references.laboratory(site, cause.at).moisture_u
    counted = stated.contradicted((side.wet, side.dry), side.moisture, (side.u_mass, u))
    if counted is not None:
        detail = f"A side of {side.process} states {tonnes(side.dry)} of dry mass in"
        detail = f"{detail} {tonnes(side.wet)} and a moisture of {side.moisture:.2%}, by which it"
        found["stated_dry_differs"] = f"{detail} is {tonnes(counted)}; the two masses count"
    return found


def of_other_kind(named: str | None, kind: Kind) -> dict[str, str]:
    """Return what is found of a side that names another kind than its process has, by rule.

    Args:
        named: Kind that the side names; None where nobody says.
        kind: What the process does; that of no side of its own is not known.
    """
    found: dict[str, str] = {}
    if named not in (None, kind.name) and kind is not UNTOLD:
        detail = f"It names {named}; most sides of the process name {kind.name}."
        found["side_of_other_kind"] = detail
    return found


def stated_of(side: Side) -> str | None:
    """Return which masses a side states, as ``Held.stated`` has it."""
    if side.dry is None:
        return None
    return DRY if side.wet is None else BOTH


def mass_u(side: Side, wet: int) -> float:
    """Return the standard uncertainty of the wet mass of a side, grams."""
    if side.u_mass is not None:
        return float(side.u_mass)
    return (SURVEY_U_REL if side.part == "stock" else OUTPUT_U_REL) * wet


def told_by_all(analyte: str, given: Iterable[Held]) -> bool:
    """Tell whether every input holds some of a metal by a certificate.

    How much of any other came in nobody knows.
    """
    return all(held.metals.get(analyte, (0,))[0] > 0 for held in given if held.dry > 0)


def expected_of(amounts: Mapping[str, int], kind: Kind, marked: Iterable[str]) -> tuple[str, ...]:
    """Return the metals of an output that nobody measured: of a separation all of them.

    Args:
        amounts: What goes out.
        kind: What the process does.
        marked: Those of what went in.
    """
    metals = travelling.metals_of(amounts).keys()
    return tuple(sorted(metals if kind.separating else metals & set(marked)))


def unmeasured(given: Iterable[Held]) -> set[str]:
    """Return the metals of a mixture that nobody has measured in all of it.

    Those that nobody had measured in a part, and those that some part has no figure of: what the
    others hold is the least there is. Water is known to hold none.
    """
    parts = list(given)
    marked = {name for held in parts for name in held.expected}
    return marked | lacking([held.metals for held in parts if held.dry > 0])


def lacking(parts: Sequence[Collection[str]]) -> set[str]:
    """Return the metals that some part has no figure of, and another has, by those each has."""
    named = set[str]().union(*parts)
    return {name for name in named if any(name not in part for part in parts)}


def frozen(one: Standing, amount: Amount, before: OutRow, findings: dict[str, str]) -> Amount:
    """Return what an output deep in a ring of lots and processes moves: what it moved last.

    Args:
        one: The output.
        amount: What it would move; it does where it never moved anything.
        before: What stands for it.
        findings: Of the output; grows.
    """
    findings["cycle_or_too_deep"] = (
        f"More than {GENERATIONS_MAX} handings in a row: what this output moved last stays."
    )
    last = before.posted.get(f"process_output|{one.cause.event_id}")
    if last is None or before.told is None:
        return amount
    return Amount(last.wet, last.dry, last.amounts)


def staged(
    carried: Carried, stage: str | None, site: str, references: References, cause: Cause
) -> Carried:
    """Return what an output carries: a stage that happens here has the country of its site."""
    if stage is None:
        return carried
    shares = {name: some for name, some in carried.shares.items() if name != stage}
    country = references.country(site, cause.at)
    if country is not None:
        shares[stage] = {country: 1.0}
    return carried._replace(shares=dict(sorted(shares.items())))


def held_estimates(held: Held) -> Estimates:
    """Return what was handed in as estimates."""
    return Estimates(
        Estimate(float(held.wet), held.wet_u**2, held.wet_parts),
        Estimate(float(held.dry), held.dry_u**2, held.dry_parts),
        {a: Estimate(float(v), u**2, parts) for a, (v, u, parts) in held.metals.items()},
    )


def tonnes(grams: float) -> str:
    """Return a mass as people write it."""
    return f"{grams / 1e6:,.3f} t"


def balance_of(
    row: ProcessRow, known: Estimates, stamp: Stamp, carried: Carried, where: tuple[str, str]
) -> Balance:
    """Return the balance of what is in a process.

    Values are the sums of what was posted and handed in, exactly.

    Args:
        row: The head of the process.
        known: How well what is in it is known; the values are not used.
        stamp: Whose balance, and when.
        carried: Shares of what is in it.
        where: Place and status.
    """
    shares = travelling.said(carried)
    wet_u, wet_parts = said(known.wet)
    dry_u, dry_parts = said(known.dry)
    metals: list[Metal] = []
    for analyte, value in sorted(travelling.metals_of(row.amounts).items()):
        u, parts = said(known.metals.get(analyte, Estimate(0.0, 0.0, {})))
        metals.append(Metal(analyte=analyte, value_mg=value, u_random_mg=u, u_systematic_mg=parts))
    return Balance(
        sender="",
        n=0,
        owner=stamp.owner,
        account=stamp.owner,
        lot_id=None,
        process_id=stamp.process_id,
        place=where[0],
        status=where[1],
        at=stamp.at,
        known_at=stamp.known,
        mass_wet_g=row.wet,
        mass_wet_u_random_g=wet_u,
        mass_wet_u_systematic_g=wet_parts,
        moisture_fraction=None,
        moisture_u_fraction=None,
        mass_dry_g=row.dry,
        mass_dry_u_random_g=dry_u,
        mass_dry_u_systematic_g=dry_parts,
        metals=tuple(metals),
        origins=shares.origins,
        metal_origins=shares.metal_origins,
        shares=shares.shares,
        attributes=travelling.said_attributes(row.amounts),
    )


def exceeds(shortfall: float, estimate: Estimate) -> bool:
    """Tell whether something is short beyond what measurements explain."""
    return shortfall > SIGMAS * whole_u(estimate)


def whole_u(estimate: Estimate) -> float:
    """Return the standard uncertainty of a difference of masses, all parts squared."""
    return math.sqrt(estimate.var + math.fsum(u * u for u in estimate.parts.values()))
