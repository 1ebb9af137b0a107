"""Whether grades of one lot, or a declared content, are more than all the dry matter there is."""

from collections.abc import Collection

from custody.events import LotDeclared
from tests.support.oracle.declared import beyond_one
from tests.support.oracle.known import Known

MOST = 1.01
SIGMAS = 4
TABLE = """
H Li Be B C N O F Na Mg Al Si P S Cl K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Rb Sr Y Zr
Nb Mo Ru Rh Pd Ag Cd In Sn Sb Te I Cs Ba La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os
Ir Pt Au Hg Tl Pb Bi Th U
"""
SYMBOLS = frozenset(TABLE.split())


RULE = "fractions_exceed_one"


def said(
    known: Known, expected: Collection[str], lot: LotDeclared | None
) -> tuple[set[str], set[str]]:
    """Return what is found, and what this model cannot decide."""
    if lot is not None and any(map(beyond_one, lot.attributes)):
        return {RULE}, set()
    found = exceeds_one(known, expected, is_declared=lot is not None)
    return {RULE} if found else set(), {RULE} if found is None else set()


def exceeds_one(known: Known, expected: Collection[str], *, is_declared: bool) -> bool | None:
    """Whether they do; None where that hangs on a u that this model does not know.

    Args:
        known: What is known of the lot.
        expected: Analytes that nobody measured.
        is_declared: Somebody declared the lot: then there is a usual moisture of it.
    """
    grades = {name: known.dry_grade(name) for name in known.grades if name not in expected}
    elements = [name for name in grades if name in SYMBOLS]
    groups = [elements, *([name] for name in grades if name not in SYMBOLS)]
    most = max(groups, key=lambda group: sum(grades[name] for name in group))
    whole = sum(grades[name] for name in most)
    if whole <= MOST:
        return False
    share = 1 - (known.moisture or 0.0)
    wet = [name for name in most if known.grades[name][1] == "as_is"]
    sure = set(most) <= known.certified | known.declared
    if not sure or (wet and "moisture" not in known.certified and not is_declared):
        return None
    apart = sum(known.u.get(n, 0.0) * grades[n] / known.grades[n][0] for n in most if grades[n])
    if "moisture" in known.certified and share > 0:
        apart += sum(grades[name] for name in wet) * known.u_moisture / share
    # Linear is more than the root of squares: between the two it is not decided here.
    return True if whole - 1 > SIGMAS * apart else None
