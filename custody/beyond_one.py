"""Grades that together are more than all the dry matter there is: one of them is wrong.

One certificate of which that is true is refused where it comes in. Several, or a declaration as is
beside the moisture that is usual, are found here: the books hold more metal than mass by them. What
separations are expected to have given is left to the process (``metal_exceeds_mass``).

A declared content, such as recycled, that is no share from 0 to 1 is refused there likewise; where
one is met nevertheless, it is found here and nothing of it counts.

Source:
    docs/ledger.md, "What is known of a lot's material", "Travelling attributes of a lot"
"""

from collections.abc import Mapping, Sequence

from custody.elements import COMPOSITION_SUM_MAX, ELEMENTS
from custody.estimate import Estimate, absolute, sigma, total
from custody.lot_book import LotBook
from custody.metrology import MOISTURE
from custody.postings import Context
from custody.process import SIGMAS
from custody.reading import first_shots
from custody.rows import Declared, Finding
from custody.shares import is_content, share_of

SHOWN_MAX = 8
"""Analytes named in a sentence, those of which there is most; and contents."""


def of_lot(book: LotBook, context: Context) -> list[Finding]:
    """Find grades and declared contents of a lot that cannot be true."""
    declared = book.material().declared
    contents = [] if declared is None else _contents(declared)
    return [*_grades(book, context), *contents]


def _contents(declared: Declared) -> list[Finding]:
    """Find declared contents that are no shares; none of them counts."""
    wrong = [
        f"{name} {amount:.15g} {unit}"
        for name, amount, unit, _, _ in declared.attributes
        if is_content(name, unit) and share_of(amount, unit) is None
    ]
    if not wrong:
        return []
    detail = f"no share of 0 to 1, not counted: {_shown(wrong)}"
    return [Finding("fractions_exceed_one", "contents", detail)]


def _shown(words: Sequence[str]) -> str:
    """Return the first of some words, and how many more there are."""
    more = f" and {len(words) - SHOWN_MAX} more" if len(words) > SHOWN_MAX else ""
    return ", ".join(words[:SHOWN_MAX]) + more


def _grades(book: LotBook, context: Context) -> list[Finding]:
    """Find grades of a lot that cannot all be true.

    Elements add up, each once, and no compound is more than all. Measured grades may exceed that by
    what is not known of them; what was declared, or is usual, is no measurement and has no u here.
    """
    knowledge = context.knowledge
    grades = {name: one for name, one in knowledge.grades.items() if name not in knowledge.expected}
    elements = {name: one for name, one in grades.items() if name in ELEMENTS}
    others = [{name: one} for name, one in grades.items() if name not in ELEMENTS]
    most = max([elements, *others], key=_sum)
    if _sum(most) <= COMPOSITION_SUM_MAX:
        return []
    is_usual = not knowledge.moist and not book.handed() and book.material().declared is not None
    doubted = total(
        absolute(_measured(one, is_usual=is_usual))
        for name, one in most.items()
        if name in knowledge.certified or name in knowledge.handed or first_shots(book, name)
    )
    if _sum(most) - 1.0 <= SIGMAS * sigma(doubted):
        return []
    shown = sorted(most, key=lambda name: (-most[name].value, name))
    words = _shown([f"{name} {most[name].value:.2%}" for name in shown])
    detail = f"{words} of the dry matter, together {_sum(most):.2%}"
    if is_usual and not knowledge.basis.as_is.keys().isdisjoint(most):
        detail = f"{detail}, by the usual moisture of {1.0 - knowledge.dryness.value:.1%}"
    return [Finding("fractions_exceed_one", "grades", detail)]


def _sum(grades: Mapping[str, Estimate]) -> float:
    return sum(one.value for one in grades.values())


def _measured(grade: Estimate, *, is_usual: bool) -> Estimate:
    """Return a grade without what is not known of a moisture that nobody measured."""
    if not is_usual:
        return grade
    return grade._replace(parts={name: u for name, u in grade.parts.items() if name != MOISTURE})
