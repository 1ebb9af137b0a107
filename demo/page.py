"""The page the demo prints: what went in, what came out, what was found, and whether it holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from demo.correction import ANALYTE
from demo.day import Day
from demo.dirt import MISTYPED_KG
from demo.follow import Verdict
from demo.instrument import Charted, onset, subject_of
from demo.outcome import CLEAN_LOTS_MAX, Judged, Raised, Total
from demo.publish import Answers
from demo.restated import Restated, kilograms, lacks

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the page: title, heading, rows, and which columns stand at the right."""

    title: str
    heading: Cells
    rows: tuple[Cells, ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the page is made of.

    Attributes:
        day: What was sent, and what was true.
        answers: What the gateway said.
        stored: Ids of the day's rows.
        alerts: The day's alerts, latest versions.
        judged: The frauds and what found them.
        clean: Alerts on what nobody touched.
        charted: What was said of the scale that drifts; None where none does.
        totals: What the lots hold, with sigma.
        rows: Rows by table.
        delays: Number of alerts, p50 and p99 of seconds to them.
        verdict: Of ``custody verify``, after the corrections.
        restated: What the corrections moved.
        ghg_kg_per_t: Emissions the concentrate carries, kg CO2e per tonne dry; None where the
            books carry none.
        seconds: How long each step took.
    """

    day: Day
    answers: Answers
    stored: frozenset[str]
    alerts: tuple[Raised, ...]
    judged: tuple[Judged, ...]
    clean: tuple[Raised, ...]
    totals: tuple[Total, ...]
    rows: Mapping[str, int]
    delays: tuple[int, float, float]
    verdict: Verdict
    restated: Restated
    charted: Charted | None = None
    ghg_kg_per_t: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)


def failures(found: Findings) -> list[str]:
    """Return what the demo promises and did not keep; nothing means exit 0."""
    failed = _delivery_failures(found)
    failed += [
        f"{judged.fraud.kind} on {judged.fraud.lot_id}: {judged.lacks}"
        for judged in found.judged
        if judged.lacks
    ]
    if len(found.clean) > CLEAN_LOTS_MAX:
        names = ", ".join(alert.lot_id or alert.subject for alert in found.clean)
        failed.append(f"{len(found.clean)} clean lots have an alert: {names}")
    if found.charted is not None:
        failed += _drift_failures(found.charted)
    return failed


def _drift_failures(charted: Charted) -> list[str]:
    failed = []
    if charted.lacks:
        failed.append(f"drift of {charted.drift.device_id}: {charted.lacks}")
    if charted.doubted:
        names = ", ".join(charted.doubted)
        failed.append(f"drift of {charted.drift.device_id}: it leaves in doubt {names}")
    return failed


def _delivery_failures(found: Findings) -> list[str]:
    answers, day, failed = found.answers, found.day, list[str]()
    missing = len(answers.event_ids - found.stored)
    if missing:
        failed.append(f"{missing} accepted events have no row")
    strangers = len(found.stored - answers.event_ids)
    # Known to the last id only where the gateway took the processes now and named their sides.
    processes = sum(request["type"] == "processing" for request in day.sent)
    if strangers and answers.processes == processes:
        failed.append(f"{strangers} rows of the day were never accepted")
    refused = answers.refused.total()
    if refused != day.dirt.refused:
        failed.append(f"{refused} requests refused, {day.dirt.refused} had to be")
    failed += lacks(found.restated, day)
    if found.verdict.code != 0:
        failed.append(f"custody verify ended with {found.verdict.code}: {found.verdict.text}")
    return failed


def sections(found: Findings) -> list[Section]:
    """Return the page's tables in reading order."""
    frauds = (_frauds(found), *_drift(found.charted), *_clean(found), _dirt(found))
    corrected = (_corrected(found), _moved(found))
    return [_events(found), _totals(found), *frauds, *corrected, _tables(found)]


def _events(found: Findings) -> Section:
    answers, day = found.answers, found.day
    refused = [f"{n} {code}" for code, n in sorted(answers.refused.items())]
    warned = [f"{n} {code}" for code, n in sorted(answers.warnings.items())]
    count, p50, p99 = found.delays
    here = len(answers.event_ids & found.stored)
    rate = len(day.requests) / found.seconds.get("publishing", math.inf)
    rows = (
        ("events accepted", f"{answers.accepted:,}"),
        ("events known already (duplicates)", f"{answers.duplicates:,}"),
        ("events refused", ", ".join(refused) or "0"),
        ("remarks of the gateway", ", ".join(warned) or "0"),
        ("published at", f"{rate:,.0f} events/s"),
        ("of these ids in the warehouse", f"{here:,} of {len(answers.event_ids):,}"),
        ("lots", f"{len(day.lot_ids):,}"),
        (f"clean lots with an alert (at most {CLEAN_LOTS_MAX})", _clean_share(found)),
        ("custody verify", _verdict(found)),
        (f"acceptance to alert, p50 / p99 of {count}", f"{p50:.2f} s / {p99:.2f} s"),
    )
    return Section("Events", ("what", "how many"), rows, frozenset({1}))


def _totals(found: Findings) -> Section:
    rows = tuple(
        (total.name, f"{total.value:,.1f}", f"{total.u:,.1f}", total.unit) for total in found.totals
    )
    title = "What the lots hold at the end of the day (systematic parts summed per source)"
    if found.ghg_kg_per_t is not None:
        name = f"emissions of {found.day.processes[-1].output.lot_id}"
        rows += ((name, f"{found.ghg_kg_per_t:,.1f}", "-", "kg CO2e per t dry"),)
    return Section(title, ("quantity", "value", "sigma", "unit"), rows, frozenset({1, 2}))


def _frauds(found: Findings) -> Section:
    rows = tuple(_fraud_row(judged) for judged in found.judged)
    heading = ("put in", "lot", "truck", "true size", "x detectable", "found as", "size", "result")
    title = f"Frauds put in, and the alert that found each ({len(found.alerts)} alerts in all)"
    return Section(title, heading, rows, frozenset({3, 4, 6}))


def _fraud_row(judged: Judged) -> Cells:
    fraud, alert = judged.fraud, judged.alert
    # A blend is older than the lot's first trip.
    truck = "-" if fraud.kind == "blend" else fraud.movement_id.rpartition("-")[2]
    kind = f"{fraud.kind}, {fraud.analyte} {'falls' if fraud.sign < 0 else 'rises'}"
    stolen = fraud.unit == "kg"
    true = f"{fraud.size:,.0f} kg: {fraud.change:.1%}" if stolen else f"{fraud.size:.1%} replaced"
    times = f"{fraud.size / fraud.detectable:.1f}"
    family = alert.family if alert is not None else "-"
    size = size_text(alert) if alert is not None else "-"
    return (kind, fraud.lot_id, truck, true, times, family, size, judged.lacks or "found, named")


def size_text(alert: Raised) -> str:
    """Return an alert's size with its sigma, of a mass in kilograms, too; a dash for none."""
    if alert.size == alert.size_u == 0.0:
        return "-"
    size = f"{abs(alert.size):.1%} ± {alert.size_u:.1%}"
    for m in alert.evidence:
        if m.quantity.endswith("difference") and m.unit == "g":
            return f"{abs(m.observed - m.expected) / 1000:,.0f} ± {m.u / 1000:,.0f} kg: {size}"
    return size


def _drift(charted: Charted | None) -> list[Section]:
    if charted is None:
        return []
    drift, alert, (before, since) = charted.drift, charted.alert, charted.weighed
    found = ("-", "-", "-") if alert is None else (
        alert.family, onset(alert.onset_at), f"{alert.size:+.2%} ± {alert.size_u:.2%}"
    )  # fmt: skip
    # Named by nothing, and nothing lacks: the chart had gone on to a later day.
    result = charted.lacks or (
        "found, named" if alert is not None else "its chart is a later day's"
    )
    rows = (
        ("put in", f"from {onset(drift.since.astimezone(UTC))}", f"{drift.size:+.2%}", "", ""),
        (found[0], f"from {found[1]}", found[2], str(since), result),
    )
    title = f"A scale that drifts, which is no fraud: {subject_of(drift)}, mass"
    heading = ("what", "UTC", "reads", "lots since", "result")
    text = f"{title} ({before} lots weighed before, {len(charted.doubted)} left in doubt)"
    return [Section(text, heading, rows, frozenset({2, 3}))]


def _clean(found: Findings) -> list[Section]:
    if not found.clean:
        return []
    rows = tuple(
        (alert.lot_id or alert.subject, alert.state, alert.family, size_text(alert))
        for alert in found.clean
    )
    title = f"Alerts on clean lots ({len(rows)}, at most {CLEAN_LOTS_MAX})"
    return [Section(title, ("lot", "state", "family", "size"), rows, frozenset({3}))]


def _clean_share(found: Findings) -> str:
    touched = {fraud.lot_id for fraud in found.day.frauds}
    return f"{len(found.clean)} of {len(set(found.day.lot_ids) - touched)}"


def _dirt(found: Findings) -> Section:
    rows = tuple((_DIRT[kind], lot_id) for kind, lot_id in found.day.dirt.lots.items())
    return Section("Dirt put in, which is no fraud", ("what", "lot"), rows)


_DIRT = {
    "duplicate": "a ticket sent twice; the second is known already",
    "correction": f"a tare mistyped by {MISTYPED_KG} kg, corrected later",
    "kg_for_t": "a net mass in tonnes, refused, then sent right",
    "unknown_device": "a hired weighbridge nobody announced, remarked upon",
    "late": "a certificate that comes after everything else",
}


def _corrected(found: Findings) -> Section:
    wrong = found.day.corrected
    blend, restated = found.day.processes[0], found.restated
    rows = (
        (
            f"{ANALYTE} on {wrong.certificate_no} of {wrong.lab_id}, % dry",
            *(f"{pct:.4g}" for pct in wrong.grade_pct),
        ),
        (
            f"wet mass of {wrong.lot_id} into {blend.process_id}, kg",
            *(f"{kg:,}" for kg in wrong.input_kg),
        ),
        ("lots whose books moved", "", ", ".join(restated.lots)),
        ("transfers taken back, and made anew", "", _both(restated)),
    )
    title = "Corrected in the evening, with the concentrate at the smelter"
    return Section(title, ("what", "first", "corrected"), rows, frozenset({1, 2}))


def _both(restated: Restated) -> str:
    return f"{restated.compensations:,} and {restated.transfers:,}"


def _moved(found: Findings) -> Section:
    rows = tuple(
        (level.name, *(kilograms(mg) for mg in (level.before_mg, level.after_mg, level.moved_mg)))
        for level in found.restated.levels
    )
    rows += tuple(
        (f"rest of {name}: in less out", *(kilograms(mg) for mg in (*rest, rest[1] - rest[0])))
        for name, rest in found.restated.rest_mg.items()
    )
    title = f"What that moved: contained {ANALYTE}, kg (custody verify: {_verdict(found)})"
    return Section(title, ("level", "before", "after", "moved"), rows, frozenset({1, 2, 3}))


def _verdict(found: Findings) -> str:
    return "clean" if found.verdict.code == 0 else "NOT clean"


def _tables(found: Findings) -> Section:
    rows = tuple((name, f"{count:,}") for name, count in found.rows.items())
    return Section("Rows in the warehouse (all days)", ("table", "rows"), rows, frozenset({1}))


def as_text(parts: Sequence[Section]) -> str:
    """Return tables as aligned plain text."""
    return "\n\n".join(_table(part) for part in parts)


def _table(part: Section) -> str:
    lines = [part.heading, *part.rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(part.heading))]
    text = [part.title, "-" * len(part.title)]
    for line in lines:
        cells = [
            cell.rjust(widths[n]) if n in part.right else cell.ljust(widths[n])
            for n, cell in enumerate(line)
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)
