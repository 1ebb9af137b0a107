"""What the books of a closed batch say against its facts, as sentences.

The test of a process (``custody.process_node``) judges what was measured on both sides. These rules
stand where it has nothing to stand on: no output, or metals of outputs that nobody has assayed.

Source:
    docs/ledger.md, "Processes".
"""

from collections.abc import Collection, Mapping

from custody import carried as travelling
from custody.elements import ELEMENTS
from custody.estimate import NOTHING
from custody.held import Held
from custody.kinds import Kind
from custody.knowledge import Amount
from custody.process import SIGMAS, Estimates, exceeds, held_estimates, told_by_all, tonnes, whole_u

HALF = 0.5
"""Of what went in: more than that is no inaccuracy of a plant's figures."""

MG_PER_G = 1000


def short(rest: Amount, known: Estimates, given: Collection[Held]) -> str:
    """Return what went out beyond what came in, as a sentence; empty where nothing did.

    Args:
        rest: What is left, grams and milligrams.
        known: How well that is known.
        given: What lots handed in.
    """
    said: list[str] = []
    if exceeds(float(-rest.dry), known.dry):
        said.append(f"{tonnes(-rest.dry)} of dry mass")
    for name, value in sorted(travelling.metals_of(rest.amounts).items()):
        over = exceeds(float(-value), known.metals.get(name, NOTHING))
        if over and told_by_all(name, given):
            said.append(f"{_kg(-value)} of {name}")
    return "More went out than came in: " + ", ".join(said) + "." if said else ""


def missing(
    kind: Kind,
    whole: Amount,
    rest: tuple[Amount, Estimates],
    given: Collection[Held],
    *,
    lost: bool,
) -> str:
    """Return what of more than half nobody says where it went, as a sentence; else an empty one.

    Args:
        kind: What the process does.
        whole: What went in.
        rest: What is left, and how well that is known.
        given: What lots handed in.
        lost: Losses are declared. Else nobody is asked where that went which a separation is
            expected to lose.
    """
    left, known = rest
    said: list[str] = []
    if not kind.separating and left.dry > HALF * whole.dry and exceeds(left.dry, known.dry):
        said.append(f"{tonnes(left.dry)} of {tonnes(whole.dry)} of dry mass")
    told = [name for name, value in sorted(whole.amounts.items()) if value > 0]
    told = [name for name in told if told_by_all(name, given)]
    gone: list[str] = []
    for name in told:
        value, went_in = left.amounts.get(name, 0), whole.amounts[name]
        expected = 0.0 if lost else (1.0 - kind.recovered(name)) * went_in
        beyond = exceeds(float(value), known.metals.get(name, NOTHING))
        if beyond and value - expected > HALF * went_in:
            gone.append(name)
    gone = _product(kind, told, gone)
    said.extend(
        f"{_kg(left.amounts[name])} of {_kg(whole.amounts[name])} of {name}" for name in gone
    )
    return "More than half of it went nobody says where: " + ", ".join(said) + "." if said else ""


def too_rich(kind: Kind, handed: Held, back: Held | None) -> str:
    """Return what an output holds of metal beyond its dry mass, as a sentence; empty where it fits.

    Args:
        kind: What the process does.
        handed: What the output handed to its lot.
        back: What its lot has measured it to be less than that; None where it measured nothing.
    """
    known = held_estimates(handed)
    masses = {name: value for name, (value, _, _) in handed.metals.items() if name in ELEMENTS}
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
    counted = _counted(kind, masses, () if back is None else back.metals)
    if not counted:
        counted = _product(kind, list(masses), each)
    whole = sum(masses[name] for name in counted)
    if whole <= most + SIGMAS * sum(u[name] for name in counted):
        return ""
    parts = ", ".join(f"{_kg(masses[name])} of {name}" for name in counted if masses[name] > 0)
    return f"{parts} in {tonnes(dry)} of dry mass: nothing holds more metal than its own mass."


def _counted(kind: Kind, masses: Mapping[str, int], measured: Collection[str]) -> list[str]:
    """Return the metals of an output of which its figure says something."""
    if not kind.separating:
        return sorted(masses)
    return sorted(_named(kind, masses) | {name for name in measured if name in masses})


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
