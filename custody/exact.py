"""Exact rules of one lot's trips and process inputs: no statistics, certain as far as facts are.

Each is a function of the facts, of reference data, of the time by which the facts of a site are
in (``LotRow.clocks``), and of what people hold. So a fact that comes late takes a finding back,
and the order of arrival never matters.

Source:
    docs/detection/exact-rules.md
"""

from collections.abc import Iterable, Iterator, Sequence

from custody.deadlines import Due
from custody.events import ActionTaken, Micros
from custody.fold import Row
from custody.geography import CLOCKS_US, Position, distance_km, too_far
from custody.lot import INFERRED, ends_of, sold_to
from custody.lot_rows import Cause, Mass, Papers, Trip, TripRow
from custody.postings import Context
from custody.process import doubts_of
from custody.rows import Fed, Finding, Hold

HOUR_US = 3_600_000_000

HOLDS_MAX = 64
"""Holds and releases kept of a lot: what holds now, else the last ones."""


def of_trip(name: str, trip: Trip, context: Context) -> tuple[list[Finding], Due | None]:
    """Return what the rules find of a trip, and what it waits for."""
    found: list[Finding] = []
    found.extend(_received_twice(name, trip))
    found.extend(_seals(name, trip))
    left, came = trip.left or trip.dispatch, trip.receipt or trip.arrived
    source, target = ends_of(trip)
    if left is None or source is None:
        return found, None
    if context.holds:
        # A weighing out alone moves no mass yet, but who said stop has to hear before the gate
        # does: a plant may send no papers. Papers that follow change no word of it.
        found.extend(_breached(f"{_label(name)} left {source}", name, left.at, context))
    if target is None or sold_to(trip) is not None:
        return found, None
    if came is not None:
        found.extend(_speed(name, trip, (source, target), context))
    late, due = _late(name, trip, left, (source, target), context)
    found.extend(late)
    return found, due


def of_feed(fed: Fed, context: Context) -> list[Finding]:
    """Return what the rules find of a process input."""
    cause = Cause(fed.at, fed.known, fed.event_id)
    doubts = doubts_of(fed.side, cause, fed.site, None, context.references)
    found = [Finding(rule, fed.event_id, detail) for rule, detail in doubts.items()]
    if context.holds:
        what = f"an input of process {fed.side.process} was taken"
        found.extend(_breached(what, fed.event_id, fed.at, context))
    return found


def dues(pairs: Iterable[tuple[Row | None, Row]]) -> Iterator[tuple[Due | None, Due | None]]:
    """Yield what trips waited for and what they wait for, of rows that may have changed."""
    for old, new in pairs:
        before = old.due if isinstance(old, TripRow) else None
        now = new.due if isinstance(new, TripRow) else None
        if before != now:
            yield before, now


def with_holds(
    holds: Sequence[Hold], actions: Iterable[ActionTaken]
) -> tuple[list[Hold], list[str]]:
    """Return what people held and released, with some more actions; the same one counts once.

    Beside it stand findings: ``release_of_other_load`` once, where at least one release that ends
    nothing is new among those kept, and ``beyond_holds`` for each hold that is not kept, because
    ``HOLDS_MAX`` stand that are older. Such a hold is forgotten: a release makes room, and who
    holds still has to say it again. The console refuses both; one may come another way.
    """
    every = {hold.event_id: hold for hold in holds}
    for action in actions:
        held = action.action == "hold"
        every[action.event_id] = Hold(
            action.recorded_at,
            action.event_id,
            held,
            action.actor,
            action.movement_id,
            action.hold_id,
        )
    kept = _bounded(sorted(every.values()))
    findings = list[str]()
    findings.extend(["beyond_holds"] * max(0, len(kept) - HOLDS_MAX))
    kept = kept[:HOLDS_MAX]
    before = {release.event_id for release, _ in of_other_load(holds)}
    if any(release.event_id not in before for release, _ in of_other_load(kept)):
        findings.append("release_of_other_load")
    return kept, findings


def _standing(holds: Sequence[Hold]) -> list[Hold]:
    """Return the holds that nobody has released, of holds and releases in order.

    A release that names a hold ends that one, whatever the clocks of two gateways say.
    """
    releases = [one for one in holds if not one.held]
    named = {(one.ends, one.movement) for one in releases}
    last = {one.movement: one for one in releases if one.ends is None}
    return [
        one
        for one in holds
        if one.held
        and named.isdisjoint({(one.event_id, None), (one.event_id, one.movement)})
        and (one.movement not in last or one > last[one.movement])
    ]


def of_other_load(holds: Sequence[Hold]) -> list[tuple[Hold, Hold]]:
    """Return the releases that end nothing, each with the hold it names.

    Who names a load means that load: the hold of the lot, or of another load, stands. A hold's id
    alone is enough.
    """
    by_id = {one.event_id: one for one in holds if one.held}
    return [
        (one, by_id[one.ends])
        for one in holds
        if one.ends in by_id and one.movement not in (None, by_id[one.ends].movement)
    ]


