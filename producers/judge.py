"""Accept or refuse: the one pure decision about a request.

``accept`` parses, checks, derives identity and gives the request's records or the first reason
against it (order of ``producers.outcome.Code``). Whether an id was seen before is the outbox's to
say; everything else is decided here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from pydantic import ValidationError

from custody import events
from custody.events import SHELVED_US_MAX, Micros, ReferenceSet
from custody.ids import DERIVED_VERSION, derived_id, version_of
from producers import known_names
from producers.content import canonical, content_of
from producers.gateway import WAYS, net_g
from producers.known import Known
from producers.outcome import Accepted, Code, Draft, Outcome, Record, Refusal, Warned
from producers.processing import accept_processing
from producers.request_base import FactRequest
from producers.request_measured import WeighingRequest
from producers.requests import MODELS, ActionRequest, AnyRequest, ProcessingRequest
from producers.tokens import CONTROL_TYPES
from schemas.codec import encode
from schemas.present import rfc3339

_S = 1_000_000
_DAY = 86_400 * _S

CLOCK_AHEAD_US = 300 * _S
"""A sender's clock may run ahead this much before it is remarked upon."""

OLD_US = 90 * _DAY
"""Older facts are remarked upon: most are a year mistyped in January."""

TOO_OLD_US = 5 * 366 * _DAY
"""Older facts are refused unless a backfill says that it is one."""

OVER_HTTP = (
    "facts alone by file or message; a reference or an action comes over HTTP, with a token that"
    " names it: custody publish FILE on the gateway's machine, others see docs/access.md"
)
"""What to do with a request that changes how facts are read, and came without a token."""

MESSAGE_BYTES_MAX = 65_536
_ENVELOPE_BYTES = 64
"""Frame of five bytes, and what gateway_seq may grow by."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms requests are judged.

    Attributes:
        gateway: Gateway id and epoch.
        partitions: Partitions of every topic; a reference goes to each.
        known: Reference records so far.
        strict_reference: Refuse unknown sites, devices, laboratories and contracts.
        backfill: Take facts of any age, and shelvings of any length.
        types: Types of request the gateway takes.
        facts_only: Refuse reference and action records, whatever the gateway takes.
        clock_skew_ms: Skew of the sender's clock as measured, for facts that do not state it.
    """

    gateway: tuple[str, int]
    partitions: int
    known: Known
    strict_reference: bool = False
    backfill: bool = False
    types: frozenset[str] = frozenset(MODELS)
    facts_only: bool = False
    clock_skew_ms: int | None = None


def accept(raw: object, now: Micros, terms: Terms) -> Outcome:
    """Judge one request.

    Args:
        raw: Parsed JSON, numbers with a point as Decimal.
        now: When the gateway took it.
        terms: On what terms.

    Returns:
        Its records, numbered later by the outbox, or the first reason to refuse it.
    """
    request = parse(raw)
    if isinstance(request, Refusal):
        return request
    for check in _CHECKS:
        refusal = check(request, now, terms)
        if refusal is not None:
            return refusal
    drafts = []
    for record in _records(_with_skew(request, terms), now, terms):
        text = canonical(record)
        if _too_large(record, text):
            return Refusal(Code.TOO_MANY_ITEMS, "", len(text), f"{MESSAGE_BYTES_MAX} bytes")
        part = record.part if isinstance(record, events.MaterialProcessed) else ""
        drafts.append(Draft(request.type, record, content_of(text), part))
    return Accepted(
        event_id=request.event_id or drafts[0].record.event_id,
        stem=request.type,
        drafts=tuple(drafts),
        content=content_of(b"".join(draft.content for draft in drafts)),
        warnings=tuple(_warnings(request, now, terms)),
    )


def parse(raw: object) -> AnyRequest | Refusal:
    """Return the typed request, or the first reason why it is none."""
    if not isinstance(raw, Mapping):
        return Refusal(Code.BAD_VALUE, "", raw, "a JSON object")
    stem = raw.get("type")
    if not isinstance(stem, str) or stem not in MODELS:
        return Refusal(Code.UNKNOWN_TYPE, "type", stem, list(MODELS))
    model = MODELS[stem]
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        return _first_fault(error, model)


def _records(request: AnyRequest, now: Micros, terms: Terms) -> list[Record]:
    if isinstance(request, ProcessingRequest):
        return list(accept_processing(request, terms.gateway, now))
    way = WAYS[request.type]
    event_id = request.event_id or _derived(request)
    record = way.accept(request, event_id, terms.gateway, now)
    if isinstance(record, ReferenceSet):
        return [replace(record, partition=index) for index in range(terms.partitions)]
    return [record]


