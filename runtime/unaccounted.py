"""How sure what is unaccounted for is: its standard uncertainty, from what it is a difference of.

- ``leg``: the two weighings of the trip, by the scale's class or calibration, as the worker takes
  them (``custody.metrology``), also where they agree to the gram. Dry mass and metals in
  proportion: both weighings are taken on one moisture and one grade, so the difference is one of
  mass.
- ``stock``: the wet masses of the place's balances before and after the posting, whose difference
  it is. Of a place that was emptied: all weighings in and out. Dry mass and metals in proportion.
- ``restated``: the balances before and after. Nothing is missing; what lies there is better known,
  as by a certificate. One posting brings a place to what is known, so it may be both: the mass that
  is missing takes with it what a gram of the place holds, and the rest of the posting is restated.
- ``process``: all that was handed in and handed out. Declared losses come without an uncertainty.
  Of a survey: its own, and what moved since the survey before (``runtime.surveys``).

Random parts add in squares. A source that both sides share, such as one scale, counts by the
difference of its parts; over several postings its parts add straight, with their sign.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from custody import metrology
from custody.estimate import NOTHING, Estimate, add, total
from custody.events import LotWeighed, ReferenceSet
from custody.records import Balance, Content, Part
from custody.reduce import reduced
from custody.reference import References
from custody.reference_versions import with_version
from custody.rows import RefRow
from runtime import legs
from runtime.asof import Ask, Quantity, Row, Uncertainty
from runtime.legs import ACCOUNTS, Usual
from runtime.moment import Period, sql_time
from runtime.rests import DRY, LEG, RESTATED, WET, Rest, divided, even_legs, mix_of, rests_of
from runtime.stored import record_of
from runtime.surveys import Errors, Moved
from runtime.surveys import errors_of as survey_errors


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """What a site could not account for of one quantity in one way of finding it.

    Attributes:
        lost: In the quantity's unit; positive where less was found than was to be.
        u: Its standard uncertainty; None where none of its postings has one.
        without_u: Postings whose uncertainty is not known and not in ``u``.
        usual: What of it legs lose without anyone's doing, and how well that is known.
    """

    found_in: str
    quantity: Quantity
    lost: int
    u: Uncertainty | None
    without_u: int
    usual: Estimate = NOTHING


@dataclass(frozen=True, slots=True)
class Sources:
    """What the uncertainties are taken from.

    Attributes:
        weighings: Wet mass weighed into an account less what was weighed out of it, by account
            and, for what is in transit, trip.
        before: Balance before a posting, by account and event.
        after: Balance after it, in the same way.
        processes: What went in less what came out, by account and quantity.
        surveys: The same of what a survey posted, by account and event.
        usual: What legs lose without anyone's doing, by account and event.
    """

    weighings: Mapping[tuple[str, str], Estimate]
    before: Mapping[tuple[str, str], Balance]
    after: Mapping[tuple[str, str], Balance]
    processes: Mapping[str, Mapping[Quantity, Estimate]]
    usual: Usual = field(default_factory=dict)
    surveys: Mapping[tuple[str, str], Errors] = field(default_factory=dict)


def unaccounted(ask: Ask, site_id: str, period: Period, known: str) -> list[Unaccounted]:
    """Return what a site could not account for over a period, by way and quantity.

    Args:
        ask: Runs SQL.
        site_id: The site.
        period: When it was so.
        known: As known at, as text for the warehouse.
    """
    span = {"start": sql_time(period.start), "end": sql_time(period.end), "known": known}
    asked = {"known": known, "site": site_id} | span
    rests = rests_of(ask(_RESTS, asked))
    came = legs.received(ask, asked)
    rests += even_legs(came, rests)
    if not rests:
        return []
    references = References(_references(ask(_REFERENCES, asked)))
    mixes = _mixes(ask, rests, asked)
    rests = [part for rest in rests for part in divided(rest, mixes.get(rest.account))]
    took = legs.ways(ask, asked)
    processes, moved = _processes(ask, rests, asked)
    sources = Sources(
        _weighings(ask, asked, references),
        *_balances(ask, rests, asked),
        processes,
        legs.usual_loss(rests, came, took, site_id, references),
        survey_errors(ask, asked, references, moved) if moved else {},
    )
    return summed(rests, sources)


def summed(rests: Sequence[Rest], sources: Sources) -> list[Unaccounted]:
    """Return the sums of postings by way and quantity, each with its uncertainty."""
    groups: dict[tuple[str, Quantity], list[Rest]] = defaultdict(list)
    for rest in rests:
        for quantity in rest.lost:
            groups[rest.found_in, quantity].append(rest)
    return [
        _sum(found_in, quantity, groups[found_in, quantity], sources)
        for found_in, quantity in sorted(groups, key=lambda key: (key[0], key[1].order))
    ]


def _sum(found_in: str, quantity: Quantity, rests: Sequence[Rest], sources: Sources) -> Unaccounted:
    errors = [error_of(rest, quantity, sources) for rest in rests]
    said = [error for error in errors if error is not None]
    combined = total(said)
    parts = tuple(Part(source=s, u=u) for s, u in sorted(combined.parts.items()) if u)
    return Unaccounted(
        found_in,
        quantity,
        sum(rest.lost[quantity] for rest in rests),
        Uncertainty(combined.var**0.5, parts) if said else None,
        len(errors) - len(said),
        total(sources.usual.get((r.account, r.event_id), {}).get(quantity, NOTHING) for r in rests),
    )


def error_of(rest: Rest, quantity: Quantity, sources: Sources) -> Estimate | None:
    """Return the error of one posting in one quantity; None where it is not known."""
    if quantity.cls == "attribute":
        return None
    if rest.found_in == "process":
        of_all = sources.processes.get(rest.account, {})
        return sources.surveys.get((rest.account, rest.event_id), of_all).get(quantity)
    at = rest.account, rest.event_id
    after = sources.after.get(at)
    if rest.found_in == RESTATED:
        emptied = after is None or not after.mass_wet_g
        return None if emptied else _changed(at, quantity, sources)
    if rest.found_in == LEG or (after is not None and not after.mass_wet_g):
        wet = sources.weighings.get((rest.account, rest.movement_id))
    else:
        wet = _changed(at, WET, sources)
    moved = rest.lost.get(WET, 0)
    per_gram = rest.lost[quantity] / moved if moved else rest.mix.get(quantity)
    return None if wet is None or per_gram is None else _scaled(wet, per_gram)


def _changed(at: tuple[str, str], quantity: Quantity, sources: Sources) -> Estimate | None:
    """Return the error of a difference of two balances; None where the second was never said."""
    after, before = sources.after.get(at), sources.before.get(at)
    if after is None:
        return None
    first = NOTHING if before is None else figure_of(before, quantity)
    return add(first, figure_of(after, quantity), -1.0)


def figure_of(record: Balance | Content, quantity: Quantity) -> Estimate:
    """Return a quantity of a balance or a content; nothing where it says none."""
    if quantity == WET:
        parts = record.mass_wet_u_systematic_g
        return _estimate(record.mass_wet_g, record.mass_wet_u_random_g, parts)
    if quantity == DRY:
        parts = record.mass_dry_u_systematic_g
        return _estimate(record.mass_dry_g, record.mass_dry_u_random_g, parts)
    for metal in record.metals:
        if metal.analyte == quantity.name:
            return _estimate(metal.value_mg, metal.u_random_mg, metal.u_systematic_mg)
    return NOTHING


def _estimate(value: int, u_random: float, parts: Iterable[Part]) -> Estimate:
    return Estimate(float(value), u_random**2, {part.source: part.u for part in parts})


def _scaled(one: Estimate, factor: float) -> Estimate:
    parts = {source: u * factor for source, u in one.parts.items()}
    return Estimate(one.value * factor, one.var * factor**2, parts)


_RESTS = """
SELECT found_in, account, event_id, movement_id, class, quantity, unit, quality, lost,
    first_n, last_n
