"""Continuous nodes: what lies there, event by event in order of effective time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custody.events import MaterialProcessed
from tests.support.oracle.amounts import (
    Amounts,
    Carried,
    Handed,
    added,
    is_attribute,
    is_metal,
    mixture,
)
from tests.support.oracle.postings import Posting, account_of
from tests.support.oracle.processes import CLEAR_EXCESS, Answers, Process, Side
from tests.support.oracle.refs import References

LAYERS_MAX = 64
DRY_SHARE_MIN = 0.001


@dataclass
class Layer:
    """Material that lies there with what it carries."""

    amounts: Amounts
    carried: Carried

    @property
    def dry(self) -> int:
        return self.amounts.get("dry", 0)


class Node(Process):
    """A stockpile, or any process that never closes.

    Its layers are what lies there: one of them where mixing is perfect. ``loose`` is what its books
    hold beside them, without composition: what left the one and not the other. ``came`` is what
    has come since nothing lay there.
    """

    def __init__(
        self,
        process_id: str,
        facts: Sequence[MaterialProcessed],
        inputs: list[Handed],
        refs: References,
        rules: Mapping[str, bool],
        answers: Answers,
    ) -> None:
        super().__init__(process_id, facts, inputs, refs, rules, answers)
        self.outputs: list[Side] = []
        self.layers: list[Layer] = []
        self.loose: Amounts = {}
        self.came: list[Handed] = []
        self.fifo = self.body.get("mixing", "perfect") == "fifo"
        events: list[tuple[tuple[int, str], Handed | MaterialProcessed]] = []
        events += [((one.at, one.cause), one) for one in self.inputs]
        events += [((f.occurred_at, f.event_id), f) for f in self.facts]
        for _, event in sorted(events, key=lambda pair: pair[0]):
            if isinstance(event, Handed):
                self.came.append(event)
                self._put(Layer(dict(event.amounts), event.carried))
            else:
                self._apply(event)
            self._attach()
            self.came = self.came if self.layers else []

    def gives(self) -> list[tuple[str, Handed]]:
        return [(str(side.fact.output_lot_id), self.handed(side)) for side in self.outputs]

    def _put(self, layer: Layer) -> None:
        self.layers.append(layer)
        if not self.fifo:
            self._join(0, len(self.layers))
        while len(self.layers) > LAYERS_MAX:
            pairs = range(len(self.layers) - 1)
            least = min(pairs, key=lambda at: self.layers[at].dry + self.layers[at + 1].dry)
            self._join(least, least + 2)

    def _join(self, first: int, end: int) -> None:
        some = [(layer.amounts, layer.carried) for layer in self.layers[first:end]]
        whole = added(*((1, amounts) for amounts, _ in some))
        self.layers[first:end] = [Layer(whole, mixture(some, self.weight))]

    def _apply(self, fact: MaterialProcessed) -> None:
        if fact.part == "added":
            amounts = {"wet": 0, "dry": 0} | self.added_by_plant(
                fact, added(*((1, layer.amounts) for layer in self.layers))
            )
            ends = f"origin/{fact.site_id}", self.account
            self.postings.append(Posting("added", fact.event_id, *ends, amounts))
            self.loose = added((1, self.loose), (1, amounts))
        elif fact.part == "stock":
            self._stock(fact)
        elif fact.part == "loss":
            side = self._taken(fact, lost=True)
            self._say("loss", side, f"loss/{self.process_id}/{fact.loss_kind}")
        elif fact.part == "output" and fact.output_lot_id:
            side = self._taken(fact)
            side.carried = self.staged(side.carried, fact.site_id)
            side.expected = self.expected_of(side, self.came)
            self.outputs.append(side)
            self._say("process_output", side, account_of(fact.output_lot_id, fact.site_id))

    def _say(self, kind: str, side: Side, target: str) -> None:
        self.postings.append(Posting(kind, side.id, self.account, target, side.amounts))

    def _here(self) -> Amounts:
        return added(*((1, layer.amounts) for layer in self.layers))

    def _side(self, fact: MaterialProcessed) -> Side:
        """A side as dry as what it is taken from: the first to leave, or all that is surveyed."""
        here = self._here() if fact.part == "stock" else self._first(fact)
        wet = here.get("wet", 0)
        return self.side(fact, here["dry"] / wet if wet > 0 else None)

    def _first(self, fact: MaterialProcessed) -> Amounts:
        name = "wet" if fact.mass_dry_g is None else "dry"
        wanted = int(fact.mass_wet_g or 0) if fact.mass_dry_g is None else fact.mass_dry_g
        found = {"wet": 0, "dry": 0}
        for layer in self.layers:
            has = {n: layer.amounts.get(n, 0) for n in found}
            if has[name] > wanted:
                found = {n: v + round(has[n] * wanted / has[name]) for n, v in found.items()}
                break
            found = {n: v + has[n] for n, v in found.items()}
            wanted -= max(has[name], 0)
        return found

    def _taken(self, fact: MaterialProcessed, *, lost: bool = False) -> Side:
        side = self._side(fact)
        there = self._here().get("dry", 0)
        if side.dry > there:
            clear = side.dry > (1 + CLEAR_EXCESS) * there
            (self.findings if clear else self.unclear).add("output_exceeds_content")
        books = added((1, self._here()), (1, self.loose))
        took: list[tuple[Amounts, Carried]] = []
        wanted = side.dry
        for layer in self.layers:
            if wanted > 0:
                part = 1.0 if layer.dry <= wanted else wanted / layer.dry
                amounts = {n: round(v * part) for n, v in layer.amounts.items()}
                layer.amounts = added((1, layer.amounts), (-1, amounts))
                wanted -= amounts["dry"]
                took.append((amounts, layer.carried))
        self.layers = [layer for layer in self.layers if any(layer.amounts.values())]
        whole = added(*((1, amounts) for amounts, _ in took))
        side.amounts = whole | side.masses()
        if self.kind.separated:
            side.amounts = {n: v for n, v in side.amounts.items() if not is_metal(n)}
        if lost:
            side.amounts = {n: v for n, v in side.amounts.items() if not is_attribute(n)}
        side.carried = mixture(took, self.weight) if took else Carried()
        back = {} if lost else self.given_back(side)
        side.amounts |= self._by_key(side, books, back)
        self.loose = added((1, self.loose), (1, whole), (-1, side.amounts))
        self._come_back(back)
        return side

    def _by_key(self, side: Side, books: Amounts, back: Amounts) -> Amounts:
        """The attributes a measured output takes of all in the books; nothing where mass divides.

        A certificate of nothing that counts says nothing of an output without metals of its own.
        """
        counts = self.counts(side.fact.occurred_at)
        if not any(name in back and books.get(name) is not None for name in counts):
            return {}
        known = added((1, side.amounts), (-1, back))
        whole = sum(books.get(name, 0) * one for name, one in counts.items())
        if whole <= 0 or all(books.get(name, 0) <= 0 for name in counts):
            return {}
        mine = sum(known.get(name, 0) * one for name, one in counts.items() if name in books)
        mine = min(max(mine, 0), whole)
        return {n: round(v * mine / whole) for n, v in books.items() if is_attribute(n)}

    def _come_back(self, back: Amounts) -> None:
        """What an output did not hold lies in the oldest layer, which stays as wet as it is.

        A layer has no less than nothing and at most a gram of a metal per gram; the rest is loose.
        """
        self.loose = added((1, self.loose), (1, back))
        if not self.layers:
            return
        had = self.layers[0].amounts
        share = min(max(had["dry"] / had["wet"], 0.0), 1.0) if had.get("wet", 0) > 0 else 1.0
        dry = max(had.get("dry", 0) + back.get("dry", 0), 0)
        now = {"wet": round(dry / share) if share >= DRY_SHARE_MIN else dry, "dry": dry}
        for name in had.keys() | back.keys():
            if is_metal(name):
                more = 0 if self.kind.separated else back.get(name, 0)
                now[name] = min(max(had.get(name, 0) + more, 0), 1000 * dry)
        if any(back.values()):
            self.layers[0].amounts = had | now
            self.loose = added((1, self.loose), (1, had), (-1, self.layers[0].amounts))

    def _attach(self) -> None:
        """Attributes that are loose are the oldest layer's, as soon as there is one.

        What is owed the oldest that hold it pay.
        """
        for name, value in attributes(self.loose).items() if self.layers else ():
            self.loose[name] = 0
            rest = value
            for layer in self.layers:
                has = layer.amounts.get(name, 0)
                pays = min(abs(has), abs(rest)) if has * rest < 0 else 0
                layer.amounts[name] = has + (pays if has < 0 else -pays)
                rest += pays if has > 0 else -pays
            self.layers[0].amounts[name] = self.layers[0].amounts.get(name, 0) + rest

    def _stock(self, fact: MaterialProcessed) -> None:
        """The layers become what was measured at the grades they had; nothing else stays loose.

        The wet mass is parted as it lay: each layer stays so much wetter than the others.

        A survey finds no emissions: what the pile carries of them stays with what is left.
        """
        side = self._side(fact)
        books = added((1, self._here()), (1, self.loose))
        dry = self._here().get("dry", 0)
        self.loose = attributes(self.loose)
        wet = self._here().get("wet", 0)
        if dry > 0 and side.dry > 0:
            part = side.dry / dry
            for layer in self.layers:
                was = layer.amounts.get("wet", 0)
                layer.amounts = {
                    n: v if is_attribute(n) else round(v * part) for n, v in layer.amounts.items()
                }
                lay = was / wet if wet > 0 else layer.dry / side.dry
                layer.amounts["wet"] = round(side.wet * lay)
        else:
            self.loose = added((1, self.loose), (1, attributes(self._here())))
            self.layers = [Layer(side.masses(), Carried())] if side.dry > 0 else []
            self.came.append(Handed(side.id, 0, "", side.masses(), Carried()))
        rest = added((1, side.masses()), (-1, self._here()))
        self.loose |= {"wet": rest.get("wet", 0), "dry": rest.get("dry", 0)}
        moved = added((1, books), (-1, self._here()), (-1, self.loose))
        if any(moved.values()):
            target = f"unaccounted/{self.process_id}"
            self.postings.append(Posting("stock", fact.event_id, self.account, target, moved))


def attributes(amounts: Amounts) -> Amounts:
    """The attributes among amounts."""
    return {name: value for name, value in amounts.items() if is_attribute(name)}
