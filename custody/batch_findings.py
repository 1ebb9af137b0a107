"""What the books of a batch say against its facts, as sentences.

The test of a closed process (``custody.process_node``) judges what was measured on both sides.
These rules stand where it has nothing to stand on: the process is open, it has no output, or nobody
has assayed its outputs.

Source:
    docs/ledger.md, "Processes".
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from custody import carried as travelling
from custody.elements import ELEMENTS
from custody.estimate import NOTHING
from custody.events import Micros
from custody.handing import amounts_of
from custody.held import Held
from custody.kinds import Kind
from custody.knowledge import Amount
from custody.postings import minus, plus
from custody.process import (
    SIGMAS,
    Estimates,
    Standing,
    exceeds,
    held_estimates,
    told_by_all,
    tonnes,
    whole_u,
)
from custody.process_settle import Outcome

HALF = 0.5
"""Of what went in: more than that is no inaccuracy of a plant's figures."""

MG_PER_G = 1000


class Out(NamedTuple):
    """An output or a loss: the side, what stands for it, and what its lot gave back of it."""

    side: Standing
    outcome: Outcome
    back: Held | None


class Books(NamedTuple):
    """What a batch's books say.

    Attributes:
        kind: What it does.
        given: What lots handed in.
        whole: The sum of that: dry mass and metals.
        rest: What is left.
        known: How well that is known.
        outs: Outputs and losses in canonical order.
    """

    kind: Kind
    given: Collection[Held]
    whole: tuple[int, Mapping[str, int]]
    rest: Amount
    known: Estimates
    outs: Sequence[Out]


class Lack(NamedTuple):
    """What an open batch lacks: the side from which on it does, and a sentence.

    ``asked`` is when that side's facts were written down, or it happened, whichever was later.
    """

    side: Standing
    asked: Micros
    detail: str


def at_close(books: Books) -> dict[str, str]:
    """Return what does not fit of the whole of a closed batch, sentences by rule.

    What does not fit of one output is found of its side.
    """
    unsure = _partly_told(books)
    for out in books.outs:
        handed = out.outcome.handed
        if handed is not None and (rich := _too_rich(books.kind, handed, out.back, unsure)):
            out.outcome.findings["metal_exceeds_mass"] = rich
    found: dict[str, str] = {}
    if over := _short(books, books.rest, unsure):
        found["output_exceeds_input"] = f"More went out than came in: {over}."
    if gone := _missing(books, unsure):
        found["input_unaccounted"] = f"More than half of it went nobody says where: {gone}."
    return found


def lacking(books: Books) -> Lack | None:
    """Return what an open batch lacks, if anything: inputs that go with its first outputs too many.

    Later outputs change nothing of when it began, so nobody waits anew with each of them.
    """
    rest, unsure = books.rest, _partly_told(books)
    over = _short(books, rest, unsure)
    if not over:
        return None
    since = books.outs[0].side if books.outs else None
    for out in reversed(books.outs):
        rest = plus(rest, _gone(out))
        if not _short(books, rest, unsure):
            since = out.side
            break
    if since is None:
        return None
    detail = f"More went out than came in: {over}, and the process is open."
    return Lack(since, Micros(max(since.cause.at, since.cause.known)), detail)


def _gone(out: Out) -> Amount:
    """Return what left with a side, as it was measured where it was."""
    gone = Amount(0, 0, {})
    for posted in out.outcome.postings.values():
        gone = plus(gone, Amount(posted.wet, posted.dry, posted.amounts))
    if out.back is not None:
        gone = minus(gone, Amount(out.back.wet, out.back.dry, amounts_of(out.back)))
    return gone


def _short(books: Books, rest: Amount, unsure: frozenset[str]) -> str:
    """Return what went out beyond what came in, in words; empty where nothing did.

    Args:
        books: What a batch's books say.
        rest: What is left of it, or was at some time; what a chemical kind made is no mass of it.
        unsure: Metals that nothing can be said of: from ``_partly_told``.
    """
    known, said = books.known, list[str]()
    if not books.kind.chemical and exceeds(float(-rest.dry), known.dry):
        said.append(f"{tonnes(-rest.dry)} of dry mass")
    for name, value in sorted(travelling.metals_of(rest.amounts).items()):
        over = name not in unsure and exceeds(float(-value), known.metals.get(name, NOTHING))
        if over and told_by_all(name, books.given):
            said.append(f"{_kg(-value)} of {name}")
    return ", ".join(said)


