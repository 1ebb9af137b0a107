"""What is told of a site: what lies there, its period's balance, its instruments."""

from collections.abc import Sequence

from console.answers import SUMMARY, Asked, Part, Told
from console.rows import Row, time_of
from runtime.asof import Ask, at_site
from runtime.book_rows import period_rows, stock_row, stock_sum_row
from runtime.moment import period_of, sql_time
from runtime.period import site_balance, summed
from runtime.told import alerts, instruments, times


def parts(ask: Ask) -> dict[str, Part]:
    """Return what can be asked of a site, by name."""
    return {
        SUMMARY: lambda asked: summary(ask, asked),
        "lots": lambda asked: lots(ask, asked),
        "period": lambda asked: period(ask, asked),
        "instruments": lambda asked: instruments.told(ask, asked),
        "charts": lambda asked: instruments.charts(ask, asked),
        "alerts": lambda asked: open_alerts(ask, asked),
    }


_AMOUNT = "if({0} IN ('wet', 'dry'), toInt64({1} * 1000), toInt64({1} * 1000000))"
_CLASS = (
    "if(quantity IN ('wet', 'dry'), 'mass', 'metal') AS class,"
    " if(quantity IN ('wet', 'dry'), 'g', 'mg') AS unit,"
    " if(quantity IN ('wet', 'dry'), 1e3, 1e6) AS per_kg"
)
_STOCK = (
    f"SELECT quantity, {_CLASS}, lots, processes,"  # noqa: S608
    f" {_AMOUNT.format('quantity', 'amount_kg')} AS value,"
    " u_kg * per_kg AS u, u_random_kg * per_kg AS u_random"
    " FROM v_stock WHERE site_id = {site:String}"
    " ORDER BY indexOf(['dry', 'wet'], quantity) DESC, quantity"
)


def summary(ask: Ask, asked: Asked) -> Told:
    """Tell what lies at a site, per quantity, all lots and processes together: value and u in unit.

    Now by the latest balances, as ``v_stock``; as of a time by the transfers, as ``custody
    stock``. In a sum the parts of one source add straight.
    """
    if times.is_now(asked):
        rows: list[Row] = [
            {
                **row,
                "quality": None,
                **{name: int(str(row[name])) for name in ("value", "lots", "processes")},
            }
            for row in ask(_STOCK, {"site": asked.subject})
        ]
        for row in rows:
            del row["per_kg"]
    else:
        found = summed(at_site(ask, asked.subject, times.times(asked)))
        rows = [stock_sum_row(quantity, one) for quantity, one in found.items()]
    return Told(rows)


_LOTS = (
    f"SELECT lot_id, nullIf(process_id, '') AS process_id, quantity, {_CLASS},"  # noqa: S608
    f" {_AMOUNT.format('quantity', 'amount_kg')} AS value, u_kg * per_kg AS u, known_at"
    " FROM v_lot_quantities"
    " WHERE place = {site:String} AND amount_kg != 0"
    " ORDER BY maxIf(value, quantity = 'dry') OVER (PARTITION BY account) DESC, account,"
    " indexOf(['dry', 'wet'], quantity) DESC, quantity"
)


def lots(ask: Ask, asked: Asked) -> Told:
    """Tell what lies at a site, a row per lot or process and quantity: value and u in unit.

    Those with the most dry mass come first; ``process_id`` is null where it is a lot.
    """
    if not times.is_now(asked):
        held = at_site(ask, asked.subject, times.times(asked))
        dry = {(h.process_id, h.lot_id): h.value for h in held if h.quantity.name == "dry"}
        held.sort(
            key=lambda h: (
                -dry.get((h.process_id, h.lot_id), 0),
                h.process_id,
                h.lot_id,
                h.quantity.order,
            )
        )
        return Told([stock_row(one) for one in held])
    rows: list[Row] = []
    for row in ask(_LOTS, {"site": asked.subject}):
        said = {key: value for key, value in row.items() if key not in {"per_kg", "known_at"}}
        known_at = time_of(row["known_at"])
        rows.append({**said, "value": int(str(row["value"])), "u_known_at": known_at})
    return Told(rows)


def period(ask: Ask, asked: Asked) -> Told:
    """Tell a site's balance over a period, as ``custody balance --period --site`` says.

    Where none is named, the last month in which anything came or left: of a history that was sent
    later, or a site that stands, the month that is not over says nothing.

    Raises:
        NotAPeriod: It cannot be read.
    """
    known = times.micros(times.moment(asked).known)
    text = asked.period or _last_month(ask, asked)
    accounts, lost = site_balance(ask, asked.subject, period_of(text), known)
    return Told(period_rows(accounts, lost), {"over": text})


_LAST = """
SELECT maxOrNull(effective_at) AS last_at FROM transfer
WHERE effective_at <= {at:DateTime64(6, 'UTC')} AND known_at <= {known:DateTime64(6, 'UTC')}
    AND (startsWith(arrives, {side:String}) OR startsWith(leaves, {side:String}))
"""


def _last_month(ask: Ask, asked: Asked) -> str:
    both = times.times(asked)
    given = {"at": sql_time(both.at), "known": sql_time(both.known), "side": f"{asked.subject}/"}
    [row] = ask(_LAST, given)
    return str(row["last_at"] or times.shown(both.at))[:7]


def open_alerts(ask: Ask, asked: Asked) -> Told:
    """Tell the alerts about a site itself, its gateways' silence among them."""
    return Told(alerts.about(ask, _subjects(asked), times.moment(asked).known))


def _subjects(asked: Asked) -> Sequence[str]:
    return [f"site/{asked.subject}"]
