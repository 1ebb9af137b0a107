"""A batch process: all of its inputs become all of its outputs, losses and rests.

Every step derives it whole: any side and any input changes every output. An output moves its own
declared mass; its metals are its share of what went in, by dry mass, times what the kind recovers.
What a lot's own certificates say of an output afterwards (*measured*) is given back to the process
and changes no mass, no metal and no origin; by a key of metals it divides attributes anew.

Source:
    docs/ledger.md, "Processes".
"""

from collections.abc import Mapping, Sequence

from custody import accounts, batch_findings, handing
from custody import carried as travelling
from custody.allocation import allocated, as_measured, key_of
from custody.batch_findings import Books, Lack, Out
from custody.doubts import Doubt
from custody.estimate import NOTHING, relative
from custody.handing import GENERATIONS_MAX, amounts_of
from custody.held import Carried, Held, Posted
from custody.kinds import Kind
from custody.knowledge import Amount
from custody.process import (
    RECOVERY_U_REL,
    Estimates,
    Standing,
    doubts_of,
    dry_share,
    expected_of,
    frozen,
    held_estimates,
    side_mass,
    staged,
    stated_of,
    unmeasured,
)
from custody.process_known import leaving, less, output_known, source_of, whole_of
from custody.process_rows import OutRow
from custody.process_settle import Outcome
from custody.reference import References

METAL_MG_MAX = 10**16
"""Milligrams in the greatest mass that schemas allow: a gram that went in by mistake and ten
million tonnes that came out would otherwise be a number no record can hold."""


def mixed_inputs(given: Mapping[str, Held], kind: Kind) -> Carried:
    """Return what the inputs carry together, weighted as the kind weighs."""
    key = kind.key_analyte if kind.separating else None
    by_key = [held.metals.get(key or "", (0, 0.0, {}))[0] for held in given.values()]
    heavy = key is not None and any(value > 0 for value in by_key)
    return travelling.mixture(
        [
            (
                float(max(by_key[index] if heavy else held.dry, 0)),
                {analyte: value for analyte, (value, _, _) in held.metals.items()},
                held.carried,
            )
            for index, held in enumerate(given.values())
        ]
    )


