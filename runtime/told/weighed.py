"""Tickets of a lot with their uncertainty, as the worker takes them: by the scale's own record."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from console.answers import Asked
from custody import metrology
from custody.estimate import Estimate, sigma
from custody.events import LotWeighed, ReferenceSet
from custody.reduce import reduced
from custody.reference import References
from custody.reference_versions import with_version
from custody.rows import RefRow
from runtime.asof import Ask, Row
from runtime.lineage import listed
from runtime.stored import record_of
from runtime.told import times


@dataclass(frozen=True, slots=True)
class Ticket:
    """A weighing.

    Attributes:
        fact: As it was sent.
        net: Net mass with its uncertainty, grams.
    """

    fact: LotWeighed
    net: Estimate

    @property
    def u_g(self) -> float:
        """Combined standard uncertainty of the net mass, grams."""
        return sigma(self.net)


_TICKETS = """
SELECT * EXCEPT (key, prev, digest, value) FROM weighing
WHERE lot_id = {lot:String} AND occurred_at <= {at:DateTime64(6, 'UTC')}
    AND recorded_at <= {known:DateTime64(6, 'UTC')}
"""


def tickets(ask: Ask, asked: Asked) -> dict[str, Ticket]:
    """Return a lot's tickets by event id, corrected ones too; blocks."""
    params = times.moment(asked)._asdict() | {"lot": asked.subject}
    facts = [cast("LotWeighed", record_of("weighing", row)) for row in ask(_TICKETS, params)]
    references = References(devices(ask, {fact.device_id for fact in facts}, params["known"]))
    found = {}
    for fact in facts:
        net = reduced(fact).weighed
        assert net is not None, "a weighing reduces to one"
        device = references.device(net.device, fact.occurred_at)
        found[fact.event_id] = Ticket(fact, metrology.net_mass(net, device))
    return found


def devices(ask: Ask, names: Iterable[str], known: str) -> Mapping[str, RefRow]:
    """Return the versions of devices, as the worker keeps them; blocks."""
    some = sorted(set(names))
    if not some:
        return {}
    statement = (
        "SELECT * EXCEPT (key, prev, digest, value) FROM reference"  # noqa: S608  names, escaped
        f" WHERE kind = 'device' AND id IN {listed(some)}"
        " AND recorded_at <= {known:DateTime64(6, 'UTC')}"
        " ORDER BY valid_from, recorded_at, event_id, body LIMIT 1 BY event_id"
    )
    return versions(ask(statement, {"known": known}))


def versions(rows: Sequence[Row]) -> dict[str, RefRow]:
    """Return rows of reference data as versions by key."""
    kept: dict[str, RefRow] = {}
    for row in rows:
        fact = cast("ReferenceSet", record_of("reference", row))
        key = f"ref/{fact.kind}/{fact.id}"
        kept[key] = with_version(kept.get(key), fact)
    return kept


def difference(sent: Sequence[Ticket], got: Sequence[Ticket]) -> tuple[int, float]:
    """Return what came less what left, grams, and its standard uncertainty.

    Random parts add in squares; what one scale does to both sides cancels, to several tickets of
    one side it adds straight.
    """
    parts: dict[str, float] = {}
    var = 0.0
    for side, sign in ((sent, -1.0), (got, 1.0)):
        for one in side:
            var += one.net.var
            for source, u in one.net.parts.items():
                parts[source] = parts.get(source, 0.0) + sign * u
    grams = sum(t.fact.net_g for t in got) - sum(t.fact.net_g for t in sent)
    return grams, math.sqrt(var + sum(u * u for u in parts.values()))
