"""A second model of the books: simple, slow, from nothing on every call.

It repeats docs/ledger.md and shares nothing with the core but the classes of facts: lists and
loops, no state kept, no incremental step. Lots and processes are computed from each other by
recursion; a ring of them is not for this model, but for a lot that comes back from a process.

Where the rules leave a choice open the choice is named in the module that makes it.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from custody.events import Fact, MaterialProcessed, ReferenceSet
from tests.support.oracle.amounts import Amounts, Carried, Handed, added, is_attribute
from tests.support.oracle.lots import LotBooks
from tests.support.oracle.nodes import Node
from tests.support.oracle.own import Back
from tests.support.oracle.postings import Posting, sums_of
from tests.support.oracle.processes import CLEAR_EXCESS, CLEAR_MISSING, HALF, Batch, Process
from tests.support.oracle.refs import References
from tests.support.oracle.rules import RULES
from tests.support.oracle.stand import owner_of, standing, when


class Oracle:
    """The books of all lots and processes.

    Args:
        facts: All facts in any order, copies and corrections included.
        references: All reference records.
        rules: What holds beside today's rules; see ``RULES``.
    """

    def __init__(
        self,
        facts: Sequence[Fact],
        references: Sequence[ReferenceSet] = (),
        rules: dict[str, bool] | None = None,
    ) -> None:
        self.rules = RULES if rules is None else RULES | rules
        self.refs = References(references)
        self._facts: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            self._facts[owner_of(fact)].append(fact)
        self._givers: dict[str, set[str]] = defaultdict(set)
        self._feeders: dict[str, set[str]] = defaultdict(set)
        self._feeds: dict[str, list[MaterialProcessed]] = defaultdict(list)
        self._gave: dict[tuple[str, str], list[MaterialProcessed]] = defaultdict(list)
        self._handed_in: dict[str, Handed] = {}
        for owner, some in self._facts.items():
            self._link(owner, some)
        self.lots: dict[str, LotBooks] = {}
        self.processes: dict[str, Process] = {}
        self._compute()

    def _compute(self) -> None:
        for owner in {*self._facts, *map("lot/{}".format, self._givers)}:
            if owner.startswith("lot/"):
                self.lot(owner.removeprefix("lot/"))
        for owner in {*self._facts, *map("process/{}".format, self._feeders)}:
            if owner.startswith("process/"):
                self.process(owner.removeprefix("process/"))
        for process_id, process in self.processes.items():
            if isinstance(process, Batch):
                process.finish(self._measured(process_id))

    def _link(self, owner: str, facts: list[Fact]) -> None:
        for side in standing(sorted(facts, key=when)).facts:
            if not isinstance(side, MaterialProcessed):
                continue
            if owner.startswith("lot/"):
                self._feeders[side.process_id].add(str(side.lot_id))
                self._feeds[str(side.lot_id)].append(side)
            elif side.part == "output" and side.output_lot_id:
                self._givers[side.output_lot_id].add(side.process_id)
                self._gave[side.process_id, side.output_lot_id].append(side)

    def lot(self, lot_id: str) -> LotBooks:
        """The books of one lot."""
        if lot_id not in self.lots:
            givers = sorted(self._givers.get(lot_id, ()))
            handed = {giver: self._given(giver, lot_id) for giver in givers}
            facts = self._facts.get("lot/" + lot_id, [])
            inputs = self._feeds[lot_id] if self._back(lot_id) else []
            fed = {one.event_id: self._as_fed(lot_id, one) for one in inputs}
            back = Back(self._supplies(lot_id), fed)
            self.lots[lot_id] = LotBooks(lot_id, facts, handed, self.refs, self.rules, back)
        return self.lots[lot_id]

    def _given(self, process_id: str, lot_id: str) -> list[Handed]:
        gives = self.process(process_id).gives()
        return [one for receiver, one in gives if receiver == lot_id]

    def _supplies(self, lot_id: str) -> dict[tuple[str, str], int]:
        """Processes that give a lot, and the sites where they do, with when they first did."""
        found: dict[tuple[str, str], int] = {}
        for giver in self._givers.get(lot_id, ()):
            for side in self._gave[giver, lot_id]:
                key = giver, side.site_id
                found[key] = min(side.occurred_at, found.get(key, side.occurred_at))
        return found

    def _back(self, lot_id: str) -> set[str]:
        """The processes that give a lot back that went into them."""
        return self._givers.get(lot_id, set()) & {f.process_id for f in self._feeds[lot_id]}

    def _gives(self, lot_id: str, process_id: str) -> list[Handed]:
        """What a lot hands to a process; of a lot that comes back each input as it was then."""
        if not self._back(lot_id):
            return [one for receiver, one in self.lot(lot_id).gives if receiver == process_id]
        feeds = [fed for fed in self._feeds[lot_id] if fed.process_id == process_id]
        return [self._as_fed(lot_id, fed) for fed in feeds]

    def _as_fed(self, lot_id: str, fed: MaterialProcessed) -> Handed:
        """What an input hands over by what the lot had got before, whoever gave it back later."""
        if fed.event_id not in self._handed_in:
            rests_on = self._rests_on(lot_id, fed)
            before: dict[str, Handed] = {}
            for one in sorted(self._feeds[lot_id], key=when):
                if when(one) < when(fed) and one.site_id == fed.site_id:
                    # What it took stands, but for what the input must not know of.
                    its_own = self._rests_on(lot_id, one)
                    before[one.event_id] = (
                        self._as_fed(lot_id, one)
                        if its_own <= rests_on
                        else self._taken(lot_id, one, its_own & rests_on, before)
                    )
            self._handed_in[fed.event_id] = self._taken(lot_id, fed, rests_on, before)
        return self._handed_in[fed.event_id]

    def _rests_on(self, lot_id: str, fed: MaterialProcessed) -> set[str]:
        """The outputs an input rests on: of strangers all, of those it went into the earlier."""
        back = self._back(lot_id)
        return {
            side.event_id
            for giver in self._givers[lot_id] - {fed.process_id}
            for side in self._gave[giver, lot_id]
            if giver not in back or side.occurred_at < fed.occurred_at
        }

    def _returns(self, lot_id: str, fed: MaterialProcessed) -> int | None:
        """When the lot first comes out again, of any process it goes into, after an input."""
        sides = [side for giver in self._back(lot_id) for side in self._gave[giver, lot_id]]
        later = [s.occurred_at for s in sides if s.occurred_at >= fed.occurred_at]
        return min(later, default=None)

    def _taken(
        self, lot_id: str, fed: MaterialProcessed, rests_on: set[str], before: dict[str, Handed]
    ) -> Handed:
        """What an input takes where nothing but some outputs gave the lot, after other inputs."""
        handed = {}
        for giver in sorted(self._givers[lot_id]):
            # Asked for nothing a process is not asked: it may rest on this very input.
            if any(side.event_id in rests_on for side in self._gave[giver, lot_id]):
                given = self._given(giver, lot_id)
                handed[giver] = [one for one in given if one.cause in rests_on]
        facts = self._facts["lot/" + lot_id]
        back = Back(self._supplies(lot_id), before, self._returns(lot_id, fed))
        books = LotBooks(lot_id, facts, handed, self.refs, self.rules, back)
        (found,) = [one for _, one in books.gives if one.cause == fed.event_id]
        return found

    def process(self, process_id: str) -> "Batch | Node":
        """The books of one process."""
        found = self.processes.get(process_id)
        if isinstance(found, Batch | Node):
            return found
        inputs = [
            one
            for feeder in sorted(self._feeders.get(process_id, ()))
            for one in self._gives(feeder, process_id)
        ]
        sides = [
            f for f in self._facts.get("process/" + process_id, [])
            if isinstance(f, MaterialProcessed)
        ]  # fmt: skip
        answers = partial(self._answer, process_id)
        process: Batch | Node = Batch(process_id, sides, inputs, self.refs, self.rules, answers)
        if process.kind.continuous and self.rules["continuous"]:
            process = Node(process_id, sides, inputs, self.refs, self.rules, answers)
        self.processes[process_id] = process
        return process

    def _answer(self, process_id: str, lot_id: str, one: Handed) -> Amounts:
        """What a lot gives back of one output, which no other output and no input has a part in."""
        others: dict[str, list[Handed]] = {giver: [] for giver in self._givers[lot_id]}
        facts = self._facts.get("lot/" + lot_id, [])
        handed, back = others | {process_id: [one]}, Back(self._supplies(lot_id))
        books = LotBooks(lot_id, facts, handed, self.refs, self.rules, back)
        return next((p.amounts for p in books.postings if p.kind == "measured"), {})

    def _measured(self, process_id: str) -> list[Amounts]:
        target = f"process/{process_id}"
        return [
            posting.amounts
            for lot in self.lots.values()
            for posting in lot.postings
            if posting.kind == "measured" and posting.target == target
        ]

    def postings(self) -> list[Posting]:
        """Everything that stands posted."""
        lots = [posting for lot in self.lots.values() for posting in lot.postings]
        return lots + [posting for p in self.processes.values() for posting in p.postings]

    def accounts(self) -> dict[str, Amounts]:
        """Masses and metals of every account; zeros left out."""
        return self._accounts(attributes=False)

    def attributes(self) -> dict[str, Amounts]:
        """Attributes of every account."""
        return self._accounts(attributes=True)

    def _accounts(self, *, attributes: bool) -> dict[str, Amounts]:
        kept = {
            account: {n: v for n, v in held.items() if is_attribute(n) == attributes}
            for account, held in sums_of(self.postings()).items()
        }
        return {account: held for account, held in kept.items() if held}

    def carried(self) -> dict[str, Carried]:
        """Shares of every lot's places."""
        return {f"lot/{name}": lot.carried for name, lot in self.lots.items()}

    def findings(self) -> set[tuple[str, str]]:
        """Findings that must be open, as (name, subject)."""
        found = {(name, f"lot/{i}") for i, lot in self.lots.items() for name in lot.findings}
        for process_id, process in self.processes.items():
            found |= {(name, f"process/{process_id}") for name in process.findings}
            if self._partly_told(process_id, process):
                continue
            if self._excess(process_id, process) > CLEAR_EXCESS:
                found.add(("output_exceeds_input", f"process/{process_id}"))
            if self._unaccounted(process_id, process) > CLEAR_MISSING:
                found.add(("input_unaccounted", f"process/{process_id}"))
        return found

    def undecided(self) -> set[tuple[str, str]]:
        """Findings that depend on how well a process's balance is known, or are not modelled here.

        ``lot_redeclared`` has tests of its own: which fields make two declarations differ is no
        matter of amounts. Whether a place is overdrawn that was weighed whole is asked of its
        books there and of its weighings here.
        """
        undecided = {("lot_redeclared", f"lot/{lot_id}") for lot_id in self.lots}
        undecided |= {("overdrawn", f"lot/{lot_id}") for lot_id in self.lots}
        undecided |= {(name, f"lot/{i}") for i, lot in self.lots.items() for name in lot.unclear}
        for process_id, process in self.processes.items():
            unclear = process.unclear - process.findings
            undecided |= {(name, f"process/{process_id}") for name in unclear}
            if self._partly_told(process_id, process):
                # Whether each output's certificate says the same metals is not modelled here.
                undecided.add(("input_unaccounted", f"process/{process_id}"))
                undecided.add(("output_exceeds_input", f"process/{process_id}"))
            if HALF < self._unaccounted(process_id, process) <= CLEAR_MISSING:
                undecided.add(("input_unaccounted", f"process/{process_id}"))
            if isinstance(process, Batch) and process.closed and process.richest() > 1.0:
                # What the lot has measured of it, and how well each is known, is not modelled here.
                undecided.add(("metal_exceeds_mass", f"process/{process_id}"))
        return undecided | {
            ("output_exceeds_input", f"process/{process_id}")
            for process_id, process in self.processes.items()
            if 0 < self._excess(process_id, process) <= CLEAR_EXCESS
        }

    def _partly_told(self, process_id: str, process: Process) -> bool:
        """Whether some outputs of a separation may have certificates and others none."""
        several = isinstance(process, Batch) and len(process.outputs) > 1
        return several and process.kind.separated and bool(self._measured(process_id))

    def _excess(self, process_id: str, process: Process) -> float:
        """Of an open process too: whoever is asked, all time is over."""
        if not isinstance(process, Batch):
            return 0.0
        return process.excess(self._measured(process_id))

    def _unaccounted(self, process_id: str, process: Process) -> float:
        if not isinstance(process, Batch) or not process.closed:
            return 0.0
        return process.unaccounted(self._measured(process_id))

    def net(self) -> Amounts:
        """What all accounts add up to: nothing."""
        return added(*((1, held) for held in sums_of(self.postings()).values()))
