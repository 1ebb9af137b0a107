"""What is told of a process: its sides, what went in and came out, and whether that fits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from console.answers import SUMMARY, Asked, Part, Told
from console.rows import Row, time_of
from custody.estimate import NOTHING, Estimate, add, sigma
from custody.records import Content
from runtime.asof import Ask, Quantity, quantity_of
from runtime.lineage import Moment
from runtime.moment import Period, period_of, sql_time
from runtime.process_kinds import kinds_of
from runtime.stored import record_of
from runtime.told import alerts, times
from runtime.unaccounted import figure_of

LINES = ("opening", "fed", "drawn", "lost", "converted", "unaccounted", "other", "closing")
"""Signed, of the process's account: opening and what moved make closing."""


def parts(ask: Ask) -> dict[str, Part]:
    """Return what can be asked of a process, by name."""
    return {
        SUMMARY: lambda asked: summary(ask, asked),
        "sides": lambda asked: sides(ask, asked),
        "period": lambda asked: period(ask, asked),
        "tests": lambda asked: tests(ask, asked),
    }


_CONTENTS = """
SELECT * EXCEPT (key, prev, digest, value) FROM
(
    SELECT * FROM content
    WHERE (from_owner = {owner:String} OR to_owner = {owner:String})
        AND known_at <= {known:DateTime64(6, 'UTC')}
    ORDER BY from_owner, to_owner, cause_event_id, n DESC
    LIMIT 1 BY from_owner, to_owner, cause_event_id
)
WHERE NOT void AND effective_at <= {at:DateTime64(6, 'UTC')}
ORDER BY effective_at, from_owner, to_owner
"""


def summary(ask: Ask, asked: Asked) -> Told:
    """Tell what was handed into a process and out of it, with u, and what it does to material."""
    moment = times.moment(asked)
    contents = _contents(ask, asked, moment)
    kind = kinds_of(ask, [asked.subject], moment).get(asked.subject)
    rows = [row for one in _sided(contents, asked.subject) for row in _handed(one)]
    said = None
    if kind is not None:
        said = {
            "kind": kind.name,
            "separating": kind.separating,
            "continuous": kind.continuous,
            "key_analyte": kind.key_analyte,
            "allocation": kind.divides_by,
        }
    return Told(rows, {"process": said})


def _contents(ask: Ask, asked: Asked, moment: Moment) -> list[Content]:
    params = moment._asdict() | {"owner": f"process/{asked.subject}"}
    return [cast("Content", record_of("content", row)) for row in ask(_CONTENTS, params)]


class _Handed(NamedTuple):
    """What was handed over, with its side.

    Attributes:
        side: ``in`` or ``out``.
        sign: -1 where the lot gives back what is measured of it: less came out, then.
    """

    content: Content
    side: str
    other: str
    sign: float


def _sided(contents: Sequence[Content], process: str) -> list[_Handed]:
    """Return contents with their sides; what is measured of an output later is of that output."""
    owner = f"process/{process}"
    made = {(one.to_owner, one.cause_event_id) for one in contents if one.from_owner == owner}
    found = []
    for one in contents:
        if one.from_owner == owner:
            found.append(_Handed(one, "out", one.to_owner, 1.0))
        elif (one.from_owner, one.cause_event_id) in made:
            found.append(_Handed(one, "out", one.from_owner, -1.0))
        else:
            found.append(_Handed(one, "in", one.from_owner, 1.0))
    return found


def _quantities(one: Content) -> list[Quantity]:
    masses = [Quantity("mass", "wet", "g"), Quantity("mass", "dry", "g")]
    return masses + [Quantity("metal", metal.analyte, "mg") for metal in one.metals]


def _handed(one: _Handed) -> list[Row]:
    """Return what was handed over, a row per quantity: value and u in unit."""
    content = one.content
    return [
        {
            "direction": one.side,
            "owner": one.other,
            "effective_at": times.shown(content.effective_at),
            "known_at": times.shown(content.known_at),
            "quantity": quantity.name,
            "class": quantity.cls,
            "unit": quantity.unit,
            "value": round(one.sign * figure_of(content, quantity).value),
            "u": sigma(figure_of(content, quantity)),
            "measured_later": one.sign < 0,
        }
        for quantity in _quantities(content)
    ]


_SIDES = """
SELECT occurred_at, recorded_at, site_id, kind, part, part_no,
    if(part = 'input', lot_id, ifNull(output_lot_id, '')) AS lot_id, loss_kind, mass_wet_kg,
    mass_dry_kg, moisture_fraction, u_mass_kg, source_ref, event_id
FROM v_processing
WHERE process_id = {process:String} AND occurred_at <= {at:DateTime64(6, 'UTC')}
    AND recorded_at <= {known:DateTime64(6, 'UTC')}
ORDER BY occurred_at, part, part_no, event_id
"""


def sides(ask: Ask, asked: Asked) -> Told:
    """Tell the sides of a process as they were stated, those that stand."""
    return Told(_sides(ask, asked))


