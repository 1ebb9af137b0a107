"""A continuous node: a stockpile, tank or circuit that never closes. What lies there is its state.

Events are applied one after the other in order of time. Material lies in layers, one where mixing
is perfect; what goes out takes from them. The books of the node may hold more or less than its
layers: an output beyond what is there leaves a debt, what separated outputs hold is known only
when they are measured, rain makes a pile heavier. All that is *loose*: it has no composition, and
the next measurement of the stock ends it.

Source:
    docs/ledger.md, "Continuous nodes"; docs/adr/0014-keep-continuous-nodes-in-pages.md
"""

from collections.abc import Mapping

from custody import accounts, handing, layer_known, metal_books, node_known, survey
from custody import carried as travelling
from custody.allocation import of_node
from custody.estimate import NOTHING, Estimate, add
from custody.handing import GENERATIONS_MAX
from custody.held import Carried, Held, Posted
from custody.kinds import FIFO, Kind
from custody.knowledge import Amount
from custody.layers import attach, blend, cut, first_out, resized, settle
from custody.metal_books import Went
from custody.metrology import wet_of
from custody.process import (
    Estimates,
    Standing,
    doubts_of,
    dry_share,
    exceeds,
    expected_of,
    frozen,
    held_estimates,
    lacking,
    side_mass,
    staged,
    stated_of,
    tonnes,
)
from custody.process_known import (
    Leaving,
    dry_known,
    leaving,
    output_known,
    states_material,
)
from custody.process_rows import Layer, OutRow, StateRow
from custody.process_settle import Outcome
from custody.reference import References
from custody.rows import Side

METAL_MG_PER_G_MAX = 1000
"""Milligrams of metal in a gram of dry mass: no material holds more."""


