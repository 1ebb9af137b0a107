"""A world of owners in memory: routes records to owners, runs the fold, routes contents on.

It does what the worker does, without Kafka: one number per derived record, rows by key, contents
delivered to their owner. Rows go through msgpack on the way, as in the worker.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from custody.core import CustodyFold
from custody.events import ActionTaken, LotFact, ReferenceSet
from custody.fold import Handed, Input, Output
from custody.records import (
    Alert,
    Balance,
    Tick,
    Transfer,
)
from runtime.backtest.rounds import key_of
from schemas.limits import violation
from tests.support.facts import Read, Rows


@dataclass
class World:
    """Everything that was said, and the rows it was said from."""

    fold: CustodyFold = field(default_factory=CustodyFold)
    rows: Rows = field(default_factory=Rows)
    outputs: list[Output] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    n: int = 0
    steps: int = 0

    def open_rules(self) -> set[tuple[str, str]]:
        """Rules and subjects of the alerts that are open."""
        return {(a.rule, a.subject) for a in self.alerts.values() if a.state == "open"}

    def tell(
        self, *records: LotFact | ReferenceSet | ActionTaken | Tick, together: bool = False
    ) -> None:
        """Apply records one by one, or as one chunk; then deliver contents until none is left.

        Contents arrive in the order they were said, as they do from one sender to one receiver.
        """
        if together:
            said: list[Input] = list(records)
            while said:
                said = self._apply(said)
            return
        for record in records:
            said = self._apply([record])
            while said:
                said = [*said[1:], *self._apply(said[:1])]

    def _apply(self, chunk: Iterable[Input]) -> list[Input]:
        owned: dict[str, list[Read]] = defaultdict(list)
        for event in chunk:
            entry = Read(event)
            owned[self.fold.owner(entry, key_of(event))].append(entry)
        said: list[Input] = []
        for owner, entries in owned.items():
            step = self.fold.step(owner, self.rows.get(owner), entries, self.rows)
            for key, row in [*step.rows.items(), (owner, step.row)]:
                if row is None:
                    self.rows.pop(key, None)
                    continue
                kind = self.fold.row_types[key.partition("/")[0]]
                self.rows[key] = msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=kind)
            self.findings.extend(step.findings)
            self.steps += 1
            for output in step.outputs:
                self.n += 1
                numbered = replace(output, sender="worker/0", n=self.n)
                assert violation(numbered) is None, violation(numbered)
                self.outputs.append(numbered)
                if isinstance(numbered, Handed):
                    said.append(numbered)
        return said

    @property
    def transfers(self) -> list[Transfer]:
        return [output for output in self.outputs if isinstance(output, Transfer)]

    @property
    def alerts(self) -> dict[str, Alert]:
        """The last version of each alert."""
        return {output.alert_id: output for output in self.outputs if isinstance(output, Alert)}

    @property
    def balances(self) -> dict[str, Balance]:
        """The last balance of each account."""
        return {output.account: output for output in self.outputs if isinstance(output, Balance)}

    def sums(self) -> dict[str, dict[str, int]]:
        """What all transfers add up to, by account; zero amounts are left out."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for t in self.transfers:
            for account, sign in ((t.debit, -1), (t.credit, 1)):
                sums[account]["wet"] += sign * t.mass_wet_g
                sums[account]["dry"] += sign * t.mass_dry_g
                for metal in t.metals:
                    sums[account][metal.analyte] += sign * metal.value_mg
        return {
            account: {name: value for name, value in amounts.items() if value}
            for account, amounts in sums.items()
            if any(amounts.values())
        }


def amounts(balance: Balance) -> dict[str, int]:
    """The integers of a balance, zeros left out, in the form of ``World.sums``."""
    found = {"wet": balance.mass_wet_g, "dry": balance.mass_dry_g}
    found |= {metal.analyte: metal.value_mg for metal in balance.metals}
    return {name: value for name, value in found.items() if value}
