"""The report: the page's tables and pictures in one HTML file that needs nothing else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from matplotlib.dates import date2num
from matplotlib.figure import Figure

from demo.figures import WIDTH_IN, captioned, styled
from demo.outcome import G_PER_T, Measured, Raised, number
from demo.page import Section
from runtime.client import Warehouse

RATIO = "1"
"""Unit of evidence that is a logarithm of a ratio."""

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 74rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2733; }
table { border-collapse: collapse; margin: .4rem 0 1.6rem; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid #dde3e8; }
.right { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0 2rem; }
figcaption { max-width: 46rem; color: #4a5763; }
svg { max-width: 100%; height: auto; }
.failed { color: #a11; font-weight: 600; }
"""


@dataclass(frozen=True, slots=True)
class Point:
    """What a lot held at one place at one time: tonnes dry with standard uncertainty."""

    at: datetime
    place: str
    dry_t: float
    u_t: float


def read_history(warehouse: Warehouse, lot_id: str) -> list[Point]:
    """Return what a lot held at each place after each movement, in order of time."""
    return _points(warehouse, _HISTORY, lot_id)


def read_brought(warehouse: Warehouse, lot_id: str) -> list[Point]:
    """Return what had been weighed into a lot, all trucks together, in order of time."""
    return _points(warehouse, _BROUGHT, lot_id)


def _points(warehouse: Warehouse, query: str, lot_id: str) -> list[Point]:
    rows = warehouse.rows(query, {"lot": lot_id})
    return [
        Point(
            at=datetime.fromisoformat(str(row["at"])),
            place=str(row["place"]),
            dry_t=number(row["mass_dry_g"]) / G_PER_T,
            u_t=number(row["u"]) / G_PER_T,
        )
        for row in rows
    ]


_BROUGHT = """
SELECT toString(effective_at) AS at, 'brought' AS place, 0 AS u,
    sum(sum(mass_dry_g)) OVER (ORDER BY effective_at) AS mass_dry_g
FROM custody.transfer
WHERE startsWith(credit, concat('lot/', {lot:String}, '/'))
    AND NOT startsWith(debit, concat('lot/', {lot:String}, '/'))
    AND NOT startsWith(debit, 'unaccounted/')
GROUP BY effective_at ORDER BY effective_at
"""

# The transfers say when; a day that is sent in seconds leaves few balances. How well a place's mass
# is known is what its last balance says that was not empty.
_HISTORY = """
WITH concat('lot/', {lot:String}, '/') AS prefix
SELECT toString(effective_at) AS at, place, u,
    sum(grams) OVER (PARTITION BY place ORDER BY effective_at) AS mass_dry_g
FROM (
    SELECT effective_at, substring(side.1, length(prefix) + 1) AS place,
        sum(side.2 * mass_dry_g) AS grams
    FROM custody.transfer
    ARRAY JOIN [(credit, 1), (debit, -1)] AS side
    WHERE startsWith(side.1, prefix)
    GROUP BY effective_at, place
) AS moved
LEFT JOIN (
    SELECT place, argMaxIf(
        sqrt(pow(mass_dry_u_random_g, 2) + arraySum(u -> u * u, `mass_dry_u_systematic_g.u`)),
        (sender, n), mass_dry_g > 0
    ) AS u
    FROM custody.balance WHERE lot_id = {lot:String} GROUP BY place
) AS known USING place
ORDER BY effective_at, grams, place
"""


def write(
    path: Path, title: str, parts: Sequence[Section], pictures: Sequence[str], failed: Sequence[str]
) -> None:
    """Write the report.

    Args:
        path: Where to; its directory is made.
        title: Heading.
        parts: The page's tables.
        pictures: Pictures with their captions, as HTML, shown before the tables.
        failed: What did not hold.
    """
    verdict = "Everything held." if not failed else "What did not hold:"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{verdict}</p>"]
    body += [f'<p class="failed">{escape(line)}</p>' for line in failed]
    body += pictures
    body += [_table(part) for part in parts]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    page = f"<!doctype html>\n<html lang=en><head>{head}</head><body>\n{chr(10).join(body)}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{page}</body></html>\n", encoding="utf-8")


def _table(part: Section) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        marked = [
            f"<{tag}{' class=right' if n in part.right else ''}>{escape(cell)}</{tag}>"
            for n, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(marked)}</tr>"

    rows = [line("th", part.heading), *(line("td", row) for row in part.rows)]
    return f"<h2>{escape(part.title)}</h2>\n<table>\n{chr(10).join(rows)}\n</table>"


