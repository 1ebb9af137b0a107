"""What the gateway can answer to one request, and the closed list of reasons to refuse.

A truck must never stop because of us: only what cannot be read or weighed is refused. All else is
accepted with warnings. The codes are public names (``docs/gateway.md``); ``Code`` is in order of
precedence: of several faults in one request the first in this order is answered, and of several
with the same code the first by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from custody.events import ActionTaken, LotFact, ReferenceSet


class Code(StrEnum):
    """Reasons to refuse, first wins."""

    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    BAD_VALUE = "bad_value"
    """A name outside its closed list, a time that is no RFC 3339 time with offset, text where an
    object belongs."""
    WRONG_UNIT = "wrong_unit"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    """A number that the books could not hold once multiplied by a mass."""
    NEGATIVE_MASS = "negative_mass"
    FRACTION_OUT_OF_RANGE = "fraction_out_of_range"
    FRACTIONS_EXCEED_ONE = "fractions_exceed_one"
    DRY_ABOVE_WET = "dry_above_wet"
    MOISTURE_MISMATCH = "moisture_mismatch"
    TOO_MANY_ITEMS = "too_many_items"
    NET_MISMATCH = "net_mismatch"
    TOO_OLD = "too_old"
    MISSING_IDENTITY = "missing_identity"
    UNKNOWN_REFERENCE = "unknown_reference"
    DUPLICATE_CONFLICT = "duplicate_conflict"
    CORRECTION_MISMATCH = "correction_mismatch"
    """It names as its target what it cannot replace: itself, a whole process, a fact of another
    stem or about something else."""
    ATOMIC_LIST = "atomic_list"
    """Nothing wrong with this item, but another of its ``?atomic=true`` list was refused."""


WARNINGS = (
    "unknown_device",
    "unknown_laboratory",
    "unknown_site",
    "unknown_contract",
    "clock_ahead",
    "old_date",
    "correction_of_unseen",
    "correction_unchecked",
    "already_corrected",
    "void_of_void",
    "lot_already_declared",
)
"""What is accepted but looked at twice."""

Record = LotFact | ReferenceSet | ActionTaken
"""What a request becomes: facts and control records."""

FOUND_CHARS_MAX = 200

INTEGER_SHOWN_MAX = 10**30
"""A larger one fills the screen of whoever has to find what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not taken.

    Attributes:
        code: Why.
        field: Path of the offending field, such as ``results.0.unit``; empty for the whole.
        found: What stood there, JSON-like, cut to ``FOUND_CHARS_MAX``.
        allowed: What may stand there: a list of names, a bound, or a sentence.
    """

    code: Code
    field: str = ""
    found: object = None
    allowed: object = None

    def answer(self) -> dict[str, object]:
        """Return the result item as the sender gets it."""
        return {
            "result": "refused",
            "code": self.code.value,
            "field": self.field,
            "found": shown(self.found),
            "allowed": self.allowed,
        }


@dataclass(frozen=True, slots=True)
class Unread:
    """What stands where a request should and cannot be read as one: a line that is no JSON.

    Attributes:
        refusal: Why it is none.
        body: Its bytes as they came, for the list of refused requests.
    """

    refusal: Refusal
    body: bytes


@dataclass(frozen=True, slots=True)
class Warned:
    """Something odd about an accepted request; ``code`` is one of ``WARNINGS``."""

    code: str
    field: str
    found: object

    def answer(self) -> dict[str, object]:
        """Return the warning as the sender gets it."""
        return {"code": self.code, "field": self.field, "found": shown(self.found)}


@dataclass(frozen=True, slots=True)
class Draft:
    """One record of an accepted request, complete but for its number in the chain.

    Attributes:
        stem: Stem of the record.
        record: The record with ``gateway_seq`` 0, which the outbox fills in.
        content: Digest of what it says, without who took it and when (16 bytes): equal content
            under the same id is a duplicate, other content a conflict.
        part: Side of a process (``input``, ...); empty for other stems.
    """

    stem: str
    record: Record
    content: bytes
    part: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that can be taken, unless its id is known with other content.

    Attributes:
        event_id: Id the sender can ask for: its own, or the first record's.
        stem: Stem of the request.
        drafts: Its records in order; more than one for a process and for a reference.
        content: Digest of the whole request where it has several records and an id of its own.
        warnings: What is odd about it.
    """

    event_id: str
    stem: str
    drafts: tuple[Draft, ...]
    content: bytes
    warnings: tuple[Warned, ...] = field(default=())


Outcome = Accepted | Refusal


def shown(value: object) -> object:
    """Return a value fit for a JSON answer: numbers and short text as they are, else text."""
    if isinstance(value, int) and abs(value) > INTEGER_SHOWN_MAX:
        digits = str(value)
        return f"{digits[:20]}... ({len(digits.lstrip('-'))} digits)"
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        # Half a surrogate pair is valid JSON and no valid text: it is shown by its number.
        return value[:FOUND_CHARS_MAX].encode(errors="backslashreplace").decode()
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return [shown(item) for item in value[:64]]
    if isinstance(value, Mapping | list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return str(value)[:FOUND_CHARS_MAX]
