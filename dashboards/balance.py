"""The dashboard *Custody and balance*: what lies where, what does not fit, what is missing."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import panels

FILE = "custody-and-balance.json"

_OPEN = "state IN ('open', 'acknowledged', 'shelved')"
_WORST_FIRST = "indexOf(['critical', 'high', 'medium', 'low'], severity)"
_PERIOD = (
    "period_start = $__fromTime, period_end = $__toTime,"
    " known_at = '2100-01-01 00:00:00'"
)  # as known now: nothing is recorded later
_DAYS = "day BETWEEN toDate32($__fromTime) AND toDate32($__toTime)"

_COMPLETE = "SELECT complete_to FROM v_watermark WHERE site_id = ''"
_BY_SEVERITY = (
    f"SELECT severity, count() AS alerts FROM v_alerts WHERE {_OPEN}"
    f" GROUP BY severity ORDER BY {_WORST_FIRST}"
)
_ALERTS = (
    "SELECT raised_at, severity, state, family, subject, movement_id, size, size_u, unit, reason"
    f" FROM v_alerts WHERE {_OPEN} ORDER BY {_WORST_FIRST}, raised_at DESC LIMIT 100"
)
_STOCK = (
    "SELECT site_id, quantity, lots, processes, amount_kg, in_processes_kg, u_kg, u_random_kg,"
    " u_systematic_kg FROM v_stock ORDER BY site_id, quantity"
)
_PRODUCTION = (
    "SELECT toDateTime(day) AS time, concat(site_id, ' ', flow) AS name,"
    " toFloat64(sum(mass_dry_kg)) AS dry_kg FROM v_daily_production"
    f" WHERE flow IN ('mined', 'produced', 'consumed') AND {_DAYS}"
    " GROUP BY time, name ORDER BY time"
)
_METALS = (
    "SELECT toDateTime(day) AS time, concat(site_id, ' ', metal.1) AS name,"
    " toFloat64(sum(metal.2)) AS contained_kg FROM v_daily_production"
    " ARRAY JOIN CAST(metal_kg, 'Array(Tuple(String, Decimal(18, 6)))') AS metal"
    f" WHERE flow IN ('mined', 'produced') AND {_DAYS}"
    " GROUP BY time, name ORDER BY time"
)
_UNACCOUNTED = (
    "SELECT found_in, site_id, quantity,"
    " sum(lost) / transform(u.unit, ['g', 'mg'], [1000, 1000000], 1000000) AS missing,"
    " transform(u.unit, ['g', 'mg'], ['kg', 'kg'], replaceOne(u.unit, 'micro ', '')) AS unit,"
    " count() AS findings"
    f" FROM v_unaccounted({_PERIOD}) AS u"
    " GROUP BY found_in, site_id, quantity, u.unit ORDER BY abs(missing) DESC LIMIT 100"
)
_COVERAGE = (
    "SELECT month, site_id, mineral, tier, amount_kg, share_fraction FROM v_coverage"
    " ORDER BY month DESC, site_id, mineral, tier"
)
_QUALITY = "SELECT measure, about, value, unit, meaning FROM v_data_quality ORDER BY measure, about"


def build() -> Dashboard:
    """Return the dashboard; all of it asks the warehouse as an analyst."""
    made = panels.new(
        "Custody and balance",
        "custody-balance",
        "What lies where and how well it is known, what does not fit, what is missing.",
        [panels.CLICKHOUSE],
    )
    now = (
        panels.figure(
            "Complete up to",
            "Everything recorded before is in all panels. If it stands still: Pipeline health.",
            _COMPLETE,
            "dateTimeAsIso",
        ),
        panels.bars(
            "Open alerts by severity",
            "Alerts nobody has settled yet, acknowledged and shelved ones included.",
            _BY_SEVERITY,
            "short",
        ),
        panels.rows(
            "Open alerts, worst first",
            "Size with its standard uncertainty, in unit. Settle them in the console.",
            _ALERTS,
        ),
    )
    mass = (
        panels.rows(
            "Stock",
            "u_kg is that of the sum: what one scale does to all its lots is in it.",
            _STOCK,
        ),
        panels.by_day(
            "Dry mass by day",
            "Mined, produced and consumed, as now known: a late certificate changes past days.",
            _PRODUCTION,
            "masskg",
        ),
        panels.by_day(
            "Contained metal by day", "Mined and produced, by analyte.", _METALS, "masskg"
        ),
        panels.rows(
            "Unaccounted",
            "What was missing (positive) or too much in the time range, by where it showed.",
            _UNACCOUNTED,
        ),
    )
    trust = (
        panels.rows(
            "Traced share",
            "How much of what came to a site is traced, and how far; tiers add up to 1.",
            _COVERAGE,
        ),
        panels.rows(
            "Data quality", "How good what is stored is; meaning says what counts.", _QUALITY
        ),
    )
    return panels.whole(made, (("Now", now), ("Mass", mass), ("Trust", trust)))
