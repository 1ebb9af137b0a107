"""What two corrections moved, from the warehouse: contained copper before and after, by level.

Before is what the transfers known until the first correction add up to, after is all of them. So
the answer is the same whenever it is asked, also of a day that was sent long ago.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.correction import ANALYTE
from demo.day import Day
from demo.outcome import G_PER_T, MG_PER_KG, number
from runtime.client import Warehouse

UNACCOUNTED = "unaccounted/"


@dataclass(frozen=True, slots=True)
class Moved:
    """Copper from one account to another, milligrams, before and after the corrections."""

    debit: str
    credit: str
    before_mg: int
    after_mg: int


@dataclass(frozen=True, slots=True)
class Level:
    """A line of the page: copper before and after the corrections, milligrams."""

    name: str
    before_mg: int
    after_mg: int

    @property
    def moved_mg(self) -> int:
        """What the corrections moved."""
        return self.after_mg - self.before_mg


@dataclass(frozen=True, slots=True)
class Restated:
    """What the corrections did.

    Attributes:
        known_at: When the gateway took the first of them, UTC.
        levels: From the corrected lot down to the concentrate.
        lots: Lots whose transfers were restated.
        compensations: Transfers that take an earlier one back.
        transfers: Transfers made anew.
        rest_mg: Per process, what went in less what came out, before and after.
    """

    known_at: str
    levels: tuple[Level, ...]
    lots: tuple[str, ...]
    compensations: int
    transfers: int
    rest_mg: dict[str, tuple[int, int]]


def read_restated(warehouse: Warehouse, day: Day, event_ids: Sequence[str]) -> Restated:
    """Return what the corrections of a day moved.

    Args:
        warehouse: Where to ask.
        day: The day.
        event_ids: Ids of the corrections, as the gateway named them.
    """
    (taken,) = warehouse.rows(_TAKEN, {"ids": ",".join(event_ids)})
    known_at = str(taken["at"])
    mark = f"-{day.seed}-"
    asked = {"cut": known_at, "analyte": ANALYTE, "mark": mark}
    rows = [
        Moved(
            str(row["debit"]),
            str(row["credit"]),
            int(number(row["before_mg"])),
            int(number(row["after_mg"])),
        )
        for row in warehouse.rows(_MOVED, asked)
    ]
    (late,) = warehouse.rows(_LATE, asked)
    names = late["lots"]
    return Restated(
        known_at=known_at,
        levels=tuple(levels(day, rows)),
        lots=tuple(str(name) for name in names) if isinstance(names, list) else (),
        compensations=int(number(late["compensations"])),
        transfers=int(number(late["transfers"])),
        rest_mg={p.process_id: _rest(f"process/{p.process_id}", rows) for p in day.processes},
    )


_TAKEN = """
SELECT toString(min(recorded_at)) AS at FROM custody.events_all
WHERE has(splitByChar(',', {ids:String}), event_id)
"""

_MOVED = """
SELECT debit, credit,
    sumIf(mg, known_at < toDateTime64({cut:String}, 6, 'UTC')) AS before_mg, sum(mg) AS after_mg
FROM custody.transfer
ARRAY JOIN `metals.analyte` AS analyte, `metals.value_mg` AS mg
WHERE analyte = {analyte:String}
    AND (position(lot_id, {mark:String}) > 0 OR position(process_id, {mark:String}) > 0)
GROUP BY debit, credit
"""

_LATE = """
SELECT
    countIf(replaces_event_id IS NOT NULL) AS compensations,
    countIf(replaces_event_id IS NULL) AS transfers,
    arraySort(groupUniqArrayIf(lot_id, lot_id != '')) AS lots
FROM custody.transfer
WHERE known_at >= toDateTime64({cut:String}, 6, 'UTC')
    AND (position(lot_id, {mark:String}) > 0 OR position(process_id, {mark:String}) > 0)
"""


def levels(day: Day, rows: Sequence[Moved]) -> list[Level]:
    """Return the levels of the chain from sums by pair of accounts.

    Args:
        day: Names the lot, the processes and what they made.
        rows: Copper by pair of accounts.
    """
    blend, campaign = day.processes
    lot, mixed, product = day.corrected.lot_id, blend.output.lot_id, campaign.output.lot_id
    first, second = f"process/{blend.process_id}", f"process/{campaign.process_id}"
    tailings = f"loss/{campaign.process_id}/"
    return [
        _level(f"{lot} into the blend", rows, f"lot/{lot}/", first),
        _level(f"all {len(blend.inputs)} lots into the blend", rows, "lot/", first),
        _level(f"blend {mixed}", rows, first, f"lot/{mixed}/"),
        _level("unaccounted in the blend", rows, first, UNACCOUNTED),
        _level(f"{mixed} into the campaign", rows, f"lot/{mixed}/", second),
        _level(f"all {len(campaign.inputs)} lots into the campaign", rows, "lot/", second),
        _level(f"concentrate {product}", rows, second, f"lot/{product}/"),
        _level("tailings", rows, second, tailings),
        _level("unaccounted in the campaign", rows, second, UNACCOUNTED),
    ]


def _level(name: str, rows: Sequence[Moved], debit: str, credit: str) -> Level:
    found = [r for r in rows if r.debit.startswith(debit) and r.credit.startswith(credit)]
    return Level(name, sum(r.before_mg for r in found), sum(r.after_mg for r in found))


def _rest(process: str, rows: Sequence[Moved]) -> tuple[int, int]:
    """Return what entered a process less what left it, before and after."""
    signed = [(r, 1) for r in rows if r.credit == process]
    signed += [(r, -1) for r in rows if r.debit == process]
    return sum(s * r.before_mg for r, s in signed), sum(s * r.after_mg for r, s in signed)


def lacks(restated: Restated, day: Day) -> list[str]:
    """Return what the corrections had to do and did not."""
    failed = [
        f"process {name}: {before} mg are left of what went in before the correction, {after} after"
        for name, (before, after) in restated.rest_mg.items()
        if before or after
    ]
    kept = {day.corrected.lot_id, *(p.output.lot_id for p in day.processes)}
    if set(restated.lots) != kept:
        failed.append(f"corrections moved {restated.lots}, not {sorted(kept)}")
    # Both corrections find more copper, so that each level but the unaccounted holds more of it.
    failed += [
        f"{level.name}: the corrections moved {level.moved_mg} mg"
        for level in restated.levels
        if level.moved_mg <= 0 and not level.name.startswith("unaccounted")
    ]
    return failed


def read_ghg(warehouse: Warehouse, lot_id: str) -> float | None:
    """Return the emissions a lot carries, kg CO2e per tonne dry; None where it carries none."""
    (row,) = warehouse.rows(_GHG, {"lot": lot_id})
    if not int(number(row["said"])) or number(row["dry_g"]) <= 0:
        return None
    return number(row["micro"]) / 1e6 / (number(row["dry_g"]) / G_PER_T)


_GHG = """
SELECT sum(mass_dry_g) AS dry_g, countIf(has(names, 'ghg')) AS said,
    sum(arraySum((name, value) -> name = 'ghg' ? value : 0, names, amounts)) AS micro
FROM (
    SELECT account, mass_dry_g, `attributes.name` AS names, `attributes.value_micro` AS amounts
    FROM custody.balance WHERE lot_id = {lot:String} ORDER BY account, n DESC LIMIT 1 BY account
)
"""


def kilograms(mg: int) -> str:
    """Return milligrams as kilograms to the gram."""
    return f"{mg / MG_PER_KG:,.3f}"
