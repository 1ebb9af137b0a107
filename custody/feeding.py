"""What an input into a process rests on, and what it hands over."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody import accounts, handing, returns
from custody.estimate import Estimate, absolute, relative, times
from custody.held import Carried, Held
from custody.knowledge import Amount, Cause
from custody.lot_book import LotBook
from custody.metrology import dryness
from custody.postings import Context
from custody.provenance import carried_of
from custody.reading import Known
from custody.rows import Fed


class AsFed(NamedTuple):
    """What an input into a process rests on.

    Attributes:
        context: With what is known of the material that went in.
        carried: What that material carries.
        generation: One more than the largest of what had been handed over with it.
    """

    context: Context
    carried: Carried
    generation: int


class Inputs:
    """What each input of a lot rests on.

    Args:
        book: The lot's rows.
        known: What is known of its material.
        context: With what is known now.
        carried: What it carries now.
        given: What processes handed over with it.
        own: Accounts of the processes it went into.
    """

    def __init__(
        self,
        book: LotBook,
        known: Known,
        context: Context,
        carried: Carried,
        given: Sequence[Held],
        own: frozenset[str],
    ) -> None:
        self._book = book
        self._known = known
        self._given = given
        self._own = own
        self._comes_back = any(held.owner in own for held in given)
        self._now = AsFed(context, carried, handing.generation_after(given))
        self._found: dict[frozenset[tuple[str, str]], AsFed] = {}

    def known_of(self, fed: Fed) -> AsFed:
        """Return what an input rests on: of a lot that came back, what was known before that."""
        if not self._comes_back:
            return self._now
        given = returns.before(fed, self._own, self._given)
        if len(given) == len(self._given):
            return self._now
        names = frozenset([(held.owner, held.cause) for held in given])
        if names not in self._found:
            context = self._now.context
            self._found[names] = AsFed(
                context._replace(knowledge=self._known.given(given)),
                carried_of(self._book, context.references, given),
                handing.generation_after(given),
            )
        return self._found[names]


def handed(fed: Fed, amount: Amount, wet: Estimate, known: AsFed) -> Held:
    """Return what an input hands over to its process.

    Args:
        fed: The input.
        amount: What it moves.
        wet: Its wet mass, grams.
        known: What it rests on.
    """
    knowledge, references = known.context.knowledge, known.context.references
    share = knowledge.dryness
    if fed.side.moisture is not None:
        share = dryness(fed.side.moisture, None, references.laboratory(fed.site, fed.at))
    dry = times(relative(wet), share)
    metals = {
        analyte: absolute(_milligrams(times(dry, grade)))
        for analyte, grade in knowledge.grades.items()
    }
    ends = (accounts.process(fed.side.process), fed.site)
    cause = Cause(fed.at, fed.known, fed.event_id)
    estimates: tuple[Estimate, Estimate, Mapping[str, Estimate]] = (wet, absolute(dry), metals)
    return handing.held(cause, ends, known.generation, amount, estimates, known.carried)


def _milligrams(grams: Estimate) -> Estimate:
    return grams._replace(value=grams.value * 1000.0)
