"""What a step has heard that may take the reason of an alert away, in words.

Source:
    docs/detection/mixture.md, "When it is taken back"
"""

from collections.abc import Iterable, Sequence

from custody.events import Fact

NAMED_MAX = 3
"""Corrections and records that a sentence names."""


def changed(facts: Iterable[Fact], records: Sequence[tuple[str, str]]) -> str | None:
    """Return what was corrected, or which reference record has another version; None for neither.

    Args:
        facts: Those of the step.
        records: Key of each record that has another version, and the event that says so.
    """
    corrections = sorted({(one.corrects, one.event_id, one.void) for one in facts if one.corrects})
    said = [
        f"event {event_id} {'withdraws' if void else 'corrects'} {target}"
        for target, event_id, void in corrections
    ]
    said += [
        f"reference record {key.removeprefix('ref/')} has another version, event {event_id}"
        for key, event_id in sorted(set(records))
    ]
    more = f"; and {len(said) - NAMED_MAX} more" if len(said) > NAMED_MAX else ""
    return f"{'; '.join(said[:NAMED_MAX])}{more}" if said else None
