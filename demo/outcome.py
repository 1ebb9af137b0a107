"""What the system made of the day, read from the warehouse and held against what truly happened."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from demo.frauds import Fraud
from runtime.client import Warehouse
from schemas.routes import ROUTES

CLEAN_LOTS_MAX = 3
"""So many of some 294 clean lots may have an alert."""

LEDGER = "ledger"
"""Family of what the books find without a test."""

G_PER_T = 1_000_000
MG_PER_KG = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of an alert's evidence."""

    quantity: str
    analyte: str | None
    expected: float
    observed: float
    u: float
    z: float
    unit: str
    instruments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert in its latest version; ``size`` is a fraction, below zero for a loss."""

    alert_id: str
    state: str
    family: str
    subject: str
    lot_id: str
    movement_id: str | None
    size: float
    size_u: float
    severity: str
    reason: str
    evidence: tuple[Measured, ...]
    statistic: str = ""
    onset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A fraud and the alert that found it, if any; ``lacks`` says what is wrong with it."""

    fraud: Fraud
    alert: Raised | None
    lacks: str


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over lots with its standard uncertainty."""

    name: str
    value: float
    u: float
    unit: str


@dataclass(slots=True)
class Sum:
    """Adds values whose random parts are independent and whose systematic parts are shared."""

    value: float = 0.0
    variance: float = 0.0
    parts: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, value: float, u_random: float, parts: Iterable[tuple[str, float]]) -> None:
        """Add one lot's value: a source's parts add linearly, for it errs alike on all lots."""
        self.value += value
        self.variance += u_random**2
        for source, u in parts:
            self.parts[source] += u

    @property
    def u(self) -> float:
        """Standard uncertainty of the sum."""
        return math.sqrt(self.variance + sum(u * u for u in self.parts.values()))


SHOWN_BY = {"mass": "ln_net", "dry share": "ln_dry_share"}
"""Quantity of the evidence that shows a fraud, where it is no analyte."""


def judge(frauds: Sequence[Fraud], alerts: Sequence[Raised]) -> list[Judged]:
    """Return, per fraud, the open alert of its name on its lot, truck and side, or what is missing.

    Args:
        frauds: What was put in.
        alerts: In their latest versions.
    """
    return [_judge(fraud, [a for a in alerts if a.lot_id == fraud.lot_id]) for fraud in frauds]


def _judge(fraud: Fraud, alerts: Sequence[Raised]) -> Judged:
    lacks = "no open alert on the lot"
    best: Raised | None = None
    for alert in alerts:
        found = _lacks(fraud, alert)
        if not found:
            return Judged(fraud, alert, "")
        # Two certificates of a lot may disagree because of what the tests have a name for.
        if alert.state == "open" and (best is None or best.family == LEDGER):
            best, lacks = alert, found
    return Judged(fraud, best, lacks)


def _lacks(fraud: Fraud, alert: Raised) -> str:
    """Return what keeps an alert from being the answer to a fraud; empty text for nothing."""
    if alert.state != "open":
        return f"alert is {alert.state}"
    if alert.family != fraud.family:
        return f"called {alert.family}, not {fraud.family}"
    unnamed = alert.movement_id is None and fraud.kind != "theft"
    if alert.movement_id != fraud.movement_id and not unnamed:
        return f"wrong truck {alert.movement_id}"
    shown = SHOWN_BY.get(fraud.analyte, fraud.analyte)
    seen = [m.z for m in alert.evidence if shown in {m.analyte, m.quantity}]
    if not seen:
        return f"no evidence about {fraud.analyte}"
    if max(seen, key=abs) * fraud.sign <= 0:
        return f"wrong sign of {fraud.analyte}"
    return ""


def clean_with_alert(frauds: Sequence[Fraud], alerts: Sequence[Raised]) -> list[Raised]:
    """Return the alerts, in any state, on subjects that nobody touched, one per subject."""
    touched = {fraud.lot_id for fraud in frauds}
    found = {a.lot_id or a.subject: a for a in alerts if a.lot_id not in touched}
    return list(found.values())


def read_alerts(warehouse: Warehouse, mark: str) -> list[Raised]:
    """Return the day's alerts in their latest version, oldest first."""
    rows = warehouse.rows(_ALERTS, {"mark": mark})
    return [raised(row) for row in rows]


_ALERTS = """
SELECT * FROM custody.v_alerts
WHERE position(subject, {mark:String}) > 0
ORDER BY raised_at, alert_id
"""