class Node:
    """A continuous node while events are applied to it.

    Args:
        process_id: The process.
        kind: What it does.
        state: What lies there; changed in place.
        references: Countries.
    """

    __slots__ = ("_account", "_kind", "_process_id", "_references", "state")

    def __init__(
        self, process_id: str, kind: Kind, state: StateRow, references: References
    ) -> None:
        self._process_id = process_id
        self._account = accounts.process(process_id)
        self._kind = kind
        self._references = references
        self.state = state

    @property
    def dry(self) -> int:
        """Grams of dry mass in the layers."""
        return sum(layer.dry for layer in self.state.layers)

    def put_in(self, held: Held) -> None:
        """Let an input arrive."""
        state = self.state
        metals = {analyte: value for analyte, (value, _, _) in held.metals.items()}
        known = held_estimates(held)
        material = layer_known.arrived(known, held.cause)
        # Where older layers differ the newest did when it came.
        newest = next((layer.metals for layer in reversed(state.layers) if layer.dry > 0), metals)
        state.layers.append(Layer(held.wet, held.dry, metals, held.carried, material))
        layers, before = list(state.layers), layer_known.in_books(state.layers)
        beside = sum(travelling.size_of(parts) for _, parts in state.metals_u.values())
        settle(state.layers, self._kind, beside)
        node_known.arrive(state, known, before)
        metal_books.arrive(state, known, layers)
        state.generation = max(state.generation, held.generation)
        partly = lacking([newest, metals]) if held.dry > 0 else set[str]()
        state.expected = tuple(sorted({*state.expected, *held.expected, *partly}))
        self._happened(held.place)

    def apply(self, one: Standing, measured: Held | None, before: OutRow) -> Outcome:
        """Let a side happen and return what should stand for it.

        Args:
            one: The side.
            measured: What its lot gives back of it, having been measured.
            before: What stands for it now: deep in a ring it stays.
        """
        found = doubts_of(one.side, one.cause, one.site, self._kind, self._references)
        outcome = Outcome(findings=found)
        match one.side.part:
            case "output":
                self._put_out(one, measured, before, outcome)
            case "loss":
                self._lose(one, outcome)
            case "added":
                self._add(one, outcome)
            case "stock":
                self._measure(one, outcome)
            case _:
                return outcome
        if measured is not None:
            self._give_back(measured)
        self._happened(one.site)
        return outcome

    def carried(self) -> Carried:
        """Return what the layers carry together."""
        return travelling.plain(blend(self.state.layers, self._kind).carried)

    def known(self, amounts: Mapping[str, int]) -> Estimates:
        """Return how well what is in the node's books is known.

        Args:
            amounts: Metals in the books, milligrams.
        """
        state = self.state
        there = metal_books.booked(state, self._process_id)
        metals = {name: there.get(name, NOTHING) for name in travelling.metals_of(amounts)}
        masses = node_known.booked(state, self._process_id)
        return Estimates(Estimate(0.0, *state.wet_u), masses, metals)

    def _happened(self, place: str) -> None:
        """Note that something happened; loose attributes go to what leaves next, if it is there."""
        state = self.state
        state.begun, state.place = True, place
        if not state.layers:
            state.expected = ()
        attributes = travelling.attributes_of(state.loose)
        if state.layers and attributes:
            self._loosen(attributes, -1)
            attach(state.layers, attributes)

    def _metal(self, analyte: str) -> int:
        return sum(layer.metals.get(analyte, 0) for layer in self.state.layers)

    @property
    def _wet(self) -> int:
        return sum(layer.wet for layer in self.state.layers)

    def _mass(self, side: Side) -> tuple[int, int]:
        """Return wet and dry grams of a side; the dry share is that of the layers it is taken from.

        Whatever rain did, it is no other. A survey is of all layers.
        """
        if side.part == "stock":
            return side_mass(side, dry_share(self._wet, self.dry))
        return side_mass(side, dry_share(*first_out(self.state.layers, side.wet, side.dry)))

    def _draw(self, dry: int) -> list[Layer]:
        """Take dry mass out of the layers, oldest first, at most all of it, and return it."""
        state, there = self.state, self.dry
        taken: list[Layer] = []
        wanted = dry
        while state.layers and wanted > 0 and wanted >= state.layers[0].dry:
            taken.append(state.layers.pop(0))
            wanted -= taken[-1].dry
        if dry >= there > 0:
            taken.extend(state.layers)
            state.layers.clear()
        elif wanted > 0 and state.layers:
            part, state.layers[0] = cut(state.layers[0], wanted)
            taken.append(part)
        return taken

    def _put_out(
        self, one: Standing, measured: Held | None, before: OutRow, outcome: Outcome
    ) -> None:
        """Post an output and say what it hands to its lot."""
        state = self.state
        if one.side.lot is None:
            outcome.findings["output_without_lot"] = (
                "The output names no lot; it stays in the process."
            )
            return
        wet, dry = self._mass(one.side)
        out = leaving(one, wet, dry, self._references)
        self._judge(out, outcome)
        books = self._books()
        taken = self._draw(dry)
        drawn = blend(taken, self._kind)
        amount = Amount(wet, dry, {} if self._kind.separating else drawn.metals)
        by_key = of_node(self._kind, books, amount, measured, (self._references, one.cause.at))
        carries = drawn.carried.attributes if by_key is None else by_key
        amount = amount._replace(amounts=amount.amounts | carries)
        generation = state.generation + 1
        if generation > GENERATIONS_MAX:
            outcome.frozen = True
            amount = frozen(one, amount, before, outcome.findings)
        expected = expected_of(amount.amounts, self._kind, state.expected)
        self._let_go(drawn, amount)
        ends = self._account, accounts.lot(one.side.lot, one.site)
        self._post("process_output", one, ends, amount, outcome)
        known = self._leave(out, amount, measured, taken)
        carried = travelling.rounded(travelling.plain(drawn.carried))
        outcome.carried = staged(carried, self._kind.stage, one.site, self._references, one.cause)
        ends = "lot/" + one.side.lot, one.site
        handed = handing.held(one.cause, ends, generation, amount, known, outcome.carried)
        handed = handed._replace(stated=stated_of(one.side), expected=expected)
        outcome.handed = handing.rounded(handed)

    def _leave(
        self, out: Leaving, amount: Amount, measured: Held | None, taken: list[Layer]
    ) -> Estimates:
        """Let what was taken of layers leave the books, and return how well it is known."""
        metals = travelling.metals_of(amount.amounts)
        share, grades = layer_known.together(taken, self._process_id)
        grades = {name: grades.get(name, NOTHING) for name in metals}
        known = output_known(out, metals, grades, share)
        node_known.leave(self.state, out, measured, taken)
        went = {name: Went(one, measured=False) for name, one in known.metals.items()}
        if measured is not None:
            found = held_estimates(measured).metals
            went |= {name: Went(one, measured=True) for name, one in found.items()}
        metal_books.leave(self.state, self._process_id, taken, went)
        return known

    def _judge(self, leaves: Leaving, outcome: Outcome) -> None:
        """Find an output of more than is there, beyond what measurements explain."""
        share, _ = node_known.pooled(self.state.layers, self._process_id)
        out = dry_known(leaves, share)
        beyond = add(out, node_known.booked(self.state, self._process_id), -1.0)
        if exceeds(beyond.value, beyond):
            outcome.findings["output_exceeds_content"] = (
                f"{tonnes(out.value)} of dry mass went out of {tonnes(self.dry)} that were there."
            )

    def _lose(self, one: Standing, outcome: Outcome) -> None:
        """Post a declared loss: it takes metals where nothing is separated, attributes never."""
        wet, dry = self._mass(one.side)
        taken = self._draw(dry)
        drawn = blend(taken, self._kind)
        metals = {} if self._kind.separating else drawn.metals
        amount = Amount(wet, dry, metals)
        self._let_go(drawn, amount)
        outcome.carried = travelling.rounded(travelling.plain(drawn.carried))
        to = accounts.loss(self._process_id, one.side.loss_kind or "other")
        self._post("loss", one, (self._account, to), amount, outcome)
        self._leave(leaving(one, wet, dry, self._references), amount, None, taken)

    def _let_go(self, drawn: Layer, amount: Amount) -> None:
        """Keep loose what left the layers and not the books, or the books and not the layers."""
        state = self.state
        state.wet += drawn.wet - amount.wet
        state.dry += drawn.dry - amount.dry
        self._loosen(drawn.metals | drawn.carried.attributes, 1)
        self._loosen(amount.amounts, -1)

    def _loosen(self, amounts: Mapping[str, int], sign: int) -> None:
        loose = self.state.loose
        for name, value in amounts.items():
            loose[name] = loose.get(name, 0) + sign * value
            if not loose[name]:
                del loose[name]

    def _add(self, one: Standing, outcome: Outcome) -> None:
        """Post what the plant adds; stated per mass, it is per what lies there."""
        layers = self.state.layers
        metals = {name: self._metal(name) for layer in layers for name in layer.metals}
        there = sum(layer.wet for layer in layers), self.dry, metals
        added: dict[str, int] = {}
        for name, amount, per in one.side.attributes:
            added[name] = added.get(name, 0) + travelling.micro(amount, per, there)
        self._loosen(added, 1)
        ends = accounts.origin(one.site), self._account
        self._post("added", one, ends, Amount(0, 0, added), outcome)

    def _give_back(self, measured: Held) -> None:
        """Let what an output did not hold lie in the oldest layer, as far as a layer can hold it.

        It keeps its dry share: what was measured of an output does not say how wet the rest is, so
        water is loose. Expected metals of separated outputs were never handed over: those only were
        in the books. Nor was the water of an output that states its dry mass.
        """
        state = self.state
        state.wet += measured.wet
        metals = {name: value for name, (value, _, _) in measured.metals.items()}
        self._loosen(measured.carried.attributes, 1)
        if self._kind.separating or not state.layers:
            self._loosen(metals, 1)
            metals = {}
        if not state.layers:
            state.dry += measured.dry
            return
        layer = state.layers[0]
        dry = max(layer.dry + measured.dry, 0)
        wet = wet_of(dry, dry_share(layer.wet, layer.dry))
        state.wet += layer.wet - wet
        state.dry += layer.dry + measured.dry - dry
        kept: dict[str, int] = {}
        for name in sorted(layer.metals | metals):
            there = layer.metals.get(name, 0) + metals.get(name, 0)
            kept[name] = min(max(there, 0), METAL_MG_PER_G_MAX * dry)
            self._loosen({name: there - kept[name]}, 1)
        state.layers[0] = layer._replace(wet=wet, dry=dry, metals=kept)

    def _measure(self, one: Standing, outcome: Outcome) -> None:
        """Let a measurement of the stock end a period: what is not accounted for is posted.

        The first thing that is known of a node opens it: then nothing is missing.
        """
        state = self.state
        wet, dry = self._mass(one.side)
        found = leaving(one, wet, dry, self._references)
        share, _ = node_known.pooled(state.layers, self._process_id)
        known = output_known(found, {}, {}, share)
        outcome.carried = self.carried()
        before = self._books()
        booked = node_known.booked(state, self._process_id)._replace(value=float(before.dry))
        self._scale(wet, dry)
        after = self._books()
        amounts = {
            name: before.amounts.get(name, 0) - after.amounts.get(name, 0)
            for name in sorted(before.amounts | after.amounts)
        }
        rest = Amount(before.wet - after.wet, before.dry - after.dry, amounts)
        if state.begun:
            ends = self._account, accounts.unaccounted(self._process_id)
            self._post("stock", one, ends, rest, outcome)
            if said := survey.unaccounted(self._kind, known.dry, booked):
                outcome.findings["stock_unaccounted"] = said
        else:
            opened = Amount(-rest.wet, -rest.dry, {})
            ends = accounts.origin(one.site), self._account
            self._post("opening", one, ends, opened, outcome)
        cause = one.cause.event_id if self._kind.mixing == FIFO else ""
        node_known.survey(state, found, cause if states_material(one.side) else None)

    def _books(self) -> Amount:
        """Return all that is in the node: its layers and what is loose."""
        state = self.state
        amounts = dict(state.loose)
        for layer in state.layers:
            for name, value in (layer.metals | layer.carried.attributes).items():
                amounts[name] = amounts.get(name, 0) + value
        wet = state.wet + sum(layer.wet for layer in state.layers)
        return Amount(wet, state.dry + self.dry, amounts)

    def _scale(self, wet: int, dry: int) -> None:
        """Make the layers what was measured, and keep nothing loose that they could hold.

        Attributes stay: a survey says how much lies there, not what was burnt for it. So do the
        differences in moisture: a survey says how wet all is together.
        """
        state, there, were = self.state, self.dry, [layer.wet for layer in self.state.layers]
        state.loose = travelling.attributes_of(state.loose)
        if there > 0 and dry > 0:
            state.layers = [resized(layer, dry, there) for layer in state.layers]
        else:
            for layer in state.layers:
                self._loosen(layer.carried.attributes, 1)
            state.layers = [Layer(wet, dry, {}, travelling.NOTHING_CARRIED)] if dry > 0 else []
            were = [wet]
        whole = sum(were)
        for number, (layer, was) in enumerate(zip(state.layers, were, strict=False)):
            part = was / whole if whole > 0 else layer.dry / dry
            state.layers[number] = layer._replace(wet=round(wet * part))
        state.wet = wet - sum(layer.wet for layer in state.layers)
        state.dry = dry - self.dry

    def _post(
        self, kind: str, one: Standing, ends: tuple[str, str], amount: Amount, outcome: Outcome
    ) -> None:
        cause = one.cause
        outcome.postings[f"{kind}|{cause.event_id}"] = Posted(
            ends[0],
            ends[1],
            amount.wet,
            amount.dry,
            amount.amounts,
            cause.at,
            None,
            self._process_id,
        )