def _sides(ask: Ask, asked: Asked) -> list[Row]:
    rows = ask(_SIDES, times.moment(asked)._asdict() | {"process": asked.subject})
    named = ("occurred_at", "recorded_at")
    return [{**row, **{name: time_of(row[name]) for name in named}} for row in rows]


_LINES = """
SELECT class, quantity, unit, quality,
    sumIf(amount, before) AS opening,
    sumIf(amount, NOT before AND line = 'fed') AS fed,
    sumIf(amount, NOT before AND line = 'drawn') AS drawn,
    sumIf(amount, NOT before AND line = 'lost') AS lost,
    sumIf(amount, NOT before AND line = 'converted') AS converted,
    sumIf(amount, NOT before AND line = 'unaccounted') AS unaccounted,
    sumIf(amount, NOT before AND line = 'other') AS other,
    sum(amount) AS closing
FROM
(
    SELECT
        posted.1 AS class, posted.2 AS quantity, posted.3 AS unit, posted.4 AS quality,
        if(credit = {account:String}, 1, -1) * posted.5 AS amount,
        if(credit = {account:String}, debit, credit) AS other_account,
        effective_at < {start:DateTime64(6, 'UTC')} AS before,
        multiIf(
            startsWith(other_account, 'loss/'), 'lost',
            startsWith(other_account, 'conversion/'), 'converted',
            startsWith(other_account, 'unaccounted/'), 'unaccounted',
            NOT startsWith(other_account, 'lot/'), 'other',
            debit = {account:String} OR coalesce(replaces_kind, kind) = 'measured', 'drawn',
            'fed') AS line
    FROM transfer
    ARRAY JOIN arrayConcat(
        [('mass', 'wet', 'g', '', mass_wet_g), ('mass', 'dry', 'g', '', mass_dry_g)],
        arrayMap((a, v) -> ('metal', a::String, 'mg', '', v),
            `metals.analyte`, `metals.value_mg`),
        arrayMap((a, u, q, v) -> ('attribute', a::String, concat('micro ', u), q, v),
            `attributes.name`, `attributes.unit`, `attributes.quality`, `attributes.value_micro`)
    ) AS posted
    WHERE process_id = {process:String} AND (debit = {account:String} OR credit = {account:String})
        AND effective_at < {end:DateTime64(6, 'UTC')}
        AND known_at <= {known:DateTime64(6, 'UTC')}
)
GROUP BY class, quantity, unit, quality
"""


def period(ask: Ask, asked: Asked) -> Told:
    """Tell a process's balance over a period (all its time where none is named), line by line.

    Values are exact sums of transfers; u of ``fed`` and ``drawn`` is that of what was handed,
    sources added straight. ``z`` of what is unaccounted for is over the u of their difference.

    Raises:
        NotAPeriod: The period cannot be read.
    """
    moment = times.moment(asked)
    over = _period(asked, moment)
    params = {
        "account": f"process/{asked.subject}",
        "process": asked.subject,
        "start": sql_time(over.start),
        "end": sql_time(over.end),
        "known": moment.known,
    }
    found = sorted(ask(_LINES, params), key=lambda row: quantity_of(row).order)
    sums = _sums(_within(_contents(ask, asked, moment), over), asked.subject)
    return Told([line for row in found for line in _lines(row, sums)])


def _period(asked: Asked, moment: Moment) -> Period:
    if asked.period is not None:
        return period_of(asked.period)
    end = times.micros(moment.at)
    return Period(times.BEGINNING, type(end)(end + 1))


def _within(contents: list[Content], over: Period) -> list[Content]:
    return [one for one in contents if over.start <= one.effective_at < over.end]


_Sums = Mapping[tuple[str, str], Estimate]


def _sums(contents: list[Content], process: str) -> _Sums:
    """Return what was handed in and out, by line and quantity, and their difference."""
    sums: dict[tuple[str, str], Estimate] = defaultdict(lambda: NOTHING)
    for one in _sided(contents, process):
        line, way = ("fed", 1.0) if one.side == "in" else ("drawn", -one.sign)
        for quantity in _quantities(one.content):
            figure = figure_of(one.content, quantity)
            for key in ((line, quantity.name), ("unaccounted", quantity.name)):
                sums[key] = add(sums[key], figure, way)
    return sums


def _lines(row: Mapping[str, object], sums: _Sums) -> list[Row]:
    quantity = quantity_of(row)
    found: list[Row] = []
    for line in LINES:
        value = int(str(row[line]))
        told = sums.get((line, quantity.name)) if quantity.cls != "attribute" else None
        u = None if told is None else sigma(told)
        if line == "unaccounted" and not value:
            u = None
        z = value / u if line == "unaccounted" and u else None
        found.append(
            {
                "quantity": quantity.name,
                "class": quantity.cls,
                "quality": quantity.quality or None,
                "unit": quantity.unit,
                "line": line,
                "value": value,
                "u": u,
                "z": z,
            }
        )
    return found


def tests(ask: Ask, asked: Asked) -> Told:
    """Tell what tests of the node say: alerts about the process, with their evidence."""
    known = times.moment(asked).known
    return Told(alerts.about(ask, [f"process/{asked.subject}"], known))