def _bounded(holds: list[Hold]) -> list[Hold]:
    """Leave out what is over, the first first, down to ``HOLDS_MAX``; what holds now stays."""
    standing = {hold.event_id for hold in _standing(holds)}
    by_id = {hold.event_id: hold for hold in holds}

    def ended(one: Hold) -> tuple[Micros, str, bool]:
        # A release goes after the hold that it ends, or that would stand again.
        at = max(one, by_id.get(one.ends or "", one))
        return at.at, at.event_id, not one.held

    over = sorted((one for one in holds if one.event_id not in standing), key=ended)
    gone = {hold.event_id for hold in over[: max(0, len(holds) - HOLDS_MAX)]}
    return [hold for hold in holds if hold.event_id not in gone]


def _received_twice(name: str, trip: Trip) -> Iterator[Finding]:
    if len(trip.came_to) > 1:
        sites = " and ".join(sorted(trip.came_to))
        detail = f"{_label(name)} was received at {sites}; one load comes to one site"
        yield Finding("double_receipt", name, detail)


def _seals(name: str, trip: Trip) -> Iterator[Finding]:
    """A load that was opened on the way, and by nobody who wrote down the new seals."""
    left = trip.left.seals if trip.left is not None else ()
    came = trip.arrived.seals if trip.arrived is not None else ()
    if not left or not came or came in (left, trip.resealed):
        return
    detail = f"{_label(name)} left with seals {_list(left)} and came with {_list(came)}"
    yield Finding("seal_changed", name, detail)


def _speed(name: str, trip: Trip, ends: tuple[str, str], context: Context) -> Iterator[Finding]:
    """A way faster than anything, by the scales at both ends, else by the papers."""
    left, came = trip.dispatch or trip.left, trip.receipt or trip.arrived
    assert left is not None
    assert came is not None
    us = came.at - left.at
    hours = f"{abs(us) / HOUR_US:.1f} h"
    if us < -CLOCKS_US:
        detail = f"{_label(name)} came to {ends[1]} {hours} before it left {ends[0]}"
        yield Finding("impossible_speed", name, detail)
        return
    one = _position(trip.left, ends[0], left, context)
    other = _position(trip.arrived, ends[1], came, context)
    if one is None or other is None:
        return
    km = distance_km(one, other)
    limit = context.references.leg(context.route, ends, Micros(left.at)).speed_kmh
    if too_far(km, us, limit):
        way = f"{km:,.0f} km from {ends[0]} to {ends[1]} in {hours}"
        detail = f"{_label(name)}: {way}; the limit is {limit:,.0f} km/h in a straight line"
        yield Finding("impossible_speed", name, detail)


def _position(
    papers: Papers | None, site: str, at: Mass | Papers, context: Context
) -> Position | None:
    if papers is not None and papers.position is not None:
        return papers.position
    return context.references.position(site, at.at)


def _late(
    name: str, trip: Trip, left: Mass | Papers, ends: tuple[str, str], context: Context
) -> tuple[list[Finding], Due | None]:
    """What the leg's deadline says of a load, once the facts of the receiving site are in."""
    hours = context.references.leg(context.route, ends, left.at).deadline_h
    if hours is None:
        return [], None
    deadline = Micros(left.at + round(hours * HOUR_US))
    arrivals = [came.at for came in (trip.receipt, trip.arrived) if came is not None]
    if arrivals:
        late = (min(arrivals) - deadline) / HOUR_US
        if late <= 0:
            return [], None
        detail = f"{_label(name)} came to {ends[1]} {late:,.1f} h after its deadline"
        return [Finding("received_late", name, detail)], None
    # Who writes a departure down late writes the arrival down late too: nobody is told that a load
    # of last month is missing, while the papers of last month are still coming in.
    asked = Micros(max(left.at, left.known) + round(hours * HOUR_US))
    in_until = context.clocks.get(ends[1])
    if in_until is None or in_until < asked:
        return [], Due(asked, ends[1], name, left.event_id)
    way = f"{_label(name)} left {ends[0]} and had {hours:g} h to come to {ends[1]}"
    return [Finding("missing_receipt", name, f"{way}; nothing there says that it came")], None


def _breached(what: str, about: str, at: Micros, context: Context) -> list[Finding]:
    """A departure or an input while a person held the lot, or the load that departed.

    A lot and each of its loads are held and released by themselves.
    """
    known = [hold for hold in context.holds if hold.at <= at]
    holding = [hold for hold in _standing(known) if hold.movement in (None, about)]
    if not holding:
        return []
    by = min(holding)
    detail = f"{what} while {by.actor} held the {'lot' if by.movement is None else 'load'}"
    meant = [release for release, hold in of_other_load(known) if hold == by]
    if meant:
        whose = f"{meant[-1].actor}'s release of load {meant[-1].movement}"
        detail = f"{detail}; {whose} names this hold and does not end it"
    return [Finding("hold_breached", about, detail)]


def _label(name: str) -> str:
    return "trip " + name.removeprefix(INFERRED)


def _list(seals: Sequence[str]) -> str:
    """Return seals in words; of many the first ones."""
    few = ", ".join(seals[:4])
    return few if len(seals) <= 4 else f"{few} and {len(seals) - 4} more"