def raised(row: Mapping[str, object]) -> Raised:
    """Return an alert from a row of ``v_alerts``, or of one with its columns."""
    names = ("quantity", "analyte", "expected", "observed", "u", "z", "unit", "instruments")
    columns = [cast("list[object]", row[f"evidence_{name}"]) for name in names]
    movement, onset = row["movement_id"], row["onset_at"]
    return Raised(
        alert_id=str(row["alert_id"]),
        state=str(row["state"]),
        family=str(row["family"]),
        subject=str(row["subject"]),
        lot_id=str(row["lot_id"] or ""),
        movement_id=None if movement is None else str(movement),
        size=number(row["size"]),
        size_u=number(row["size_u"]),
        severity=str(row["severity"]),
        reason=str(row["reason"]),
        evidence=tuple(_measured(line) for line in zip(*columns, strict=True)),
        statistic=str(row["statistic"]),
        onset_at=None if onset is None else datetime.fromisoformat(str(onset)).replace(tzinfo=UTC),
    )


def _measured(line: tuple[object, ...]) -> Measured:
    quantity, analyte, expected, observed, u, z, unit, instruments = line
    return Measured(
        quantity=str(quantity),
        analyte=None if analyte is None else str(analyte),
        expected=number(expected),
        observed=number(observed),
        u=number(u),
        z=number(z),
        unit=str(unit),
        instruments=tuple(str(i) for i in cast("list[object]", instruments)),
    )


def read_totals(warehouse: Warehouse, mark: str) -> list[Total]:
    """Return what the day's lots hold in the end: dry mass, and metal by analyte."""
    dry, metals = Sum(), dict[str, Sum]()
    for row in warehouse.rows(_BALANCES, {"mark": mark}):
        sources = zip(
            cast("list[str]", row["dry_source"]), cast("list[float]", row["dry_u"]), strict=True
        )
        dry.add(number(row["mass_dry_g"]), number(row["mass_dry_u_random_g"]), sources)
        _add_metals(metals, row)
    totals = [Total("dry mass", dry.value / G_PER_T, dry.u / G_PER_T, "t")]
    for analyte, found in sorted(metals.items()):
        totals.append(Total(analyte, found.value / MG_PER_KG, found.u / MG_PER_KG, "kg"))
    return totals


def _add_metals(metals: dict[str, Sum], row: Mapping[str, object]) -> None:
    names = ("metal", "metal_value", "metal_u", "part_source", "part_u")
    columns = (cast("list[object]", row[name]) for name in names)
    for analyte, value, u, sources, shares in zip(*columns, strict=True):
        parts = zip(cast("list[str]", sources), cast("list[float]", shares), strict=True)
        metals.setdefault(str(analyte), Sum()).add(number(value), number(u), parts)


_BALANCES = """
SELECT
    mass_dry_g, mass_dry_u_random_g,
    `mass_dry_u_systematic_g.source` AS dry_source, `mass_dry_u_systematic_g.u` AS dry_u,
    `metals.analyte` AS metal, `metals.value_mg` AS metal_value,
    `metals.u_random_mg` AS metal_u,
    `metals.u_systematic_mg.source` AS part_source, `metals.u_systematic_mg.u` AS part_u
FROM custody.balance
WHERE position(lot_id, {mark:String}) > 0
ORDER BY account, n DESC
LIMIT 1 BY account
"""


def read_rows(warehouse: Warehouse) -> dict[str, int]:
    """Return the number of rows by table, those without any left out."""
    tables = [route.table for route in ROUTES if route.table is not None]
    query = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count() AS found FROM custody.{name}"  # noqa: S608  route table
        for name in tables
    )
    counts = {str(row["name"]): int(number(row["found"])) for row in warehouse.rows(query)}
    return {name: counts[name] for name in tables if counts[name]}


def read_delays(warehouse: Warehouse, mark: str) -> tuple[int, float, float]:
    """Return number, median and 99th percentile of seconds from acceptance to alert record.

    The first version of each alert counts: recorded_at of the fact that raised it, against the
    broker's time of the alert.
    """
    (row,) = warehouse.rows(_DELAYS, {"mark": mark})
    return int(number(row["alerts"])), number(row["p50"]), number(row["p99"])


_DELAYS = """
SELECT
    count() AS alerts,
    ifNotFinite(quantileExact(0.5)(delay), 0) AS p50,
    ifNotFinite(quantileExact(0.99)(delay), 0) AS p99
FROM
(
    SELECT (toUnixTimestamp64Milli(timestamp) - toUnixTimestamp64Micro(raised_at) / 1000) / 1000
        AS delay
    FROM custody.alert
    WHERE version = 1 AND position(subject, {mark:String}) > 0
)
"""


def number(value: object) -> float:
    """Return a JSON number as float; ClickHouse writes 64-bit integers as text."""
    return float(cast("float | str", value))