FROM v_unaccounted(
    period_start = {start:DateTime64(6, 'UTC')}, period_end = {end:DateTime64(6, 'UTC')},
    known_at = {known:DateTime64(6, 'UTC')})
WHERE site_id = {site:String}
ORDER BY account, event_id
"""


_STANDING = f"""
    SELECT account, if(endsWith(account, '/transit'), ifNull(movement_id, ''), '') AS trip,
        ifNull(replaces_event_id, cause_event_id) AS event, toInt8(sign(sum(amount))) AS way
    FROM v_postings
    WHERE kind IN ('first_weighing', 'dispatch', 'receipt') AND quantity = 'wet'
        AND known_at <= {{known:DateTime64(6, 'UTC')}} AND account IN ({ACCOUNTS})
    GROUP BY account, trip, event HAVING sum(amount) != 0
"""  # noqa: S608  put together from constants of this module
_WEIGHINGS = f"""
SELECT w.* EXCEPT (key, prev, digest, value), moved.account AS moved_account,
    moved.trip AS moved_trip, moved.way AS moved_way
FROM weighing AS w INNER JOIN ({_STANDING}) AS moved ON w.event_id = moved.event
"""  # noqa: S608
_REFERENCES = """
SELECT * EXCEPT (key, prev, digest, value) FROM reference
WHERE kind IN ('device', 'route', 'laboratory') AND recorded_at <= {known:DateTime64(6, 'UTC')}
ORDER BY valid_from, recorded_at, event_id, body LIMIT 1 BY event_id
"""


def _weighings(
    ask: Ask, asked: Mapping[str, str], references: References
) -> dict[tuple[str, str], Estimate]:
    found: dict[tuple[str, str], Estimate] = {}
    for row in ask(_WEIGHINGS, asked):
        fact = cast("LotWeighed", record_of("weighing", row))
        weighed = reduced(fact).weighed
        assert weighed is not None, "a weighing reduces to one"
        device = references.device(weighed.device, fact.occurred_at)
        key = str(row["moved_account"]), str(row["moved_trip"])
        way = float(str(row["moved_way"]))
        found[key] = add(found.get(key, NOTHING), metrology.net_mass(weighed, device), way)
    return found


def _references(rows: Sequence[Row]) -> dict[str, RefRow]:
    """Return the versions of each record, as the worker keeps them."""
    kept: dict[str, RefRow] = {}
    for row in rows:
        fact = cast("ReferenceSet", record_of("reference", row))
        key = f"ref/{fact.kind}/{fact.id}"
        kept[key] = with_version(kept.get(key), fact)
    return kept


_BALANCES = f"""
SELECT * EXCEPT (key, prev, digest, value) FROM balance
WHERE account IN ({ACCOUNTS}) AND startsWith(account, 'lot/')
    AND known_at <= {{known:DateTime64(6, 'UTC')}}
