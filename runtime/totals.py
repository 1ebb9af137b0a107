"""Totals over a period from the warehouse: by site and by country, on the queries of site balances.

Every line is one of ``period.site_balance``; what is missing, and how sure, is what was unaccounted
for there. Sums over sites add what a shared scale makes of it straight.

Source:
    docs/detection/totals.md
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from custody.bodies import number, object_of
from custody.detect import totals
from custody.detect.totals import Total
from custody.errors import Refused
from custody.estimate import Estimate, sigma, total
from custody.events import Micros
from custody.reference_versions import body_at
from runtime.asof import Ask, Quantity, quantity_of
from runtime.moment import Period, sql_time
from runtime.period import Account, site_balance
from runtime.reference_plan import rows_of
from runtime.rests import DRY
from runtime.unaccounted import Unaccounted

MADE_U_REL = 0.005
"""Relative u of what a site made: its scale's, which does not average out. Assumed."""

OVERDUE_DAYS = 30
"""A load that has been on its way for longer will not come: it counts as missing, in the period in
which that time was over."""

CAPACITY_T_MAX = 1e10
DAY = 86_400 * 10**6
GRAMS, MILLIGRAMS = 1e6, 1e9
"""In a tonne."""


class NoSite(Refused):
    """No site to add up."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: no site in reference data",
            expected="a record of kind site, for a country with its country",
            next_step="custody reference show site",
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A site as reference data has it.

    Attributes:
        site_id: The site.
        country: ISO 3166-1 alpha-2; None where nobody says.
        mines: It is a mine, or nobody says what it is.
        capacity: Greatest output of a year by quantity, in the quantity's unit.
    """

    site_id: str
    country: str | None
    mines: bool
    capacity: Mapping[Quantity, float]


def sites_of(ask: Ask, at: Micros, known: Micros) -> dict[str, Site]:
    """Return all sites of reference data as they were at a time; blocks.

    Args:
        ask: Runs SQL.
        at: When.
        known: What was recorded later is left out.
    """
    rows = ask(_SITES, {"known": sql_time(known)})
    bodies = {name: body_at(row, at) for (_, name), row in rows_of(rows).items()}
    return {name: site_of(name, body) for name, body in sorted(bodies.items()) if body is not None}


_SITES = """
SELECT * EXCEPT (key, prev, digest, value) FROM reference
WHERE kind = 'site' AND recorded_at <= {known:DateTime64(6, 'UTC')}
ORDER BY valid_from, recorded_at, event_id, body LIMIT 1 BY event_id
"""


def site_of(site_id: str, body: str | None) -> Site:
    """Return a site from its record; what is not of the expected kind is not said."""
    said = object_of(body)
    country, role = said.get("country"), said.get("role")
    capacity: dict[Quantity, float] = {}
    whole = number(said.get("capacity_t_per_year"), 0.0, CAPACITY_T_MAX)
    if whole is not None:
        capacity[DRY] = whole * GRAMS
    metals = said.get("metal_capacity_t_per_year")
    for analyte, value in metals.items() if isinstance(metals, dict) else ():
        tonnes = number(value, 0.0, CAPACITY_T_MAX)
        if tonnes is not None:
            capacity[Quantity("metal", str(analyte), "mg")] = tonnes * MILLIGRAMS
    return Site(
        site_id,
        country if isinstance(country, str) and country else None,
        not isinstance(role, str) or role == "mine",
        capacity,
    )


def chosen(
    sites: Mapping[str, Site], country: str | None, site_id: str | None
) -> dict[str, list[Site]]:
    """Return the sites to add up, by country, else by site where it has none.

    Args:
        sites: All that are known.
        country: Only sites of this one.
        site_id: Only this one, whether reference data knows it or not.

    Raises:
        NoSite: There is none.
    """
    if site_id is not None:
        return {site_id: [sites.get(site_id, site_of(site_id, None))]}
    groups: dict[str, list[Site]] = defaultdict(list)
    for site in sites.values():
        if country is None or site.country == country:
            groups[site.country or site.site_id].append(site)
    if not groups:
        raise NoSite(country or "totals")
    return dict(sorted(groups.items()))


def totals_of(
    ask: Ask, groups: Mapping[str, Sequence[Site]], period: Period, known: Micros
) -> list[Total]:
    """Return all totals of a period, as known at a time; blocks.

    Args:
        ask: Runs SQL.
        groups: Sites by country, else by site.
        period: What is at its end belongs to the next one.
        known: What was recorded later is left out.
    """
    found: list[Total] = []
    gone = overdue(ask, period, known)
    for name, sites in groups.items():
        never = _joined(gone.get(site.site_id, {}) for site in sites)
        accounts: list[Account] = []
        lost: list[Unaccounted] = []
        for site in sites:
            mine = site_balance(ask, site.site_id, period, known)
            found.extend(of_site(site, mine, (period.end - period.start) / DAY))
            accounts.extend(mine[0])
            lost.extend(mine[1])
        found.extend(of_group(name, accounts, lost, never))
    return found


