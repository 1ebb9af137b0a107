"""A second model of the books: simple, slow, from nothing on every call.

It repeats docs/ledger.md and shares nothing with the core but the classes of facts: lists and
loops, no state kept, no incremental step. Lots and processes are computed from each other by
recursion; a ring of them is not for this model.

Where the rules leave a choice open the choice is named in the module that makes it.
"""

from collections import defaultdict
from collections.abc import Sequence

from custody.events import Fact, MaterialProcessed, ReferenceSet
from tests.support.oracle.amounts import Amounts, Carried, Handed, added, is_attribute
from tests.support.oracle.lots import LotBooks
from tests.support.oracle.nodes import Node
from tests.support.oracle.postings import Posting, sums_of
from tests.support.oracle.processes import Batch, Process
from tests.support.oracle.refs import References
from tests.support.oracle.rules import RULES
from tests.support.oracle.stand import owner_of, standing, when

CLEAR_EXCESS = 0.3
"""Of what came in; less than that may be within 4 sigma, which this model does not know."""


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
            elif side.part == "output" and side.output_lot_id:
                self._givers[side.output_lot_id].add(side.process_id)

    def lot(self, lot_id: str) -> LotBooks:
        """The books of one lot."""
        if lot_id not in self.lots:
            handed: dict[str, list[Handed]] = {}
            for giver in sorted(self._givers.get(lot_id, ())):
                given = self.process(giver).gives()
                handed[giver] = [one for receiver, one in given if receiver == lot_id]
            facts = self._facts.get("lot/" + lot_id, [])
            self.lots[lot_id] = LotBooks(lot_id, facts, handed, self.refs, self.rules)
        return self.lots[lot_id]

    def process(self, process_id: str) -> "Batch | Node":
        """The books of one process."""
        found = self.processes.get(process_id)
        if isinstance(found, Batch | Node):
            return found
        inputs = [
            one
            for feeder in sorted(self._feeders.get(process_id, ()))
            for receiver, one in self.lot(feeder).gives
            if receiver == process_id
        ]
        sides = [
            f for f in self._facts.get("process/" + process_id, [])
            if isinstance(f, MaterialProcessed)
        ]  # fmt: skip
        process: Batch | Node = Batch(process_id, sides, inputs, self.refs, self.rules)
        if process.kind.continuous and self.rules["continuous"]:
            process = Node(process_id, sides, inputs, self.refs, self.rules)
        self.processes[process_id] = process
        return process

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
            if self._excess(process_id, process) > CLEAR_EXCESS:
                found.add(("output_exceeds_input", f"process/{process_id}"))
        return found

    def undecided(self) -> set[tuple[str, str]]:
        """Findings that depend on how well a process's balance is known, or are not modelled here.

        ``lot_redeclared`` has tests of its own: which fields make two declarations differ is no
        matter of amounts. Whether a place is overdrawn that was weighed whole is asked of its
        books there and of its weighings here.
        """
        undecided = {("lot_redeclared", f"lot/{lot_id}") for lot_id in self.lots}
        undecided |= {("overdrawn", f"lot/{lot_id}") for lot_id in self.lots}
        return undecided | {
            ("output_exceeds_input", f"process/{process_id}")
            for process_id, process in self.processes.items()
            if 0 < self._excess(process_id, process) <= CLEAR_EXCESS
        }

    def _excess(self, process_id: str, process: Process) -> float:
        if not isinstance(process, Batch) or not process.closed:
            return 0.0
        return process.excess(self._measured(process_id))

    def net(self) -> Amounts:
        """What all accounts add up to: nothing."""
        return added(*((1, held) for held in sums_of(self.postings()).values()))