def _missing(books: Books, unsure: frozenset[str]) -> str:
    """Return what of more than half nobody says where it went, in words; else an empty text.

    Where no loss is declared, nobody is asked for what a separation is expected to lose.
    """
    kind, _, (dry, metals), rest, known, outs = books
    said: list[str] = []
    if not kind.separating and rest.dry > HALF * dry and exceeds(rest.dry, known.dry):
        said.append(f"{tonnes(rest.dry)} of {tonnes(dry)} of dry mass")
    told = [name for name, value in sorted(metals.items()) if value > 0]
    told = [name for name in told if name not in unsure and told_by_all(name, books.given)]
    lost = any(out.side.side.part == "loss" for out in outs)
    gone: list[str] = []
    for name in told:
        value, went_in = rest.amounts.get(name, 0), metals[name]
        expected = 0.0 if lost else (1.0 - kind.recovered(name)) * went_in
        beyond = exceeds(float(value), known.metals.get(name, NOTHING))
        if beyond and value - expected > HALF * went_in:
            gone.append(name)
    gone = _product(kind, told, gone)
    said.extend(f"{_kg(rest.amounts[name])} of {_kg(metals[name])} of {name}" for name in gone)
    return ", ".join(said)


def _partly_told(books: Books) -> frozenset[str]:
    """Return the metals of a separation that some of its outputs' certificates say, and others not.

    What nobody has assayed is expected to hold its share by dry mass. Beside an output that is
    known to hold another share that is no figure at all: nothing follows from their sum.
    """
    if not books.kind.separating:
        return frozenset()
    told = [
        frozenset[str]() if out.back is None else frozenset(out.back.metals)
        for out in books.outs
        if out.outcome.handed is not None
    ]
    return frozenset().union(*told) - frozenset.intersection(*told) if told else frozenset()


def _too_rich(kind: Kind, handed: Held, back: Held | None, unsure: frozenset[str]) -> str:
    """Return what an output holds of metal beyond its dry mass, as a sentence; empty where it fits.

    Args:
        kind: What the process does.
        handed: What the output handed to its lot.
        back: What its lot has measured it to be less than that; None where it measured nothing.
        unsure: Metals that other outputs are known to hold: they say nothing of this one.
    """
    known = held_estimates(handed)
    measured: Collection[str] = () if back is None else back.metals
    # What is separated has a certificate of the metals it is for: others are not expected beside.
    asked = set(measured if kind.separating and measured else handed.metals.keys() - unsure)
    held = sorted(ELEMENTS & asked & handed.metals.keys())
    masses = {name: handed.metals[name][0] for name in held}
    u = {name: whole_u(known.metals[name]) for name in masses}
    dry, dry_u = handed.dry, whole_u(known.dry)
    if back is not None:
        told = held_estimates(back)
        dry, dry_u = dry - back.dry, whole_u(told.dry)
        for name in masses.keys() & told.metals.keys():
            masses[name] -= back.metals[name][0]
            u[name] = whole_u(told.metals[name])
    most = MG_PER_G * (dry + 1 + SIGMAS * dry_u)
    each = [name for name in sorted(masses) if masses[name] > most + SIGMAS * u[name]]
    # What is not separated is all counted; else what was measured, or what it is for.
    counted = list(masses) if measured or not kind.separating else sorted(_named(kind, masses))
    if not counted:
        counted = _product(kind, list(masses), each)
    whole = sum(masses[name] for name in counted)
    if whole <= most + SIGMAS * sum(u[name] for name in counted):
        return ""
    parts = ", ".join(f"{_kg(masses[name])} of {name}" for name in counted if masses[name] > 0)
    return f"{parts} in {tonnes(dry)} of dry mass: nothing holds more metal than its own mass."


def _product(kind: Kind, told: Collection[str], found: list[str]) -> list[str]:
    """Return of metals that something is found of those it may be said of.

    Every metal is expected to be recovered alike where nobody says which one a separation is for,
    and most are not: then it is said only where it is found of every metal, so of that one too.
    """
    if not kind.separating:
        return found
    named = _named(kind, told)
    if named:
        return [name for name in found if name in named]
    return found if len(found) == len(told) else []


def _named(kind: Kind, told: Collection[str]) -> set[str]:
    """Return the metals that reference data says something of, for this process or its kind."""
    return {name for name in told if name == kind.key_analyte or name in kind.by_analyte}


def _kg(milligrams: int) -> str:
    return f"{milligrams / 1e6:,.3f} kg"
