"""What an input into a process rests on, and what it hands over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from custody import accounts, handing, returns
from custody.estimate import Estimate, absolute, relative, times
from custody.events import Micros
from custody.held import Carried, Held
from custody.knowledge import Amount, Cause
from custody.lot_book import LotBook
from custody.lot_rows import Flow, PlaceRow
from custody.metrology import dryness
from custody.place import lay_there
from custody.postings import Context, of_feed
from custody.provenance import carried_of
from custody.reading import Known
from custody.rows import Fed


class AsFed(NamedTuple):
    """What an input into a process rests on.

    Attributes:
        context: With what is known of the material that went in.
        carried: What that material carries.
        generation: One more than the largest of what had been handed over with it.
        without: Causes of what processes handed over that it does not rest on.
        back: When the lot came back after it, None where never.
    """

    context: Context
    carried: Carried
    generation: int
    without: frozenset[str] = frozenset()
    back: Micros | None = None


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
        self._found: dict[tuple[frozenset[str], Micros | None], AsFed] = {}

    def known_of(self, fed: Fed) -> AsFed:
        """Return what an input rests on: of a lot that came back, what was known before that."""
        if not self._comes_back:
            return self._now
        rests_on = {held.cause for held in returns.before(fed, self._own, self._given)}
        back = returns.came_back(fed, self._own, self._given)
        return self._without({held.cause for held in self._given} - rests_on, back)

    def _without(self, causes: Collection[str], back: Micros | None) -> AsFed:
        without = frozenset(causes)
        if not without and back is None:
            return self._now
        key = without, back
        if key not in self._found:
            given = [held for held in self._given if held.cause not in without]
            context = self._now.context
            self._found[key] = AsFed(
                context._replace(knowledge=self._known.given(given, back)),
                carried_of(self._book, context.references, self._known.parts(given)),
                handing.generation_after(given),
                without,
                back,
            )
        return self._found[key]

    def wet_there(self, fed: Fed, earlier: Sequence[Fed]) -> int:
        """Return what lay at its site for an input that states no mass, grams.

        It rests on no more than its other figures do. A mass that follows from an output that
        follows from the mass goes round without an end, and no generation counts the rounds.

        Args:
            fed: The input.
            earlier: The inputs before it in canonical order, whose flows are at their places.
        """
        if _states_mass(fed):
            return 0
        place = self._book.place(fed.site)
        if without := self.known_of(fed).without:
            here = [one for one in earlier if one.site == fed.site]
            place = replace(place, flows=self._found_by(place, without, here))
        return lay_there(place, fed.at, self._now.context)

    def _found_by(
        self, place: PlaceRow, without: frozenset[str], earlier: Sequence[Fed]
    ) -> dict[str, Flow]:
        """Return what came and went at a place for an input that does not rest on all of it.

        An earlier input that rests on some of that is taken anew, without it: it cannot have
        taken what had not come.
        """
        left_out = {*without, *(one.event_id for one in earlier)}
        flows = {key: flow for key, flow in place.flows.items() if key not in left_out}
        for one in earlier:
            rests_on = self.known_of(one)
            own = rests_on.without
            if without <= own:
                # One that is frozen before it ever moved anything has no flow.
                stands = place.flows.get(one.event_id)
                flows |= {} if stands is None else {one.event_id: stands}
                continue
            wet = 0
            if not _states_mass(one):
                came = {key: flow for key, flow in flows.items() if key not in own}
                wet = lay_there(replace(place, flows=came), one.at, self._now.context)
            known = self._without(without | own, rests_on.back)
            made, _, _ = of_feed(one, wet, None, known.context)
            flows |= {key: flow for _, key, flow in made.flows}
        return flows


def _states_mass(fed: Fed) -> bool:
    return fed.side.wet is not None or fed.side.dry is not None


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
    held = handing.held(cause, ends, known.generation, amount, estimates, known.carried)
    return held._replace(expected=tuple(sorted(knowledge.expected)), kind=fed.side.kind)


def _milligrams(grams: Estimate) -> Estimate:
    return grams._replace(value=grams.value * 1000.0)
