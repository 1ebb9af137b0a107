"""Charts: an instrument or a way hears of every lot what that lot says of it.

Each has a row of its own, in whatever partition its name falls. The row keeps the last lots in the
order of time, and what is found is a function of them: so a lot that is measured better, corrected
or sent late changes the chart, and a finding whose reason is gone is taken back. A drift of an
instrument is told to every partition, and lots it has measured are judged again without it; a loss
on a way is only named: goods that are stolen from every lot are stolen nevertheless.

Source:
    docs/detection/charts.md
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from custody import alerts, blame, findings, rechecking
from custody.alerts import CHARTS, INSTRUMENT_BIAS, ROUTE_LOSS, alert_id
from custody.chart_hold import Held, hold, is_near
from custody.chart_lots import LOTS_MAX, Means, explained_by, lots_of, means, minute_of, why_gone
from custody.detect import drift
from custody.detect.cusum import RUN_LENGTH
from custody.detect.drift import Chart, Point
from custody.detect.lot_facts import MASS, MOISTURE, Floats
from custody.detect.residuals import INSTRUMENT, TO, WAY, stands
from custody.drifts import DriftRow, Level
from custody.events import Micros
from custody.fold import Reader, Step
from custody.heard import FIGURE, FIGURE_MAX, FOUR, Heard
from custody.held import BEGINNING
from custody.ledger import Clock
from custody.lot_step import Arrived
from custody.records import Drift, DriftLevel, Evidence, Residual, ResidualFigure, Sighting
from custody.rows import AlertState
from custody.severity import BY_RULE
from custody.verdict import Verdict

KINDS = frozenset({INSTRUMENT, WAY})

BASIS = f"CUSUM bank of eight sums, one false alarm in {RUN_LENGTH:,} lots of a healthy one"
ROAD_BASIS = BASIS.replace("eight sums", "four sums of losses")


@dataclass(slots=True)
class ChartRow:
    """What is known of an instrument or a way.

    Attributes:
        known: When the newest record it took was recorded.
        heard: The last lots, in order.
        before: By quantity the chart before the first of them.
        last: The last lot that went into it: time and name.
        said: By quantity the levels that were told last.
        alerts: Alerts by key.
        held: By quantity until when a shift at its limit is not taken back.
    """

    known: Micros = BEGINNING
    heard: list[Heard] = field(default_factory=list)
    before: dict[str, Chart] = field(default_factory=dict)
    last: tuple[Micros, str] | None = None
    said: dict[str, tuple[Level, ...]] = field(default_factory=dict)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    held: dict[str, Micros] = field(default_factory=dict)


def chart_step(
    owner: str, row: ChartRow, arrived: Arrived, clock: Clock, *, laboratory: bool = False
) -> Step:
    """Return the next row of a chart and what it says.

    Args:
        owner: Its row key.
        row: Its row; never changed.
        arrived: What lots say, and what people do.
        clock: This step's records.
        laboratory: Reference data knows it as one; whoever measures moisture is one, too.
    """
    heard, missed = _taken(row, arrived.residuals)
    after = ChartRow(clock.newest, heard, row.before, row.last, row.said, row.alerts)
    charts = _read(owner, row.before, heard)
    laboratory = laboratory or any(MOISTURE in one.quantities for one in heard)
    lots_min = blame.LABORATORY_LOTS if laboratory else 1
    charts = {q: _of_lots(chart, lots_min) for q, chart in charts.items()}
    found = {
        q: levels
        for q, chart in charts.items()
        if (levels := _named(owner, chart, (q, row.said.get(q, ())), heard, lots_min))
    }
    held = _held(owner, row, charts, heard, arrived.due, clock)
    after.held = held.until
    _forget(owner, after)
    step = Step(after, held.rows)
    step.findings.extend(["beyond_chart"] * missed)
    verdicts = {q: v for q in found if (v := _verdict(owner, q, charts[q], found[q], heard))}
    subject = (owner, heard[-1].at if heard else clock.newest)
    shown = _keyed(verdicts)
    still = {key: one for key, one in row.alerts.items() if one.about in held.until}
    judging = {key: one for key, one in row.alerts.items() if key not in still}
    gone = {key: state for key, state in judging.items() if key not in shown}
    asked = dict.fromkeys(CHARTS) | _whys(row, gone, charts, heard, arrived.residuals)
    judged = findings.tested(judging, shown, asked, subject, clock, {})
    answer = findings.answer(judged.states | still, arrived.actions, owner, shown)
    step.findings.extend(answer.findings)
    step.outputs.extend([*judged.said, *answer.said])
    found |= {quantity: row.said[quantity] for quantity in held.until}
    after.alerts, after.said = answer.states, found
    for quantity in sorted({*found, *row.said}):
        if found.get(quantity) != row.said.get(quantity):
            step.outputs.append(_told(owner, quantity, found.get(quantity, ()), clock))
    return step


def _held(
    owner: str,
    row: ChartRow,
    charts: Mapping[str, Chart],
    heard: Sequence[Heard],
    due: Iterable[Sighting],
    clock: Clock,
) -> Held:
    """Return which shifts that were said are not taken back yet."""
    near = [
        quantity
        for quantity, told in row.said.items()
        if is_near(told, charts.get(quantity, Chart()), _points(heard, quantity))
    ]
    at = heard[-1].at if heard else clock.newest
    return hold(owner, row.held, near, at, clock.cause, due)


def _whys(
    row: ChartRow,
    gone: Mapping[str, AlertState],
    charts: Mapping[str, Chart],
    heard: Sequence[Heard],
    words: Sequence[Residual],
) -> dict[str, str]:
    """Return by key why alerts of a chart are taken back."""
    return {
        key: why_gone(state, charts.get(q, Chart()), row.said.get(q, ()), heard, words)
        for key, state in gone.items()
        if alerts.stands(state) and (q := state.about or "")
    }


def _taken(row: ChartRow, residuals: Iterable[Residual]) -> tuple[list[Heard], int]:
    """Return the lots of the chart with what has come, and how many came too late for it."""
    by_lot: dict[str, list[Heard]] = defaultdict(list)
    for heard in row.heard:
        by_lot[heard.lot].append(heard)
    missed = 0
    for one in residuals:
        every = list(_visits(one))
        fits = [h for h in every if row.last is None or (h.at, h.lot) > row.last]
        missed += len(fits) < len(every)
        by_lot[one.lot_id] = fits
    kept = [heard for lot in by_lot.values() for heard in lot]
    return sorted(kept, key=lambda one: (one.at, one.lot)), missed


def _visits(word: Residual) -> Iterable[Heard]:
    """Yield what a lot says, apart by when it was measured: a scale may have read it twice."""
    apart: dict[Micros | None, list[ResidualFigure]] = defaultdict(list)
    for figure in word.figures:
        apart[figure.occurred_at].append(figure)
    for at, of in apart.items():
        when = word.occurred_at if at is None else at, word.lot_id, of[0].ways or word.ways
        quantities, figures = tuple([f.quantity for f in of]), b"".join(map(_millionths, of))
        rivals = [
            (figure.quantity, rival, round(part * 1e6))
            for figure in of
            for rival, part in zip(figure.rivals, figure.rival_parts, strict=False)
        ]
        cause = of[0].event_id or word.cause_event_id
        yield Heard(*when, cause, quantities, figures, tuple(rivals))


def _millionths(figure: ResidualFigure) -> bytes:
    four = (figure.value, figure.u, figure.u_shared, figure.explained)
    whole = [min(max(round(x * 1e6), -FIGURE_MAX), FIGURE_MAX) for x in four]
    whole[1] = max(whole[1], 1)
    return FOUR.pack(*whole)


def _points(heard: Iterable[Heard], quantity: str) -> Iterable[Point]:
    for one in heard:
        if quantity in one.quantities:
            value, u, shared, _ = one.of(quantity)
            yield Point(one.at, value / 1e6, u / 1e6, shared / 1e6)


def _figures(heard: Sequence[Heard], quantities: Sequence[str]) -> Floats:
    """Return all figures, shape (quantities, lots, 4); NaN where a lot says nothing of one."""
    place = {quantity: at for at, quantity in enumerate(quantities)}
    found = np.full((len(quantities), len(heard), 4), math.nan)
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, one in enumerate(heard):
        alike.setdefault(one.quantities, []).append(number)
    for named, lots in alike.items():
        told = np.frombuffer(b"".join([heard[number].figures for number in lots]), FIGURE)
        rows = [place[quantity] for quantity in named]
        found[np.ix_(rows, lots)] = told.reshape(len(lots), len(rows), 4).swapaxes(0, 1)
    return found


def _read(owner: str, before: Mapping[str, Chart], heard: Sequence[Heard]) -> dict[str, Chart]:
    """Return the charts of the quantities that are not quiet; most are."""
    quantities = sorted({*before, *(q for of in {one.quantities for one in heard} for q in of)})
    if not quantities or not heard:
        return {q: chart for q, chart in before.items() if chart.levels}
    figures = _figures(heard, quantities)
    start = [drift.begun(owner, q, before.get(q)) for q in quantities]
    calm = drift.quiet(start, figures[:, :, :3] / 1e6)
    return {
        q: one if still else drift.read(_points(heard, q), one)
        for q, one, still in zip(quantities, start, calm, strict=True)
        if one.levels or not still
    }


def _of_lots(chart: Chart, lots_min: int) -> Chart:
    """Return a chart whose levels are said of as many lots as must show them."""
    levels = [one._replace(lots=max(one.lots, lots_min)) for one in chart.levels]
    return chart._replace(levels=tuple(levels))


def _forget(owner: str, row: ChartRow) -> None:
    """Put what is beyond the last lots into the charts before them, in place."""
    old = row.heard[: max(len(row.heard) - LOTS_MAX, 0)]
    if not old:
        return
    row.heard = row.heard[len(old) :]
    quantities = {*row.before, *(q for one in old for q in one.quantities)}
    row.before = {
        q: drift.read(_points(old, q), drift.begun(owner, q, row.before.get(q)), kept=False)
        for q in sorted(quantities)
    }
    row.last = old[-1].at, old[-1].lot


def _named(
    owner: str,
    chart: Chart,
    told: tuple[str, Sequence[Level]],
    heard: Sequence[Heard],
    lots_min: int,
) -> tuple[Level, ...]:
    """Return the levels that can be said to be of this one and of nothing else."""
    quantity, said = told
    if owner.startswith(f"{INSTRUMENT}/"):
        return blame.own(quantity, chart.levels, said, heard, lots_min)
    level = chart.level
    # Nothing is gained on a road: what seems so is one of the scales at its ends.
    return chart.levels if level is None or level.mean < 0.0 else chart.levels[:-1]


def _verdict(
    owner: str, quantity: str, chart: Chart, levels: Sequence[Level], heard: Sequence[Heard]
) -> Verdict | None:
    """Return what is to be said of a quantity; None where its drift is over, or that of others."""
    level = levels[-1]
    if level.until is not None:
        return None
    lots = lots_of(quantity, level, heard)
    found = means(quantity, lots)
    kind, _, name = owner.partition("/")
    # What is left of a road's loss may be a gain, and then it is nothing of the road's.
    if not stands(quantity, found.clipped, found.explained, level.u):
        return None
    if kind == WAY and found.left > 0.0:
        return None
    family = INSTRUMENT_BIAS if kind == INSTRUMENT else ROUTE_LOSS
    return Verdict(
        family,
        None,
        family,
        found.left,
        found.u,
        chart.value,
        1.0,
        BASIS if kind == INSTRUMENT else ROAD_BASIS,
        ((family, 1.0),),
        (lots[0].event_id if lots[0].at == level.since else None, level.since, level.since),
        tuple(_evidence(name if kind == INSTRUMENT else "", quantity, lots)),
        _sentence(owner, quantity, found, lots, level.since),
        BY_RULE[family],
        quantity,
        lots=level.lots,
    )


def _sentence(owner: str, quantity: str, found: Means, rows: Sequence[Heard], since: Micros) -> str:
    kind, _, name = owner.partition("/")
    size, over = found.left, "over" if rows[0].at == since else "over its last"
    lots = f"{over} {len(rows)} lots, since {minute_of(since)}"
    amount = f"{abs(math.expm1(size)):.2%} (sigma {found.u * math.exp(size):.2%})"
    if kind == INSTRUMENT:
        way = "high" if size > 0.0 else "low"
        judged = f"{name} reads {quantity} {amount} {way} {lots}; its lots are judged without that"
        return judged + explained_by(quantity, found, rows)
    source, _, target = name.partition(TO)
    return (
        f"from {source} to {target} lots lose {amount} on average more than expected, {lots}; "
        "the scales at its ends are not off on other ways. Weigh a check weight at "
        f"{source} and at {target}, then look for who gains"
    ) + explained_by(quantity, found, rows)


def _evidence(instrument: str, quantity: str, lots: Iterable[Heard]) -> Iterable[Evidence]:
    """Yield the lots of a level: the size is the mean of observed - expected, weighted by 1/u^2."""
    for one in lots:
        value, u, shared, explained = (figure / 1e6 for figure in one.of(quantity))
        yield Evidence(
            quantity="ln_residual", analyte=None if quantity == MASS else quantity,
            expected=explained, observed=value, u=u, z=(value - explained) / u, unit="1",
            event_ids=(one.event_id,), instruments=(instrument,) if instrument else (),
            u_shared=shared,
        )  # fmt: skip


def _keyed(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    return {f"{verdict.rule}|{quantity}": verdict for quantity, verdict in verdicts.items()}


def _told(owner: str, quantity: str, levels: Sequence[Level], clock: Clock) -> Drift:
    rule = INSTRUMENT_BIAS if owner.startswith(INSTRUMENT) else ROUTE_LOSS
    return Drift(
        sender="",
        n=0,
        cause_event_id=alert_id(rule, owner, None, quantity),
        partition=0,
        thing=owner,
        quantity=quantity,
        known_at=clock.newest,
        levels=tuple(DriftLevel(**one._asdict()) for one in levels),
    )


def drift_step(owner: str, row: DriftRow, told: Sequence[Drift], reader: Reader) -> Step:
    """Return what a partition knows of a drift, and tell the lots it concerns.

    Args:
        owner: Row key, ``drift/<thing>``.
        row: What it knew; never changed.
        told: What the chart says, in order.
        reader: Rows of the partition.
    """
    after = DriftRow(dict(row.levels))
    step = Step(after)
    kind, _, name = owner.removeprefix("drift/").partition("/")
    for one in told:
        levels = tuple(Level(x.since, x.until, x.mean, x.u, x.lots, x.ways) for x in one.levels)
        if levels == after.levels.get(one.quantity, ()):
            continue
        changed = _changed_since(after.levels.get(one.quantity, ()), levels)
        after.levels[one.quantity] = levels
        # Lots have asked for what they were measured by, whether there is a record or not.
        for used in ("device", "laboratory") if kind == INSTRUMENT else (WAY,):
            word = (one.cause_event_id, changed, one.known_at)
            step.outputs.extend(rechecking.drifted(f"ref/{used}/{name}", word, reader))
    return step


def _changed_since(old: Sequence[Level], new: Sequence[Level]) -> Micros:
    """Return from which time on levels say something else."""
    differ = [min(a.since, b.since) for a, b in zip(old, new, strict=False) if a != b]
    rest = [*old[len(new) :], *new[len(old) :]]
    return min([*differ, *(one.since for one in rest)])