ORDER BY account, n
"""  # noqa: S608

_Around = dict[tuple[str, str], Balance]


def _balances(ask: Ask, rests: Sequence[Rest], asked: Mapping[str, str]) -> tuple[_Around, _Around]:
    """Return the balances before and after each posting at a place."""
    stock = [rest for rest in rests if rest.found_in in ("stock", RESTATED)]
    by_account: dict[str, list[Balance]] = defaultdict(list)
    for row in ask(_BALANCES, asked) if stock else []:
        record = cast("Balance", record_of("balance", row))
        by_account[record.account].append(record)
    before: _Around = {}
    after: _Around = {}
    for rest in stock:
        at = rest.account, rest.event_id
        for record in by_account[rest.account]:
            if record.n < rest.numbers[0]:
                before[at] = record
            elif record.n > rest.numbers[1] and at not in after:
                after[at] = record
    return before, after


_MOVES = f"""
SELECT account, ifNull(replaces_event_id, cause_event_id) AS event_id,
    toUnixTimestamp64Micro(max(effective_at)) AS at,
    toUInt8(side = 'debit' AND NOT startsWith(other_account, 'unaccounted/')) AS out,
    class, quantity, unit, quality, sum(amount) AS amount
FROM v_postings
WHERE account IN ({ACCOUNTS}) AND startsWith(account, 'lot/')
    AND effective_at < {{end:DateTime64(6, 'UTC')}} AND known_at <= {{known:DateTime64(6, 'UTC')}}
GROUP BY account, event_id, out, class, quantity, unit, quality
HAVING amount != 0
"""  # noqa: S608


def _mixes(
    ask: Ask, rests: Sequence[Rest], asked: Mapping[str, str]
) -> dict[str, dict[Quantity, float] | None]:
    """Return what a gram holds at each place where something was found in stock."""
    by_account: dict[str, list[Row]] = defaultdict(list)
    stock = any(rest.found_in == "stock" and rest.lost.get(WET) for rest in rests)
    for row in ask(_MOVES, asked) if stock else []:
        by_account[str(row["account"])].append(row)
    return {account: mix_of(rows) for account, rows in by_account.items()}


_CONTENTS = f"""
SELECT * EXCEPT (key, prev, digest, value) FROM
(
    SELECT * FROM content
    WHERE (from_owner IN ({ACCOUNTS}) OR to_owner IN ({ACCOUNTS}))
        AND known_at <= {{known:DateTime64(6, 'UTC')}}
    ORDER BY from_owner, to_owner, cause_event_id, n DESC
    LIMIT 1 BY from_owner, to_owner, cause_event_id
)
WHERE NOT void
"""  # noqa: S608


def _processes(
    ask: Ask, rests: Sequence[Rest], asked: Mapping[str, str]
) -> tuple[dict[str, dict[Quantity, Estimate]], dict[str, list[Moved]]]:
    """Return what went into each process less what came out, in all and one by one."""
    found: dict[str, dict[Quantity, Estimate]] = {
        rest.account: dict.fromkeys(rest.lost, NOTHING)
        for rest in rests
        if rest.found_in == "process"
    }
    moved: dict[str, list[Moved]] = {account: [] for account in found}
    for row in ask(_CONTENTS, asked) if found else []:
        content = cast("Content", record_of("content", row))
        for account, sign in ((content.to_owner, 1.0), (content.from_owner, -1.0)):
            sums = found.get(account, {})
            for quantity in sums:
                sums[quantity] = add(sums[quantity], figure_of(content, quantity), sign)
            if account in found:
                masses = (add(NOTHING, figure_of(content, q), sign) for q in (WET, DRY))
                moved[account].append(Moved(content.effective_at, *masses))
    return found, moved
