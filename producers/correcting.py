"""What is wrong or odd about a correction or a second declaration, as far as this gateway knows.

Only what the gateway took itself can be compared. A target it does not know is accepted with a
remark: it may have been sent to another gateway, or be on its way.
"""

from collections.abc import Iterator

from custody.events import LotDeclared
from producers.chain import Chain
from producers.outcome import Code, Draft, Refusal, Warned
from producers.past import About, Correction, Past

_ONE_PART = "the event_id of one part, as the answer's parts and GET /v1/events/{id} list them"
_TWO_RECORDS = "; for a wrong lot, a void of that and a new fact, both with ?atomic=true"


def corrects(draft: Draft) -> str | None:
    """Return the event that a record corrects; None for a first statement."""
    found: str | None = getattr(draft.record, "corrects", None)
    return found


def mismatch(draft: Draft, chain: Chain, past: Past) -> Refusal | None:
    """Refuse a correction of something else than what it is about: nothing would come of it.

    Args:
        draft: The record.
        chain: Says what the record would be keyed by.
        past: What was taken before.
    """
    target = corrects(draft)
    known = None if target is None else past.identity(target)
    about = None if known is None else past.about(known)
    return None if about is None else unlike(draft, chain.place(draft)[0], about)


def unlike(draft: Draft, key: bytes, about: About) -> Refusal | None:
    """Refuse a correction of something else than what it is about, or of a whole request.

    Args:
        draft: The record.
        key: What it is keyed by.
        about: What is known of its target; of a request of parts, its first part.
    """
    target = corrects(draft)
    if about.event_id != target:
        return Refusal(Code.CORRECTION_MISMATCH, "corrects", target, _ONE_PART)
    if (about.stem, about.key) == (draft.stem, key):
        return None
    found = f"{draft.stem} of {key.decode()}"
    allowed = f"{about.stem} of {about.key.decode()}, as what it corrects"
    return Refusal(Code.CORRECTION_MISMATCH, "corrects", found, allowed + _TWO_RECORDS)


def remarks(draft: Draft, past: Past) -> Iterator[Warned]:
    """Yield what is odd about a record that can be taken."""
    target = corrects(draft)
    if target is not None:
        yield from _of_correction(draft, target, past)
    elif isinstance(draft.record, LotDeclared) and draft.record.lot_id is not None:
        earlier = past.declaration(draft.record.lot_id)
        if earlier is not None and not _is_withdrawn(earlier, past):
            yield Warned("lot_already_declared", "lot_id", earlier)


def note(draft: Draft, past: Past) -> None:
    """Remember a record that is taken, for those that come after it."""
    target, record = corrects(draft), draft.record
    if target is not None:
        is_void = getattr(record, "void", False) is True
        past.note_correction(Correction(record.event_id, target, is_void))
    elif isinstance(record, LotDeclared) and record.lot_id is not None:
        past.declared[record.lot_id] = record.event_id


def _of_correction(draft: Draft, target: str, past: Past) -> Iterator[Warned]:
    known = past.identity(target)
    if known is None:
        yield Warned("correction_of_unseen", "corrects", target)
    elif past.about(known) is None:
        yield Warned("correction_unchecked", "corrects", target)
    earlier = past.correction_of(target)
    if earlier is not None:
        yield Warned("already_corrected", "corrects", earlier.event_id)
    withdrawn = past.correction(target)
    if withdrawn is not None and withdrawn.void and getattr(draft.record, "void", False):
        yield Warned("void_of_void", "corrects", target)


def _is_withdrawn(event_id: str, past: Past) -> bool:
    correction = past.correction_of(event_id)
    return correction is not None and correction.void
