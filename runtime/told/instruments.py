"""What is told of a site's instruments: whether each reads right, and the charts that say so.

Residuals are stored by the worker, the charts are reckoned from them by its own function, so a
page shows the sums that an alert came of (docs/detection/charts.md).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

from console.answers import CHART, Asked, Told, Unknown
from console.rows import Row, time_of
from custody.detect import drift
from custody.detect.cusum import BANK
from custody.detect.drift import Chart, Point
from custody.events import Micros
from runtime.asof import Ask
from runtime.lineage import listed
from runtime.told import alerts, times

LOTS_MAX = 200
"""Lots of a chart that are told, the last ones; its sums know all before."""

_DEVICES = """
SELECT DISTINCT device FROM
(
    SELECT toString(device_id) AS device FROM weighing WHERE site_id = {site:String}
    UNION ALL SELECT toString(device_id) FROM xrf WHERE site_id = {site:String}
    UNION ALL SELECT toString(lab_id) FROM assay WHERE site_id = {site:String}
)
WHERE device != '' ORDER BY device
"""


def told(ask: Ask, asked: Asked) -> Told:
    """Tell a site's instruments and laboratories, each with what stands against it.

    ``off_by`` is the shift of the level that lasts, a natural logarithm, with its u; null where it
    reads as its class permits. ``sum_of_limit`` is the greatest sum of its chart over its limit:
    at 1 a shift is there.
    """
    devices = [str(row["device"]) for row in ask(_DEVICES, {"site": asked.subject})]
    charted = _charts(ask, devices, times.moment(asked).known)
    rows: list[Row] = []
    for device in devices:
        of = {q: one for (name, q), one in charted.items() if name == device}
        rows += [_row(device, q, points) for q, points in sorted(of.items())] or [_silent(device)]
    subjects = [f"instrument/{device}" for device in devices]
    found = alerts.about(ask, subjects, times.moment(asked).known)
    return Told(rows, tables={"alerts": found})


def charts(ask: Ask, asked: Asked) -> Told:
    """Tell the charts of a site's instruments: a row per lot and quantity, in the order of time.

    ``residual`` is how far a lot's readings are from what all others say of it, as a natural
    logarithm, with its two u; ``sum_of_limit`` the greatest cumulative sum after it over its
    limit, 1 or more at the lot that made a level of it.
    """
    devices = [str(row["device"]) for row in ask(_DEVICES, {"site": asked.subject})]
    charted = _charts(ask, devices, times.moment(asked).known)
    return Told([
        {"device_id": device, "quantity": quantity, **row}
        for (device, quantity), points in sorted(charted.items())
        for row in _read(points, f"instrument/{device}", quantity)[-LOTS_MAX:]
    ])  # fmt: skip


def chart(ask: Ask, asked: Asked) -> Told:
    """Tell the charts of one thing, ``instrument/<device>`` or ``way/<from>><to>``.

    Rows are as of ``charts``, with ``thing`` instead of the device.

    Raises:
        Unknown: No lot has said anything of it.
    """
    charted = _said_of(ask, [asked.subject], times.moment(asked).known)
    if not charted:
        raise Unknown(asked.subject, CHART)
    return Told([
        {"thing": thing, "quantity": quantity, **row}
        for (thing, quantity), points in sorted(charted.items())
        for row in _read(points, thing, quantity)[-LOTS_MAX:]
    ])  # fmt: skip


_Points = Sequence[Mapping[str, object]]


def _charts(ask: Ask, devices: Sequence[str], known: str) -> dict[tuple[str, str], list[Row]]:
    """Return what lots say of devices, by device and quantity, in the order of time."""
    said = _said_of(ask, [f"instrument/{device}" for device in devices], known) if devices else {}
    return {(thing.removeprefix("instrument/"), q): points for (thing, q), points in said.items()}


def _said_of(ask: Ask, of: Sequence[str], known: str) -> dict[tuple[str, str], list[Row]]:
    """Return what lots say of things, by thing and quantity, in the order of time."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    things = listed(of)
    statement = (
        "SELECT thing, lot_id,"  # noqa: S608
        # What a scale read when the lot came to it again has a time of its own.
        " arrayMap(t -> ifNull(t, occurred_at), figures.occurred_at) AS times,"
        " arrayMap(t -> toUnixTimestamp64Micro(t), times) AS at,"
        " figures.quantity AS quantity, figures.value AS value, figures.u AS u,"
        " figures.u_shared AS u_shared, figures.explained AS explained FROM ("
        f" SELECT * FROM residual WHERE thing IN {things}"
        " AND known_at <= {known:DateTime64(6, 'UTC')}"
        " ORDER BY thing, lot_id, known_at DESC, n DESC LIMIT 1 BY thing, lot_id)"
        " ORDER BY thing, lot_id"
    )
    names = ("value", "u", "u_shared", "explained", "at", "times")
    for row in ask(statement, {"known": known}):
        columns = [cast("list[object]", row[name]) for name in ("quantity", *names)]
        for quantity, *figures in zip(*columns, strict=True):
            one: Row = dict(zip(names, figures, strict=True))
            one |= {"lot_id": row["lot_id"], "when": time_of(one["times"])}
            found[str(row["thing"]), str(quantity)].append(one)
    return {of: sorted(points, key=_order) for of, points in found.items()}


def _order(point: Row) -> tuple[int, str]:
    return int(str(point["at"])), str(point["lot_id"])


def _read(points: _Points, thing: str, quantity: str) -> list[Row]:
    """Return the chart after each lot."""
    chart, rows = drift.begun(thing, quantity), []
    for one in points:
        value, u, shared = (float(str(one[name])) for name in ("value", "u", "u_shared"))
        # As the worker keeps them: no u is below a millionth.
        before = chart
        chart = drift.read([Point(Micros(int(str(one["at"]))), value, max(u, 1e-6), shared)], chart)
        rows.append(
            {
                "occurred_at": one["when"],
                "lot_id": one["lot_id"],
                "residual": value,
                "residual_u": u,
                "residual_u_shared": shared,
                "explained": float(str(one["explained"])),
                "sum_of_limit": _greatest(before, chart),
                "off_by": None if chart.level is None else chart.level.mean,
                "off_by_u": None if chart.level is None else chart.level.u,
            }
        )
    return rows


def _greatest(before: Chart, chart: Chart) -> float:
    """Return the greatest sum over its limit; where it made a level, before it began anew."""
    if chart.value != before.value:
        return chart.value
    return max(one.value / BANK[number // 2][1] for number, one in enumerate(chart.sums))


def _row(device: str, quantity: str, points: _Points) -> Row:
    rows = _read(points, f"instrument/{device}", quantity)
    last = rows[-1]
    return {
        "device_id": device,
        "quantity": quantity,
        "lots": len(rows),
        "last_at": last["occurred_at"],
        "off_by": last["off_by"],
        "off_by_u": last["off_by_u"],
        "sum_of_limit": last["sum_of_limit"],
    }


def _silent(device: str) -> Row:
    """Return an instrument of which no lot has said anything yet."""
    empty = dict.fromkeys(("quantity", "last_at", "off_by", "off_by_u", "sum_of_limit"))
    return {"device_id": device, "lots": 0, **empty}
