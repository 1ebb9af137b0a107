"""A process request cut into parts, each a record of its own.

One per input, output, loss and stock; one for all that the plant adds; one for the close.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from custody.events import MaterialProcessed, Micros
from custody.ids import derived_id
from producers.envelope import attributes, envelope
from producers.requests import Loss, LotSide, ProcessingRequest, Side


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it stands in the request.

    Attributes:
        name: input, output, loss, stock, added or close.
        no: Place in its list, from 1; 0 for added and close.
        about: Lot of an input or output, kind of a loss; None for the others.
        side: The mass it states; None for added and close.
    """

    name: str
    no: int
    about: str | None
    side: Side | None


def accept_processing(
    request: ProcessingRequest, gateway: tuple[str, int], now: Micros
) -> list[MaterialProcessed]:
    """Return the records of a process request: inputs, outputs, losses, stock, added, close.

    A request that names its one part has that part's id. Else ids follow from the request's id
    and the part's place where the sender gave one, else from the natural key: process, part, lot
    or kind, time, source_ref. A part that repeats another's key within the request is told apart
    by its ordinal (2, 3, ...).

    Args:
        request: The request, parsed.
        gateway: Gateway id and epoch.
        now: When the gateway took it.
    """
    repeats: Counter[tuple[str, str | None]] = Counter()
    records = []
    for part in _parts(request):
        repeats[part.name, part.about] += 1
        event_id = _part_id(request, part, repeats[part.name, part.about])
        records.append(_record(request, part, event_id, gateway, now))
    return records


def _parts(request: ProcessingRequest) -> Iterator[Part]:
    for no, side in enumerate(request.inputs, start=1):
        yield Part("input", no, side.lot_id, side)
    for no, side in enumerate(request.outputs, start=1):
        yield Part("output", no, side.lot_id, side)
    for no, loss in enumerate(request.losses, start=1):
        yield Part("loss", no, loss.kind, loss)
    for no, stock in enumerate(request.stock, start=1):
        yield Part("stock", no, None, stock)
    if request.attributes:
        yield Part("added", 0, None, None)
    if request.close:
        yield Part("close", 0, None, None)


def _part_id(request: ProcessingRequest, part: Part, ordinal: int) -> str:
    if request.part is not None:
        return request.part.event_id
    if request.event_id is not None:
        return derived_id("processing", [request.event_id, part.name, part.no])
    key: list[str | int | None] = [
        request.process_id,
        part.name,
        part.about,
        request.occurred_at.at,
        request.source_ref,
    ]
    if ordinal > 1:
        key.append(ordinal)
    if request.corrects is not None:
        key.append(request.corrects)
    return derived_id("processing", key)


def _record(
    request: ProcessingRequest, part: Part, event_id: str, gateway: tuple[str, int], now: Micros
) -> MaterialProcessed:
    side = part.side
    return MaterialProcessed(
        **envelope(request, event_id, gateway, now),
        lot_id=part.about if part.name == "input" else None,
        process_id=request.process_id,
        kind=request.kind,
        part=part.name,
        part_no=part.no if request.part is None else request.part.no,
        output_lot_id=side.lot_id if part.name == "output" and isinstance(side, LotSide) else None,
        loss_kind=side.kind if isinstance(side, Loss) else None,
        mass_wet_g=None if side is None else side.mass_wet_g,
        mass_dry_g=None if side is None else side.mass_dry_g,
        moisture_fraction=None if side is None else side.moisture_fraction,
        u_mass_g=None if side is None else side.u_mass_g,
        attributes=attributes(request.attributes) if part.name == "added" else (),
    )
