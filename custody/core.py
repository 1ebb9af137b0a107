"""The fold: which owner a record has, and what its next step is.

This is the whole of what the streams know of the core (``custody.fold.Fold``).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from custody import charts, rechecking, shelf
from custody.charting import ChartedRow
from custody.charts import ChartRow, chart_step, drift_step
from custody.deadlines import DUE, DueRow
from custody.detect.residuals import INSTRUMENT
from custody.drifts import DriftRow
from custody.events import ActionTaken, Fact, MaterialProcessed, Micros, ReferenceSet
from custody.fold import Entry, Handed, Input, Reader, Row, Step
from custody.gateways import GatewayRow
from custody.ledger import Clock
from custody.lot_rows import (
    FeedRow,
    FlowsRow,
    GivenRow,
    LotRow,
    MaterialRow,
    PlaceRow,
    StationRow,
    TripRow,
)
from custody.lot_step import Arrived, LotStep
from custody.process_rows import IdsRow, InRow, OutRow, PageRow, ProcessRow, StateRow
from custody.process_step import process_step
from custody.rechecking import CHANGED, CONTINUED, DRIFT_CONTINUED, DRIFTED
from custody.records import Content, Drift, Residual, Sighting, Tick
from custody.reference_versions import listed, with_version
from custody.rows import FactRow, LibraryRow, RefRow, ThingRow, UseRow
from custody.things import KINDS, SeenRow, shared_step
from custody.ticking import TickRow, tick_step

VERSION = 16
"""Grows when the same facts lead to another state."""

ROW_TYPES: Mapping[str, type] = MappingProxyType(
    {
        "lot": LotRow,
        "material": MaterialRow,
        "station": StationRow,
        "trip": TripRow,
        "place": PlaceRow,
        "flows": FlowsRow,
        "feed": FeedRow,
        "given": GivenRow,
        "sealed": FactRow,
        "process": ProcessRow,
        "fact": FactRow,
        "side": FactRow,
        "in": InRow,
        "out": OutRow,
        "ids": IdsRow,
        "page": PageRow,
        "state": StateRow,
        "ref": RefRow,
        "library": LibraryRow,
        "use": UseRow,
        "device": ThingRow,
        "thing": ThingRow,
        **dict.fromkeys(sorted(KINDS), SeenRow),
        "gateway": GatewayRow,
        **dict.fromkeys(sorted(charts.KINDS), ChartRow),
        "charted": ChartedRow,
        "drift": DriftRow,
        "due": DueRow,
        "tick": TickRow,
    }
)
"""Row class by key prefix."""

OWNERS = frozenset({"lot", "process", "gateway"}) | KINDS | charts.KINDS
"""Kinds of owners that others can name."""

BY_LOT = frozenset({"lot", "shipment", "claim"})
"""Stems that are always about the lot that is their key."""


class CustodyFold:
    """The core behind the seam ``custody.fold.Fold``: total, deterministic, without memory."""

    @property
    def version(self) -> int:
        """Version of the rules, stored in each row."""
        return VERSION

    @property
    def row_types(self) -> Mapping[str, type]:
        """Row class by key prefix."""
        return ROW_TYPES

    def owner(self, entry: Entry, key: str) -> str:
        """Return the row key of a record's owner.

        A lot's facts belong to the lot; a process's sides other than inputs to the process; facts
        without a lot (a check weight) to their device; what one owner hands another to the other.
        """
        if entry.stem in BY_LOT:
            return "lot/" + key
        return _owner_of(entry.event, key)

    def step(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:
        """Apply records to one owner; the row handed in is never changed."""
        if owner.partition("/")[0] not in OWNERS:
            return _unnamed_step(owner, row, entries, reader)
        arrived, records = _sorted(entries)
        before = shelf.alerts_of(row)
        arrived.actions.extend(shelf.actions(owner, before, filter(shelf.is_over, arrived.due)))
        arrived.due = [due for due in arrived.due if not shelf.is_over(due)]
        step = self._named_step(owner, row, arrived, records, reader)
        shelf.wait(owner, before, step)
        return step

    def _named_step(
        self,
        owner: str,
        row: Row | None,
        arrived: Arrived,
        records: list[tuple[Micros, str]],
        reader: Reader,
    ) -> Step:
        """Return the step of what facts name."""
        prefix, _, name = owner.partition("/")
        if prefix == "process":
            held = row if isinstance(row, ProcessRow) else ProcessRow()
            return process_step(name, held, arrived, reader, Clock(records, held.known))
        if prefix in charts.KINDS:
            chart = row if isinstance(row, ChartRow) else ChartRow()
            # Of a road there is no such record to read.
            known = prefix == INSTRUMENT and reader.get(f"ref/laboratory/{name}") is not None
            clock = Clock(records, chart.known)
            return chart_step(owner, chart, arrived, clock, laboratory=known)
        if prefix != "lot":
            return shared_step(owner, row, arrived, reader, records)
        lot = row if isinstance(row, LotRow) else LotRow()
        return LotStep(name, lot, reader, Clock(records, lot.known)).run(arrived)


def _unnamed_step(owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:
    """Return the step of what no fact names as the one it is about."""
    prefix = owner.partition("/")[0]
    if prefix == "ref":
        return _reference_step(owner, row, entries, reader)
    if prefix == "tick":
        return tick_step(row if isinstance(row, TickRow) else TickRow(), entries, reader)
    if prefix == "drift":
        told = [entry.event for entry in entries if isinstance(entry.event, Drift)]
        return drift_step(owner, row if isinstance(row, DriftRow) else DriftRow(), told, reader)
    return _count_step(row, entries)


def _owner_of(event: Input, key: str) -> str:
    match event:
        case MaterialProcessed():
            fed = event.part == "input" and event.lot_id is not None
            return ("lot/" if fed else "process/") + key
        case ReferenceSet():
            return f"ref/{event.kind}/{event.id}"
        case Tick():
            return f"tick/{event.partition}"
        case Content() | Sighting() | Residual() | Drift() | ActionTaken():
            return _receiver(event, key)
        case _:
            return ("device/" if event.lot_id is None else "lot/") + key


def _receiver(event: Handed | ActionTaken, key: str) -> str:
    match event:
        case Sighting():
            return rechecking.owner_of(event) or _known(event.thing, key)
        case Drift():
            return "drift/" + event.thing
        case Content(to_owner=named) | ActionTaken(subject=named) | Residual(thing=named):
            return _known(named, key)


def _known(named: str, key: str) -> str:
    """Return an owner by its name; what is of no kind we know has a row that only counts."""
    return named if named.partition("/")[0] in OWNERS else "thing/" + key


def _sorted(entries: Sequence[Entry]) -> tuple[Arrived, list[tuple[Micros, str]]]:
    arrived = Arrived([], [], [])
    records: list[tuple[Micros, str]] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, Content):
            arrived.contents.append(event)
            records.append((event.known_at, event.cause_event_id))
        elif isinstance(event, ActionTaken):
            arrived.actions.append(event)
            records.append((event.recorded_at, event.event_id))
        elif isinstance(event, Fact):
            arrived.facts.append(event)
            records.append((event.recorded_at, event.event_id))
        elif isinstance(event, Residual):
            arrived.residuals.append(event)
            records.append((event.known_at, event.cause_event_id))
        elif isinstance(event, Sighting):
            _note(arrived, event)
            records.append((event.known_at, event.cause_event_id))
    return arrived, records


def _note(arrived: Arrived, sighting: Sighting) -> None:
    if sighting.quantity == DUE:
        arrived.due.append(sighting)
    elif sighting.quantity in (CHANGED, CONTINUED):
        arrived.recheck = True
        arrived.records.append((sighting.text or "", sighting.cause_event_id))
    elif sighting.quantity in (DRIFTED, DRIFT_CONTINUED):
        arrived.drifted.append(sighting.occurred_at)
    else:
        arrived.seen.append(sighting)


def _reference_step(owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:
    held = row if isinstance(row, RefRow) else RefRow()
    step = Step(held)
    for entry in entries:
        event = entry.event
        if isinstance(event, ReferenceSet):
            step.row = held = with_version(held, event)
            step.rows.update(listed(owner, reader))
            step.outputs.extend(rechecking.first_slice(owner, event, reader))
        elif isinstance(event, Sighting):
            step.outputs.extend(rechecking.next_slice(owner, event, reader))
    return step


def _count_step(row: Row | None, entries: Sequence[Entry]) -> Step:
    before = row if isinstance(row, ThingRow) else ThingRow()
    times = [_time_of(entry) for entry in entries]
    newest = max([t for t in [before.last_at, *times] if t is not None], default=None)
    return Step(ThingRow(before.count + len(entries), newest))


def _time_of(entry: Entry) -> Micros | None:
    event = entry.event
    if isinstance(event, ReferenceSet | ActionTaken):
        return event.recorded_at
    if isinstance(event, Content):
        return event.effective_at
    if isinstance(event, Drift):
        return event.known_at
    if isinstance(event, Tick):
        return event.now
    return event.occurred_at
