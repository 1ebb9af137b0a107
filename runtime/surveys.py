"""How sure what a survey of a stockpile did not find is: the survey, what moved, the one before.

What a survey posts is the difference of the books and what it found. The books are what the survey
before it found and what was handed in and out since; both surveys are of one heap, so that of two
in a row the one between them counts for neither sum. A survey that says nothing of moisture is on
the dry share of the heap, as the books are, so dry mass is in proportion; metals always are.

Source:
    docs/balances.md, "A site's period"; custody/continuous.py, ``_measure``
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from custody.estimate import NOTHING, Estimate, absolute, add
from custody.events import MaterialProcessed, Micros
from custody.factset import standing
from custody.process import Standing, standing_side
from custody.process_known import leaving
from custody.reduce import reduced
from custody.reference import References
from custody.rows import FactRow
from runtime.asof import Ask, Quantity, quantity_of
from runtime.legs import ACCOUNTS
from runtime.rests import DRY, WET
from runtime.stored import record_of

Amounts = Mapping[Quantity, int]
Errors = Mapping[Quantity, Estimate]


class Moved(NamedTuple):
    """What was handed into a process; what was handed out has the other sign."""

    at: Micros
    wet: Estimate
    dry: Estimate


class _Survey(NamedTuple):
    """A survey that stands, and what it found.

    Attributes:
        at: When.
        wet: Its error in wet mass, grams, under its own name.
        dry: Its error in dry mass, likewise.
        derived: The dry mass is on the dry share of the heap.
        there: What lay there by it.
    """

    at: Micros
    wet: Estimate
    dry: Estimate
    derived: bool
    there: Amounts


_SURVEYS = f"""
SELECT * EXCEPT (key, prev, digest, value) FROM processing
WHERE part = 'stock' AND recorded_at <= {{known:DateTime64(6, 'UTC')}}
    AND concat('process/', process_id) IN ({ACCOUNTS})
"""  # noqa: S608  put together from constants
_HELD = f"""
SELECT account, class, quantity, unit, quality, toUnixTimestamp64Micro(effective_at) AS at,
    sum(amount) AS amount
FROM v_postings
WHERE startsWith(account, 'process/') AND account IN ({ACCOUNTS})
    AND class != 'attribute' AND known_at <= {{known:DateTime64(6, 'UTC')}}
GROUP BY account, class, quantity, unit, quality, at
ORDER BY at
"""  # noqa: S608


def errors_of(
    ask: Ask,
    asked: Mapping[str, str],
    references: References,
    moved: Mapping[str, Sequence[Moved]],
) -> dict[tuple[str, str], Errors]:
    """Return the error of what each survey posted, by account and event; blocks.

    Args:
        ask: Runs SQL.
        asked: Site, period and what is known by when, as parameters.
        references: Laboratories.
        moved: What went in and out of each process, by account.
    """
    sides = _standing(ask, asked)
    held: dict[str, list[tuple[int, Quantity, int]]] = defaultdict(list)
    for row in ask(_HELD, asked) if sides else []:
        one = int(str(row["at"])), quantity_of(row), int(str(row["amount"]))
        held[str(row["account"])].append(one)
    found: dict[tuple[str, str], Errors] = {}
    for account, surveys in sides.items():
        before: _Survey | None = None
        for side in surveys:
            survey = _survey(side, _there(held[account], side.cause.at), references)
            some = _within(moved.get(account, ()), before, survey)
            found[account, side.cause.event_id] = _error(before, some, survey)
            before = survey
    return found


def _standing(ask: Ask, asked: Mapping[str, str]) -> dict[str, list[Standing]]:
    """Return the surveys that stand of each process, in their order."""
    facts: dict[str, list[FactRow]] = defaultdict(list)
    for row in ask(_SURVEYS, asked):
        fact = cast("MaterialProcessed", record_of("processing", row))
        facts[f"process/{fact.process_id}"].append(reduced(fact))
    found = {}
    for account, some in facts.items():
        sides = (standing_side(0, fact) for fact in standing(some)[0])
        found[account] = sorted(
            (side for side in sides if side is not None), key=lambda side: side.cause
        )
    return found


def _there(held: Iterable[tuple[int, Quantity, int]], at: Micros) -> Amounts:
    there: dict[Quantity, int] = defaultdict(int)
    for when, quantity, amount in held:
        if when <= at:
            there[quantity] += amount
    return there


def _survey(side: Standing, there: Amounts, references: References) -> _Survey:
    name = f"survey/{side.cause.event_id}"
    wet, dry = there.get(WET, 0), there.get(DRY, 0)
    said = leaving(side, wet, dry, references)
    of_dry = absolute(said.own._replace(value=float(dry)))

    def under_name(one: Estimate) -> Estimate:
        return Estimate(0.0, 0.0, {name: one.var**0.5, **one.parts})

    found = under_name(said.wet), under_name(of_dry)
    return _Survey(side.cause.at, found[0], found[1], said.derived, there)


def _within(moved: Iterable[Moved], before: _Survey | None, survey: _Survey) -> list[Moved]:
    """Return what moved between two surveys; before the first, all that did."""
    start = -1 if before is None else before.at
    return [one for one in moved if start < one.at <= survey.at]


def _error(before: _Survey | None, moved: Iterable[Moved], survey: _Survey) -> Errors:
    wet, dry = (NOTHING, NOTHING) if before is None else (before.wet, before.dry)
    for one in moved:
        wet, dry = add(wet, one.wet), add(dry, one.dry)
    wet, dry = add(wet, survey.wet, -1.0), add(dry, survey.dry, -1.0)
    there = survey.there
    if survey.derived:
        dry = _in_proportion(wet, there, DRY, WET)
    metals = {q: _in_proportion(dry, there, q, DRY) for q in there if q.cls == "metal"}
    return {WET: wet, DRY: dry} | metals


def _in_proportion(error: Estimate, there: Amounts, part: Quantity, whole: Quantity) -> Estimate:
    """Return what an error of a whole is in a part of it, as what lies there holds it."""
    if not there.get(whole):
        return NOTHING
    share = there.get(part, 0) / there[whole]
    parts = {source: u * share for source, u in error.parts.items()}
    return Estimate(0.0, error.var * share**2, parts)
