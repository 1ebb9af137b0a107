"""Whether anything is known of what is asked about: one rule for every part, by both times.

A part without rows says that of something that is known nothing is so. That nothing is known at all
is another answer, and the same from each part: else a page would show half of a lot that is none.
"""

from collections.abc import Mapping
from types import MappingProxyType

from console.answers import LOT, PROCESS, SITE, Asked, Part, Told, Unknown
from custody.accounts import TRANSIT
from runtime.asof import Ask
from runtime.told import times
from runtime.told.posted import OF_LOT

_FACT = "occurred_at <= {at:DateTime64(6, 'UTC')} AND recorded_at <= {known:DateTime64(6, 'UTC')}"
_BOOKED = "effective_at <= {at:DateTime64(6, 'UTC')} AND known_at <= {known:DateTime64(6, 'UTC')}"

_NAMED: Mapping[str, str] = MappingProxyType(
    {
        LOT: f"SELECT 1 AS known FROM events_all WHERE lot_id = {{lot:String}} AND {_FACT} LIMIT 1"  # noqa: S608
        f" UNION ALL SELECT 1 FROM {OF_LOT} LIMIT 1",
        SITE: f"""
SELECT 1 AS known FROM events_all WHERE site_id = {{site:String}} AND {_FACT} LIMIT 1
UNION ALL SELECT 1 FROM reference WHERE kind = 'site' AND id = {{site:String}}
    AND valid_from <= {{at:DateTime64(6, 'UTC')}}
    AND recorded_at <= {{known:DateTime64(6, 'UTC')}} LIMIT 1
UNION ALL SELECT 1 FROM transfer WHERE {_BOOKED}
    AND {{site:String}} IN (decodeURLComponent(splitByChar('/', arrives)[1]),
        decodeURLComponent(splitByChar('/', leaves)[1])) LIMIT 1
""",  # noqa: S608
        PROCESS: f"""
SELECT 1 AS known FROM processing WHERE process_id = {{process:String}} AND {_FACT} LIMIT 1
UNION ALL SELECT 1 FROM content WHERE {_BOOKED}
    AND concat('process/', {{process:String}}) IN (from_owner, to_owner) LIMIT 1
""",  # noqa: S608
    }
)
"""A row where a fact, transfer or reference record names it, of those that count at both times."""


def where_known(ask: Ask, kind: str, part: Part) -> Part:
    """Return a part that answers only of what something is known of, at the times asked about.

    Now it is asked of an answer without rows alone: what has rows is known.

    Args:
        ask: Runs SQL.
        kind: Of its subjects: a lot, a site, a process.
        part: Answers.
    """

    def told(asked: Asked) -> Told:
        if not asked.subject:
            # What is about no lot has an empty id of one, and is no lot of that name.
            raise Unknown(asked.subject, kind)
        found = part(asked)
        if times.is_now(asked) and found.rows:
            return found
        # No fact names where lots are that are at no site.
        if not (kind == SITE and asked.subject == TRANSIT) and not _is_known(ask, kind, asked):
            raise Unknown(asked.subject, kind)
        return found

    return told


def _is_known(ask: Ask, kind: str, asked: Asked) -> bool:
    return bool(ask(_NAMED[kind], times.moment(asked)._asdict() | {kind: asked.subject}))