def of_site(
    site: Site, balance: tuple[Sequence[Account], Sequence[Unaccounted]], days: float
) -> list[Total]:
    """Return the totals of one site: its processes, and what it made beside what it can."""
    accounts = {one.quantity: one for one in balance[0]}
    found = []
    for lost in balance[1]:
        if lost.found_in == "process" and lost.quantity.cls == "metal":
            flows = accounts[lost.quantity].flows if lost.quantity in accounts else {}
            into, out_of = -flows.get("process_in", 0), flows.get("process_out", 0)
            found.append(
                Total(
                    totals.UNDECLARED, site.site_id, lost.quantity.name, into, out_of,
                    _sigma([lost]), -lost.lost,
                )
            )  # fmt: skip
    for quantity, capacity in site.capacity.items():
        made = accounts[quantity].flows if quantity in accounts else {}
        amount = float(made.get("from_origin" if site.mines else "process_out", 0))
        found.append(
            totals.beyond_capacity(
                site.site_id,
                quantity.name,
                (amount, MADE_U_REL * amount),
                (capacity, 0.0),
                days,
            )
        )
    return found


def overdue(ask: Ask, period: Period, known: Micros) -> dict[str, dict[Quantity, float]]:
    """Return what left each site and never came, of loads overdue in a period; blocks.

    Args:
        ask: Runs SQL.
        period: When ``OVERDUE_DAYS`` were over.
        known: What was recorded later is left out.
    """
    late = OVERDUE_DAYS * DAY
    asked = {
        "first": sql_time(Micros(max(period.start - late, FIRST))),
        "last": sql_time(Micros(max(period.end - late, FIRST))),
        "end": sql_time(period.end),
        "known": sql_time(known),
    }
    found: dict[str, dict[Quantity, float]] = defaultdict(dict)
    for row in ask(_OVERDUE, asked):
        found[str(row["site_id"])][quantity_of(row)] = float(str(row["amount"]))
    return found


FIRST = -2_208_988_800_000_000
"""1900: what a time of the warehouse begins with, microseconds since 1970."""

_OVERDUE = """
SELECT site_id, class, quantity, unit, quality, sum(left_over) AS amount
FROM
(
    SELECT
        decodeURLComponent(argMinIf(
            extract(p.other_account, '[^/]*$'), p.effective_at, p.kind = 'dispatch')) AS site_id,
        minIf(p.effective_at, p.kind = 'dispatch') AS went,
        p.class AS class, p.quantity AS quantity, p.unit AS unit, p.quality AS quality,
        sum(p.amount) AS left_over
    FROM v_postings AS p
    WHERE match(p.account, '^lot/.*/transit$')
        AND p.effective_at < {end:DateTime64(6, 'UTC')}
        AND p.known_at <= {known:DateTime64(6, 'UTC')}
    GROUP BY p.account, p.movement_id, class, quantity, unit, quality
    HAVING left_over > 0 AND countIf(p.kind = 'dispatch') > 0
        AND went >= {first:DateTime64(6, 'UTC')} AND went < {last:DateTime64(6, 'UTC')}
)
WHERE class != 'attribute'
GROUP BY site_id, class, quantity, unit, quality
"""


def _joined(some: Iterable[Mapping[Quantity, float]]) -> dict[Quantity, float]:
    whole: dict[Quantity, float] = defaultdict(float)
    for one in some:
        for quantity, amount in one.items():
            whole[quantity] += amount
    return whole


def of_group(
    name: str,
    accounts: Iterable[Account],
    lost: Iterable[Unaccounted],
    never: Mapping[Quantity, float],
) -> list[Total]:
    """Return what is missing of what a country, or a site, had over the period, by quantity.

    What it had: the opening stock, what it mined, bought and received, and what came out of
    processes. What is accounted for: all of that which is not missing from a load or a stock, and
    has not left for nowhere. Of what is missing, that speaks which is beyond what legs lose without
    anyone's doing.

    Args:
        name: Country or site.
        accounts: Balances of its sites.
        lost: What they could not account for.
        never: What left them and is overdue.
    """
    # A load may be overdue in a period in which nothing else moved.
    tested = (q for q in never if q == DRY or q.cls == "metal")
    had: dict[Quantity, float] = defaultdict(float, dict.fromkeys(tested, 0.0))
    for account in accounts:
        quantity = account.quantity
        if quantity == DRY or quantity.cls == "metal":
            flows = account.flows
            sources = ("from_origin", "bought", "receipts", "process_out")
            # What comes out of a process is told when it does; until then it is no lot's.
            lots = account.opening.value - account.opening_in_processes
            had[quantity] += lots + sum(flows[source] for source in sources)
    rests: dict[Quantity, list[Unaccounted]] = defaultdict(list)
    for one in lost:
        if one.found_in in ("leg", "stock"):
            rests[one.quantity].append(one)
    return [
        _missing(name, quantity, had[quantity], rests[quantity], never.get(quantity, 0.0))
        for quantity in sorted(had, key=lambda q: q.order)
    ]


def _missing(
    name: str, quantity: Quantity, had: float, rests: Sequence[Unaccounted], late: float
) -> Total:
    gone = late + sum(one.lost for one in rests)
    usual = sum(one.usual.value for one in rests)
    u: float | None = MADE_U_REL * late
    if rests:
        of_rests = _sigma(rests)
        u = None if of_rests is None else math.hypot(of_rests, MADE_U_REL * late)
    return totals.missing(name, quantity.name, had, (gone, usual), u or None)


def _sigma(rests: Sequence[Unaccounted]) -> float | None:
    """Return the u of a sum less what is usual; None where it, or a part of it, is not known."""
    if any(one.u is None or one.without_u for one in rests):
        return None
    errors = [
        Estimate(0.0, one.u.random**2, {part.source: part.u for part in one.u.parts})
        for one in rests
        if one.u is not None
    ]
    return sigma(total([*errors, *(one.usual for one in rests)]))