class Batch:
    """Derives what should stand for one batch process; used once.

    Args:
        process_id: The process.
        kind: What it does.
        sides: Those that stand, in canonical order.
        given: What lots handed in, by cause, in order of causes.
        references: Countries and prices.

    Attributes:
        outcomes: What should stand, by number of the side.
        whole: Everything that went in.
        source: Name of its dry share among uncertainties.
        known: How well what is left is known.
        carried: Shares of what went in.
        closed: A close stands.
        doubted: It is closed and does not fit, as far as is known; inputs may be on their way.
        lack: It is open, and more went out than came in.
    """

    __slots__ = (
        "_account",
        "_amounts",
        "_dry",
        "_given",
        "_kind",
        "_marked",
        "_measured",
        "_process_id",
        "_references",
        "_sides",
        "_wet",
        "carried",
        "closed",
        "doubted",
        "known",
        "lack",
        "outcomes",
        "source",
        "whole",
    )

    def __init__(
        self,
        process_id: str,
        kind: Kind,
        sides: Sequence[Standing],
        given: tuple[Mapping[str, Held], Mapping[str, Held]],
        references: References,
    ) -> None:
        self._process_id = process_id
        self._account = accounts.process(process_id)
        self._kind = kind
        self._sides = sides
        self._given, self._measured = given
        self._references = references
        self.source = source_of(process_id)
        self.whole = whole_of(self._given, self.source)
        self._wet, self._dry = self.whole.wet, self.whole.dry
        self._amounts: dict[str, int] = dict(self.whole.metals)
        self.known = self.whole.known
        self.carried = mixed_inputs(self._given, kind)
        self._marked = unmeasured(self._given.values())
        self.closed = any(one.side.part == "close" for one in sides)
        self.outcomes: dict[int, Outcome] = {}
        self.doubted: Doubt | None = None
        self.lack: Lack | None = None

    def derive(self, before: Mapping[int, OutRow]) -> None:
        """Derive everything.

        Args:
            before: What stands now, by number of the side: deep in a ring it stays.
        """
        for name, value in self.carried.attributes.items():
            self._amounts[name] = self._amounts.get(name, 0) + value
        for one in self._sides:
            found = doubts_of(one.side, one.cause, one.site, self._kind, self._references)
            self.outcomes[one.number] = Outcome(carried=self.carried, findings=found)
        self._add()
        self._put_out(before)
        self._lose()
        for held in self._measured.values():
            self._take(Amount(held.wet, held.dry, amounts_of(held)), -1)
        if self.closed:
            self._close([one for one in self._sides if one.side.part == "close"][-1])
        else:
            self.lack = batch_findings.lacking(self._books(self._left()))

    def _take(self, amount: Amount, sign: int) -> None:
        """Take what leaves from what is left; a sign of -1 puts it back."""
        self._wet -= sign * amount.wet
        self._dry -= sign * amount.dry
        for name, value in amount.amounts.items():
            self._amounts[name] = self._amounts.get(name, 0) - sign * value

    def _post(self, kind: str, one: Standing, ends: tuple[str, str], amount: Amount) -> None:
        self._take(amount, 1 if ends[0] == self._account else -1)
        cause = one.cause
        self.outcomes[one.number].postings[f"{kind}|{cause.event_id}"] = Posted(
            ends[0],
            ends[1],
            amount.wet,
            amount.dry,
            amount.amounts,
            cause.at,
            None,
            self._process_id,
        )

    def _of(self, part: str) -> list[Standing]:
        return [one for one in self._sides if one.side.part == part]

    def _mass(self, one: Standing) -> tuple[int, int]:
        whole = self.whole
        return side_mass(one.side, dry_share(whole.wet, whole.dry))

    def _add(self) -> None:
        """Post what the plant itself adds; stated per mass, it is per what went in."""
        whole = self.whole
        for one in self._of("added"):
            added: dict[str, int] = {}
            for name, amount, per in one.side.attributes:
                value = travelling.micro(amount, per, (whole.wet, whole.dry, whole.metals))
                added[name] = added.get(name, 0) + value
            ends = accounts.origin(one.site), self._account
            self._post("added", one, ends, Amount(0, 0, added))

    def _put_out(self, before: Mapping[int, OutRow]) -> None:
        """Post outputs and say what each hands to its lot."""
        outputs = [one for one in self._of("output") if one.side.lot is not None]
        for one in self._of("output"):
            if one.side.lot is None:
                self.outcomes[one.number].findings["output_without_lot"] = (
                    "The output names no lot; it stays in the process."
                )
        generation = handing.generation_after(self._given.values())
        too_deep = generation > GENERATIONS_MAX
        # By event_id: the last in this order takes what rounding leaves.
        outputs.sort(key=lambda one: one.cause.event_id)
        amounts = self._expected(outputs)
        if too_deep:
            amounts = [
                frozen(one, amount, before[one.number], self.outcomes[one.number].findings)
                for one, amount in zip(outputs, amounts, strict=True)
            ]
        for one, amount in zip(outputs, amounts, strict=True):
            lot = one.side.lot or ""
            self._post("process_output", one, (self._account, accounts.lot(lot, one.site)), amount)
            self._hand(one, amount, generation)
            self.outcomes[one.number].frozen = too_deep

    def _expected(self, outputs: Sequence[Standing]) -> list[Amount]:
        """Return what outputs get: metals by dry mass, attributes by the kind's key."""
        masses = [self._mass(one) for one in outputs]
        dry_out = sum(self._mass(one)[1] for one in self._of("output"))
        metals = [self._metals(dry, dry_out) for _, dry in masses]
        amounts = [Amount(wet, dry, m) for (wet, dry), m in zip(masses, metals, strict=True)]
        if self.closed and not self._kind.separating:
            amounts = self._rounded_off(amounts)
        if not amounts:
            return amounts
        # One date for all: prices that move between outputs would say which came out when.
        whole, at = self.whole, min(one.cause for one in outputs).at
        key = key_of(self._kind, whole.metals, lambda name: self._references.price(name, at))
        pool = travelling.attributes_of(self._amounts)
        open_key = None if self.closed else key(whole.dry, whole.metals)
        known = [
            as_measured(amount, self._measured.get(one.cause.event_id))
            for one, amount in zip(outputs, amounts, strict=True)
        ]
        shares = allocated(pool, known, key, open_key)
        return [
            amount._replace(amounts=amount.amounts | attributes)
            for amount, attributes in zip(amounts, shares, strict=True)
        ]

    def _metals(self, dry: int, dry_out: int) -> dict[str, int]:
        metals = self.whole.metals
        if self._kind.separating:
            share = self._kind.recovered
            return {
                name: _metal(value * share(name) * dry, dry_out) for name, value in metals.items()
            }
        return {name: _metal(value * dry, self.whole.dry) for name, value in metals.items()}

    def _rounded_off(self, amounts: list[Amount]) -> list[Amount]:
        """Give the last output what rounding left, where the outputs take all there is."""
        count, whole = len(amounts), self.whole
        dry = whole.dry - sum(amount.dry for amount in amounts)
        if not amounts or abs(dry) > count:
            return amounts
        wet = whole.wet - sum(amount.wet for amount in amounts)
        last = amounts[-1]
        metals = dict(last.amounts)
        for name, value in whole.metals.items():
            rest = value - sum(amount.amounts[name] for amount in amounts)
            if abs(rest) <= count:
                metals[name] += rest
        wet = last.wet + (wet if abs(wet) <= count else 0)
        return [*amounts[:-1], Amount(wet, last.dry + dry, metals)]

    def _hand(self, one: Standing, amount: Amount, generation: int) -> None:
        """Say what an output hands to its lot; what is left is known by what it was measured to be.

        A lot tells (handed) - (measured) with the uncertainty of what it measured.
        """
        expected = dict.fromkeys(self.whole.metals, RECOVERY_U_REL)
        known = self._known_of(one, amount, expected)
        measured = self._measured.get(one.cause.event_id)
        taken = known
        if measured is not None:
            told = held_estimates(measured)
            taken = Estimates(told.wet, told.dry, {**known.metals, **told.metals})
        self.known = less(self.known, taken)
        carried = staged(self.carried, self._kind.stage, one.site, self._references, one.cause)
        outcome = self.outcomes[one.number]
        outcome.carried = carried
        outcome.handed = handing.held(
            one.cause,
            ("lot/" + (one.side.lot or ""), one.site),
            generation,
            amount,
            known,
            carried,
        )._replace(
            stated=stated_of(one.side),
            expected=expected_of(amount.amounts, self._kind, self._marked),
        )

    def _known_of(self, one: Standing, amount: Amount, expected: Mapping[str, float]) -> Estimates:
        """Return how well what went out is known: its mass as stated, its metals as the inputs'.

        Of a separation also how far the metal may be from what is expected, relative.
        """
        metals, whole = travelling.metals_of(amount.amounts), self.whole
        return output_known(
            leaving(one, amount.wet, amount.dry, self._references),
            metals,
            {name: relative(whole.known.metals.get(name, NOTHING)) for name in metals},
            whole.share,
            expected if self._kind.separating else None,
        )

    def _lose(self) -> None:
        """Post declared losses; what a separation does not recover goes with them."""
        kind, whole = self._kind, self.whole
        losses = self._of("loss")
        masses = [self._mass(one) for one in losses]
        lost = sum(dry for _, dry in masses) if kind.separating else whole.dry
        for one, (wet, dry) in zip(losses, masses, strict=True):
            metals: dict[str, int] = {}
            for name, value in whole.metals.items():
                left = value * (1.0 - kind.recovered(name)) if kind.separating else value
                metals[name] = _metal(left * dry, lost)
            to = accounts.loss(self._process_id, one.side.loss_kind or "other")
            amount = Amount(wet, dry, metals)
            self._post("loss", one, (self._account, to), amount)
            self.known = less(self.known, self._known_of(one, amount, self._lost_u()))

    def _lost_u(self) -> dict[str, float]:
        """Return how well a metal is known that a separation is expected to lose, relative.

        What is not recovered is what went in less what is: little that is lost is known badly.
        """
        recovered = {name: self._kind.recovered(name) for name in self.whole.metals}
        return {
            name: RECOVERY_U_REL * share / (1.0 - share)
            for name, share in recovered.items()
            if share < 1.0
        }

    def _close(self, close: Standing) -> None:
        """Post the rest: what a chemical kind turned into something else, then the unaccounted."""
        if self._kind.chemical:
            to = accounts.conversion(self._process_id)
            rest = Amount(self._wet, self._dry, {})
            self._post("conversion", close, (self._account, to), rest)
        rest = self._left()
        self._find(close, rest)
        to = accounts.unaccounted(self._process_id)
        self._post("close", close, (self._account, to), rest)
        self.known = Estimates(NOTHING, NOTHING, {})

    def _left(self) -> Amount:
        return Amount(self._wet, self._dry, dict(self._amounts))

    def _find(self, close: Standing, rest: Amount) -> None:
        """Find what does not fit, now that nothing more is to come."""
        if found := batch_findings.at_close(self._books(rest)):
            self.doubted = Doubt(close.number, close.cause.event_id, found)

    def _books(self, rest: Amount) -> Books:
        outs = [
            Out(one, self.outcomes[one.number], self._measured.get(one.cause.event_id))
            for one in self._sides
            if one.side.part in ("output", "loss")
        ]
        whole = self.whole.dry, self.whole.metals
        return Books(self._kind, self._given.values(), whole, rest, self.known, outs)


def _metal(product: float, whole: int) -> int:
    """Return a share of a metal, milligrams, half-even and within ``METAL_MG_MAX``."""
    if whole <= 0:
        return 0
    return max(min(round(product / whole), METAL_MG_MAX), -METAL_MG_MAX)
