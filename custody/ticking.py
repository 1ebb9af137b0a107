"""The step of a tick: what is due is told, and which gateways have fallen silent.

A tick takes effect when the facts before its ``fact_end_offset`` are applied. A gateway's head is
sent only when all records before it are acknowledged; so of a gateway that is not silent all facts
it had taken until ``SILENT_US`` before ``now`` are applied, and what is due before then and has not
come did not come in time. Of a silent gateway nothing is known, and what waits for its site waits.

Source:
    docs/adr/0018-let-ticks-say-what-is-due.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from custody.deadlines import ARMED, DUE, NEXT, DueRow, Waiting, before, waiting_of
from custody.events import Micros
from custody.fold import Entry, Reader, Step
from custody.held import BEGINNING
from custody.ids import derived_id
from custody.records import Sighting, Tick
from custody.reference import gateway_site
from custody.reference_versions import body_at
from custody.rows import RefRow

SILENT_US = 180_000_000
"""Age of the last head from which a gateway is silent; the worker's ``silent_after_s``."""

TOLD_MAX = 2_000
"""Owners told in one step, those that have waited longest first; the rest is the next tick's."""

SILENT = "silent"
HEARD = "heard"
"""Quantities of what a partition says of a gateway; ``value`` is the partition."""


@dataclass(slots=True)
class TickRow:
    """What a partition remembers of its ticks.

    Attributes:
        now: The greatest time that took effect.
        silent: Gateways that were silent then.
    """

    now: Micros = BEGINNING
    silent: list[str] = field(default_factory=list)


def tick_step(held: TickRow, entries: Sequence[Entry], reader: Reader) -> Step:
    """Return what a tick leads to; one of the past, or the same again, changes nothing.

    Args:
        held: The partition's row.
        entries: Ticks.
        reader: Rows of the partition.
    """
    ticks = [entry.event for entry in entries if isinstance(entry.event, Tick)]
    newest = max(ticks, key=lambda tick: tick.now, default=None)
    if newest is None or newest.now <= held.now:
        return Step(held)
    silent = frozenset(g for g in newest.silent_sites if not _is_retired(g, newest.now, reader))
    step = Step(TickRow(newest.now, sorted(silent)))
    _tell(newest, silent, step, reader)
    was, now = frozenset(held.silent), silent
    step.outputs.extend([_of_gateway(name, SILENT, newest) for name in sorted(now - was)])
    step.outputs.extend([_of_gateway(name, HEARD, newest) for name in sorted(was - now)])
    return step


def _is_retired(gateway: str, at: Micros, reader: Reader) -> bool:
    """Tell whether a gateway has a record that says it is no more: it will never be heard again."""
    row = reader.get("ref/gateway/" + gateway)
    return isinstance(row, RefRow) and body_at(row, at) is None


def _tell(tick: Tick, silent: frozenset[str], step: Step, reader: Reader) -> None:
    limit = Micros(tick.now - SILENT_US)
    sites: Mapping[str, frozenset[str]] | None = None
    for key in reader.scan(DUE + "/", before(Micros(limit + 1))):
        waiting = waiting_of(key)
        if waiting.at == NEXT:
            step.rows[key] = None
            step.rows[before(ARMED) + key[len(before(NEXT)) :]] = _row(reader, key)
            continue
        if len(step.outputs) >= TOLD_MAX:
            return
        if waiting.site and silent:
            sites = _gateways(reader, tick.now) if sites is None else sites
            if silent.intersection(sites.get(waiting.site, silent)):
                continue
        step.rows[key] = None
        step.outputs.append(_due(waiting, _row(reader, key), tick))


def _row(reader: Reader, key: str) -> DueRow:
    row = reader.get(key)
    return row if isinstance(row, DueRow) else DueRow()


def _gateways(reader: Reader, at: Micros) -> dict[str, frozenset[str]]:
    """Return the gateways of each site, by reference data."""
    sites: dict[str, set[str]] = {}
    for key in reader.scan("ref/gateway/"):
        row = reader.get(key)
        site = gateway_site(row, at) if isinstance(row, RefRow) else None
        if site is not None:
            sites.setdefault(site, set()).add(key.removeprefix("ref/gateway/"))
    return {site: frozenset(names) for site, names in sites.items()}


def _due(waiting: Waiting, row: DueRow, tick: Tick) -> Sighting:
    kind, _, name = waiting.owner.partition("/")
    return Sighting(
        sender="",
        n=0,
        cause_event_id=row.cause,
        thing=waiting.owner,
        lot_id=name if kind == "lot" else None,
        site_id=waiting.site or None,
        occurred_at=tick.now if waiting.at <= ARMED else waiting.at,
        known_at=tick.now,
        quantity=DUE,
        value=None,
        u=None,
        text=waiting.about,
    )


def _of_gateway(gateway: str, quantity: str, tick: Tick) -> Sighting:
    return Sighting(
        sender="",
        n=0,
        cause_event_id=derived_id("tick", [tick.partition, tick.now]),
        thing="gateway/" + gateway,
        lot_id=None,
        site_id=None,
        occurred_at=tick.now,
        known_at=tick.now,
        quantity=quantity,
        value=float(tick.partition),
        u=None,
        text=None,
    )
