"""Up to when the warehouse knows everything: what a repeatable answer may claim.

An answer for two times never changes again once everything that was recorded by ``known`` is in
it. Three things can still be on their way, and each is asked for:

- what a gateway has accepted and nobody has stored: each gateway says its last number once a
  minute (a head), and ``v_complete_to`` looks for holes below it. Gateways that reference data does
  not know are left out by name, and so are those that it knows and nobody has heard;
- what is stored and no worker has applied: the workers' committed offsets, asked of the broker;
- what a worker has said and the sink has not stored: the ends of the outputs' topics.

All of it is by what gateways have said in heads. Where an alert says that those, or the records
they speak of, are not what the gateway has signed, the answer names it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from console.gateway_rows import NEVER_HEARD
from custody.audit import UNKNOWN
from custody.events import Micros
from runtime.asof import Ask, Row
from runtime.moment import time_of
from schemas import topics
from schemas.routes import ROUTES

Offsets = Mapping[str, Mapping[int, int]]
"""Topic -> partition -> offset."""

_KNOWN = "known"
"""Standing of a gateway that answers wait for."""

_NAMED = 5
"""Gateways that are named at most."""

OUTPUTS = (topics.TRANSFER, topics.BALANCE)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the broker says.

    Attributes:
        applied: Offsets the workers have committed, of the topics they read.
        said: The ends of the topics of what they say.
    """

    applied: Offsets
    said: Offsets


@dataclass(frozen=True, slots=True)
class Complete:
    """Up to when everything is known.

    Attributes:
        to: Everything recorded at or before is in the answer; None where that is not known.
        site_to: The same of the gateways that have sent facts of one site, where asked for.
        why: What holds it back or is not known; empty where nothing is to be said.
    """

    to: Micros | None
    site_to: Micros | None
    why: str


def complete(
    ask: Ask, broker: Progress | None, site_id: str | None, wait: Callable[[], bool]
) -> Complete:
    """Return up to when everything is known. Ask for the answer itself afterwards.

    Args:
        ask: Runs SQL.
        broker: What the broker said, a moment ago; None where it cannot be asked.
        site_id: Also say it of this site's own gateways.
        wait: Waits a little for the sink; False where there has been enough of that.
    """
    waiting = _not_stored(ask, broker, wait)
    said = ask(_HEADS, {"site": site_id or ""})
    heads = [row for row in said if row["standing"] == _KNOWN]
    strange = _joined(_without(said), _never_heard(ask), in_doubt(ask))
    stored = earliest(heads)
    of_site = [row for row in heads if int(str(row["of_site"]))]
    own = earliest(of_site) if site_id and of_site else None
    if stored is None:
        silent = ", ".join(str(row["gateway_id"]) for row in heads if row["complete_to"] is None)
        without = f"no head below which nothing is missing of {silent}"
        why = without if silent else "no gateway is known"
        return Complete(None, own, _joined(why, strange))
    if broker is None:
        why = "of facts; whether the workers have applied them is not known"
        return Complete(stored, own, _joined(why, strange))
    if waiting:
        return Complete(None, None, f"{waiting} records of the workers are not stored yet")
    pending = _pending(ask, broker.applied)
    if pending is None or pending > stored:
        return Complete(stored, own, strange)
    before = Micros(pending - 1)
    own = None if own is None else min(own, before)
    why = "the workers have not applied all that is stored"
    return Complete(before, own, _joined(why, strange))


def _without(heads: Sequence[Row]) -> str:
    """Return which gateways are not waited for, as nobody has registered them; empty for none.

    Anybody with a way to Kafka can write a record of one, and would hold back every answer.
    """
    names = [str(row["gateway_id"]) for row in heads if row["standing"] != _KNOWN]
    return f"not counting {_some(names)}, not in reference data (custody audit)" if names else ""


def _never_heard(ask: Ask) -> str:
    """Return which gateways are registered and have sent nothing; empty for none.

    Nothing waits for them: one that is registered before it is switched on would hold back all.
    But what it may have taken is in no answer, so each answer says so.
    """
    names = [str(row["gateway_id"]) for row in ask(NEVER_HEARD, {})]
    return f"not counting {_some(names)}, registered and never heard" if names else ""


def in_doubt(ask: Ask) -> str:
    """Return of which gateways an integrity alert is open, and which; empty for none."""
    rules: dict[str, list[str]] = {}
    for row in ask(_ALERTS, {}):
        rules.setdefault(str(row["subject"]).partition("/")[2], []).append(str(row["rule"]))
    names = [f"{gateway} ({', '.join(some)})" for gateway, some in rules.items()]
    told = "custody alerts --open --family integrity"
    return f"in doubt is what is stored of {_some(names)}: {told}" if names else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _joined(*why: str) -> str:
    return "; ".join(one for one in why if one)