def _derived(request: AnyRequest) -> str:
    """Return the id that the natural key of a request gives, processing aside."""
    key = list(WAYS[request.type].key(request).values())
    corrects = getattr(request, "corrects", None)
    return derived_id(request.type, key if corrects is None else [*key, corrects])


def _with_skew(request: AnyRequest, terms: Terms) -> AnyRequest:
    """Return a request that states its sender's clock skew, where it is known at all."""
    if terms.clock_skew_ms is None or not isinstance(request, FactRequest):
        return request
    if request.clock_skew_ms is not None:
        return request
    return request.model_copy(update={"clock_skew_ms": terms.clock_skew_ms})


def _not_taken(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    """Refuse a type that the gateway, or the way in, does not take."""
    del now
    if request.type not in terms.types:
        return Refusal(Code.UNKNOWN_TYPE, "type", request.type, sorted(terms.types))
    if terms.facts_only and request.type in CONTROL_TYPES:
        return Refusal(Code.UNKNOWN_TYPE, "type", request.type, OVER_HTTP)
    return None


def _taken_identity(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    """Refuse an id that another event derives: who sends it could keep that one from counting.

    Actions have no natural key. The parts of a process get ids of their own from a request's, and
    a single ``part`` is of a request that another gateway took, whose id is not in it.
    """
    del now, terms
    event_id = request.event_id
    if event_id is None or isinstance(request, ProcessingRequest | ActionRequest):
        return None
    if version_of(event_id) != DERIVED_VERSION or event_id == _derived(request):
        return None
    key = ", ".join(WAYS[request.type].key(request))
    allowed = (
        f"none, where {key} are given; what they derive; or a random id, such as UUIDv4 or v7:"
        f" UUIDv{DERIVED_VERSION} are derived, and this one belongs to another event"
    )
    return Refusal(Code.BAD_VALUE, "event_id", event_id, allowed)


def _net_mismatch(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    """Refuse masses that contradict each other by more than the scale can resolve."""
    del now
    if not isinstance(request, WeighingRequest):
        return None
    net = net_g(request)
    if net < 0:
        return Refusal(Code.NEGATIVE_MASS, "net_kg", net / 1000, ">= 0")
    if request.net_g is None or request.gross_g is None or request.tare_g is None:
        return None
    expected = request.gross_g - request.tare_g
    interval = terms.known.interval_g(request.device_id, request.occurred_at.at)
    if abs(net - expected) <= interval:
        return None
    allowed = f"{expected / 1000:.15g} within {interval / 1000:.15g}: gross_kg - tare_kg"
    return Refusal(Code.NET_MISMATCH, "net_kg", net / 1000, allowed)


def _too_old(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    if terms.backfill or not isinstance(request, FactRequest):
        return None
    age = now - request.occurred_at.at
    if age <= TOO_OLD_US:
        return None
    return Refusal(
        Code.TOO_OLD, "occurred_at", f"{age // _DAY} days ago", "5 years, or ?backfill=true"
    )


def _endless(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    """Refuse a shelving that hides an alert for good; a backfill may carry one of old."""
    if terms.backfill or not isinstance(request, ActionRequest) or request.action != "shelve":
        return None
    allowed = f"a time within {SHELVED_US_MAX // _DAY} days; of old ones: ?backfill=true"
    if request.until is None:
        return Refusal(Code.MISSING_FIELD, "until", None, allowed)
    if request.until.at - now > SHELVED_US_MAX:
        return Refusal(Code.BAD_VALUE, "until", rfc3339(request.until.at), allowed)
    return None


def _missing_identity(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    """Refuse what has neither an id nor a natural key: it could not be told from its repeat."""
    del now, terms
    if request.event_id is not None or isinstance(request, ProcessingRequest):
        return None
    way = WAYS[request.type]
    key = way.key(request)
    for name, value in key.items():
        if value is None and name not in way.optional:
            return Refusal(Code.MISSING_IDENTITY, name, None, ["event_id", *key])
    return None


def _unknown_reference(request: AnyRequest, now: Micros, terms: Terms) -> Refusal | None:
    del now
    if not terms.strict_reference:
        return None
    for kind, field, found in _unknown(request, terms.known):
        return Refusal(Code.UNKNOWN_REFERENCE, field, found, f"a known {kind}")
    return None


def _warnings(request: AnyRequest, now: Micros, terms: Terms) -> Iterator[Warned]:
    for kind, field, found in _unknown(request, terms.known):
        yield Warned(f"unknown_{kind}", field, found)
    if not isinstance(request, FactRequest):
        return
    age = now - request.occurred_at.at
    if age < -CLOCK_AHEAD_US:
        yield Warned("clock_ahead", "occurred_at", f"{-age // _S} s ahead")
    if age > OLD_US and not terms.backfill:
        yield Warned("old_date", "occurred_at", f"{age // _DAY} days ago")


_NAMED = (
    ("site", "site_id"),
    ("device", "device_id"),
    ("laboratory", "lab_id"),
    ("contract", "contract_id"),
)


@cache
def _named(model: type[FactRequest]) -> tuple[tuple[str, str], ...]:
    """Return kind and field of what requests of a type may name."""
    # Asking a model for a field that it lacks costs as much as reading ten that it has.
    return tuple((kind, field) for kind, field in _NAMED if field in model.model_fields)


def _unknown(request: AnyRequest, known: Known) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, field, id) of what the request names and the gateway does not know."""
    if not isinstance(request, FactRequest):
        return
    at = request.occurred_at.at
    for kind, field in _named(type(request)):
        found = getattr(request, field)
        if found is not None and not known.has(kind, found, at):
            yield kind, field, found


def _too_large(record: Record, text: bytes) -> bool:
    """Tell whether a record exceeds a message; canonical JSON is never shorter than Avro by much.

    Names and punctuation of JSON outweigh Avro's nulls and eight-byte doubles, so a text of half
    the limit needs no second look, and encoding twice would cost more than the rest of the check.
    """
    if len(text) < MESSAGE_BYTES_MAX // 2:
        return False
    return len(encode(record)) + _ENVELOPE_BYTES > MESSAGE_BYTES_MAX


_CHECKS = (
    _not_taken,
    _endless,
    _taken_identity,
    _net_mismatch,
    _too_old,
    _missing_identity,
    _unknown_reference,
)
"""In the order of their codes."""

_RANK = {code: rank for rank, code in enumerate(Code)}

_PYDANTIC = {
    "extra_forbidden": Code.UNKNOWN_FIELD,
    "missing": Code.MISSING_FIELD,
    "string_too_short": Code.MISSING_FIELD,
    "too_short": Code.MISSING_FIELD,
    "too_long": Code.TOO_MANY_ITEMS,
}
"""Pydantic's own findings; any other of its kinds is a ``bad_value``."""

_ITEMS = {"too_short": "items", "string_too_short": "characters"}
"""What there is too little of."""


def _first_fault(error: ValidationError, model: type[AnyRequest]) -> Refusal:
    lines = [dict(line) for line in error.errors(include_url=False)]
    # A list is also called too short when what is in it is bad: that is the fault to name.
    said = [line for line in lines if line["type"] != "too_short" or not line["input"]]
    faults = [_fault(line, model) for line in said]
    first = min(faults, key=lambda refusal: _RANK[refusal.code])
    if "." in first.field:
        return first
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    if first.code is Code.MISSING_FIELD and first.allowed is None:
        needed = sorted(name for name, field in fields.items() if field.is_required())
        return replace(first, allowed=needed)
    return first


def _fault(line: Mapping[str, object], model: type[AnyRequest]) -> Refusal:
    kind = str(line["type"])
    context = cast(Mapping[str, object], line.get("ctx", {}))
    steps = [*cast(tuple[object, ...], line["loc"]), context.get("field", "")]
    field = ".".join(str(step) for step in steps if step != "")
    if "code" in context:
        return Refusal(
            Code(str(context["code"])), field, context.get("found"), context.get("allowed")
        )
    code = _PYDANTIC.get(kind, Code.BAD_VALUE)
    found = None if code is Code.MISSING_FIELD else line.get("input")
    if code is Code.TOO_MANY_ITEMS and isinstance(found, list | tuple):
        found = len(found)
    if kind == known_names.UNKNOWN:
        return Refusal(
            code, field, found, known_names.names_at(model, cast(tuple[object, ...], line["loc"]))
        )
    return Refusal(code, field, found, _allowed(kind, context, str(line["msg"])))


def _allowed(kind: str, context: Mapping[str, object], words: str) -> object:
    """Return what may stand there; pydantic's own words where nothing shorter tells."""
    if kind in _ITEMS:
        return f"{_ITEMS[kind]}: at least {context['min_length']}"
    said = None if kind == "missing" else words
    return context.get("max_length", context.get("pattern", said))