def balance_picture(lot_id: str, history: Sequence[Point], brought: Sequence[Point]) -> str:
    """Return the picture of a lot's dry mass over the day.

    Above: by place. Below, where kilograms can be seen: all places together less what had been
    weighed into the lot until then, with a band of two sigma.
    """
    figure = Figure(figsize=(WIDTH_IN, 6.0), layout="constrained")
    above = styled(figure.add_subplot(2, 1, 1))
    below = styled(figure.add_subplot(2, 1, 2, sharex=above))
    for place in dict.fromkeys(point.place for point in history):
        points = [point for point in history if point.place == place]
        times = [_day_number(point.at) for point in points]
        above.step(times, [point.dry_t for point in points], where="post", label=place)
    above.set_ylabel("dry mass by place, t")
    above.set_title(f"Lot {lot_id}: what it holds, and where")
    above.legend(frameon=False)
    whole = whole_lot(history)
    times = [_day_number(point.at) for point in whole]
    kilograms = [1000 * (p.dry_t - brought_until(brought, p.at)) for p in whole]
    widths = [2000 * point.u_t for point in whole]
    below.fill_between(
        times,
        [x - w for x, w in zip(kilograms, widths, strict=True)],
        [x + w for x, w in zip(kilograms, widths, strict=True)],
        step="post",
        alpha=0.25,
    )
    below.step(times, kilograms, where="post")
    below.set_ylabel("all places less\nwhat was weighed in, kg (2 sigma)")
    below.set_xlabel("time of the newest fact, UTC")
    below.xaxis_date()
    figure.autofmt_xdate()
    return captioned(figure, _BALANCE_CAPTION)


_BALANCE_CAPTION = (
    "Above, where the lot's dry mass is: a step down at one place is a truck that left it, a step "
    "up a truck that came. Below, what all places hold less what was weighed in: a step down is a "
    "truck that arrived lighter than it left. The band is how well the whole is known, moisture "
    "included; the alert compares two weighings of one truck, where moisture cancels."
)


def whole_lot(history: Sequence[Point]) -> list[Point]:
    """Return what a lot held over all places, from its first weighing on.

    Uncertainties of places are added in quadrature: they rest on different weighings.
    """
    held: dict[str, Point] = {}
    found: dict[datetime, Point] = {}
    for point in history:
        held[point.place] = point
        dry = sum(p.dry_t for p in held.values())
        if dry > 0:
            u = math.hypot(*(p.u_t for p in held.values() if p.dry_t > 0))
            found[point.at] = Point(point.at, "", dry, u)
    return list(found.values())


def brought_until(brought: Sequence[Point], at: datetime) -> float:
    """Return how much had been weighed in at a time, tonnes dry."""
    return next((point.dry_t for point in reversed(brought) if point.at <= at), 0.0)


def evidence_picture(alert: Raised) -> str:
    """Return the picture of an alert's evidence: deviation from expected, with two sigma."""
    # The difference of two masses has no size to be relative to; its two ends have.
    lines = [m for m in alert.evidence if m.expected or m.unit == RATIO]
    figure = Figure(figsize=(WIDTH_IN, 1.6 + 0.42 * len(lines)), layout="constrained")
    axes = styled(figure.add_subplot())
    for n, m in enumerate(lines):
        scale = 100.0 / (abs(m.expected) or 1.0)
        centre, width = (m.observed - m.expected) * scale, 2 * m.u * scale
        axes.errorbar(centre, n, xerr=width, fmt="o", capsize=4, color="#a11", zorder=3)
    axes.axvline(0.0, color="#1c2733", linewidth=1)
    axes.set_yticks(range(len(lines)), [_label(m) for m in lines])
    axes.invert_yaxis()
    axes.set_xlabel("observed less expected, % (bar: two sigma of the difference)")
    axes.set_title(f"Alert on {alert.lot_id}: {alert.family}, severity {alert.severity}")
    axes.margins(y=0.15)
    return captioned(figure, _EVIDENCE_CAPTION)


_EVIDENCE_CAPTION = (
    "Each line compares what was received with what was sent; the upright line is no change. A bar "
    "that does not touch it is a change the stated uncertainties do not explain; z is the change "
    "in sigmas."
)


def _day_number(at: datetime) -> float:
    # matplotlib types this function by half.
    return float(date2num(at))  # type: ignore[no-untyped-call]


def _label(m: Measured) -> str:
    name = _PLAIN.get(m.quantity, m.quantity)
    return f"{name if m.analyte is None else f'{m.analyte}: {name}'}, z = {m.z:+.1f}"


_PLAIN = {
    "ln_ratio_dry": "ln(received/sent)",
    "mass_wet_dispatched": "wet mass sent",
    "mass_wet_received": "wet mass received",
}
"""What a person calls a quantity of the evidence."""