def by_site(
    ask: Ask, broker: Progress, before: Mapping[str, Micros] | None = None
) -> dict[str, Micros]:
    """Return up to when everything is known, per site, and under ``''`` of all together.

    A site of which that is not known is missing, but where one of its gateways is known to have
    come less far than what was said before; so are all while the sink has outputs to store.

    Args:
        ask: Runs SQL.
        broker: What the broker said, a moment ago.
        before: What was said before.
    """
    if _not_stored(ask, broker, lambda: False):
        return {}
    heads = ask(_HEADS, {"site": ""})
    by_gateway = {str(row["gateway_id"]): row for row in heads if row["standing"] == _KNOWN}
    gateways: dict[str, list[Row]] = {"": list(by_gateway.values())}
    for row in ask(_GATEWAYS, {}):
        # A gateway that is gone for good, or that nobody knows, holds nothing back, here neither.
        if (head := by_gateway.get(str(row["gateway_id"]))) is not None:
            gateways.setdefault(str(row["site_id"]), []).append(head)
    pending = _pending(ask, broker.applied)
    found: dict[str, Micros] = {}
    for site, its in gateways.items():
        stored = earliest(its)
        if stored is None:
            least = earliest([head for head in its if head["complete_to"] is not None])
            if least is not None and least < (before or {}).get(site, least):
                stored = least
        if stored is not None:
            found[site] = stored if pending is None else min(stored, Micros(pending - 1))
    return found


def earliest(heads: Sequence[Row]) -> Micros | None:
    """Return the earliest time of gateways' heads; None where one has none, or there is none."""
    times = [row["complete_to"] for row in heads]
    if not times or any(at is None for at in times):
        return None
    return min(_micros(at) for at in times)


def _micros(cell: object) -> Micros:
    return time_of(f"{cell}Z", "the warehouse")


_HEADS = """
SELECT gateway_id, complete_to, standing,
    gateway_id IN (SELECT gateway_id FROM events_all WHERE site_id = {site:String}) AS of_site
FROM v_complete_to
WHERE standing != 'ended'
ORDER BY gateway_id
"""
"""A gateway that is gone for good holds nothing back."""

_ALERTS = f"""
SELECT DISTINCT subject, rule
FROM (
    SELECT subject, rule, state FROM alert WHERE family = 'integrity'
    ORDER BY alert_id, version DESC, n DESC LIMIT 1 BY alert_id
)
WHERE state IN ('open', 'acknowledged', 'shelved') AND rule != '{UNKNOWN}'
ORDER BY subject, rule
"""  # noqa: S608  a constant
"""One of a gateway that reference data does not know is named as not counted."""

_GATEWAYS = "SELECT site_id, gateway_id FROM events_all GROUP BY site_id, gateway_id"

_STORED = """
SELECT topic, partition, max(last) + 1 AS high FROM ingest_batches GROUP BY topic, partition
"""


def _not_stored(ask: Ask, broker: Progress | None, wait: Callable[[], bool]) -> int:
    """Return how many records of the outputs are not stored, once waiting for them is over."""
    while broker is not None:
        high = {
            (str(row["topic"]), int(str(row["partition"]))): int(str(row["high"]))
            for row in ask(_STORED, {})
        }
        waiting = sum(
            max(0, end - high.get((topic, partition), 0))
            for topic, partitions in broker.said.items()
            for partition, end in partitions.items()
        )
        if not waiting or not wait():
            return waiting
    return 0


def _pending(ask: Ask, applied: Offsets) -> Micros | None:
    """Return when the earliest stored record was recorded that no worker has applied."""
    places = [
        (topic, partition, offset)
        for topic, partitions in applied.items()
        for partition, offset in partitions.items()
    ]
    if not places:
        return None
    beyond = " OR ".join(
        f"(topic = '{topic}' AND partition = {partition:d} AND offset >= {offset:d})"
        for topic, partition, offset in places
    )
    found = ask(_PENDING.format(beyond=beyond), {})
    at = found[0]["pending"] if found else None
    return None if at is None else _micros(at)


_KNOWN_AT = " UNION ALL ".join(
    f"SELECT {'known_at' if route.derived else 'recorded_at'} AS known FROM {route.table}"  # noqa: S608
    f" WHERE {{beyond}}"
    for route in ROUTES
    if route.table is not None and route.topic in {topics.FACT, topics.CONTROL, topics.FLOW}
)
_PENDING = f"SELECT minOrNull(known) AS pending FROM ({_KNOWN_AT})"  # noqa: S608
"""Put together from the route table and numbers."""
