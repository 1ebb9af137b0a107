"""What facts of several stems share: the envelope around each, and travelling attributes."""

from collections.abc import Iterable
from typing import TypedDict

from custody.events import Attribute, Micros
from producers.attribute import TravellingAttribute
from producers.request_base import FactRequest


class Envelope(TypedDict):
    """The fields of ``custody.events.Fact`` but the lot."""

    event_id: str
    gateway_id: str
    gateway_epoch: int
    gateway_seq: int
    site_id: str
    occurred_at: Micros
    time_zone_offset_min: int | None
    recorded_at: Micros
    corrects: str | None
    void: bool
    source_ref: str | None
    clock_skew_ms: int | None


def envelope(
    request: FactRequest, event_id: str, gateway: tuple[str, int], now: Micros
) -> Envelope:
    """Return the envelope of a fact; ``gateway_seq`` is 0 until the outbox numbers it.

    Args:
        request: The request, parsed.
        event_id: Identity of the fact.
        gateway: Gateway id and epoch.
        now: When the gateway took it.
    """
    gateway_id, epoch = gateway
    return {
        "event_id": event_id,
        "gateway_id": gateway_id,
        "gateway_epoch": epoch,
        "gateway_seq": 0,
        "site_id": request.site_id,
        "occurred_at": request.occurred_at.at,
        "time_zone_offset_min": request.occurred_at.offset_min,
        "recorded_at": now,
        "corrects": request.corrects,
        "void": request.void,
        "source_ref": request.source_ref,
        "clock_skew_ms": request.clock_skew_ms,
    }


def attributes(sent: Iterable[TravellingAttribute]) -> tuple[Attribute, ...]:
    """Return travelling attributes as a fact holds them."""
    return tuple(
        Attribute(
            name=a.name,
            amount=a.amount,
            unit=a.unit,
            per=a.per,
            quality=a.quality,
            source=a.source,
        )
        for a in sent
    )
