"""One process in memory, fed with what lots would hand it; nothing else is there.

It does what the worker does for one owner: rows go through msgpack, and what the process says to
itself is delivered to it. Sizes of rows are watched, because the worker refuses a large one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

import msgspec

from custody.core import CustodyFold
from custody.events import LotFact, Micros, ReferenceSet
from custody.fold import Input, Output, Step
from custody.ledger import Clock
from custody.lot_step import Arrived
from custody.process_rows import ProcessRow
from custody.process_step import process_step
from custody.records import (
    AttributeAmount,
    Balance,
    Content,
    Metal,
    OriginShare,
    Sighting,
    Transfer,
)
from custody.ticking import TickRow, tick_step
from schemas import codec
from streams.config import ROW_BYTES_MAX
from tests.support.facts import MINUTE, T0, Read, Rows, event_id, tick

ROW_MAX = 64 * 1024
GHG = "ghg"


def handed(
    name: str,
    minute: float,
    dry: int,
    metals: Mapping[str, int] | None = None,
    **more: object,
) -> Content:
    """What a lot hands in for one input, or gives back of an output; 5 % wet, made at MINE."""
    site = str(more.pop("site", "MINE"))
    attributes = more.pop("attributes", {})
    u = float(str(more.pop("u", 0.002)))
    assert isinstance(attributes, dict)
    fields: dict[str, object] = {
        "sender": "",
        "n": 0,
        "cause_event_id": event_id(name),
        "from_owner": f"lot/{name}",
        "to_owner": "process/P-1",
        "place": "PLANT",
        "generation": 1,
        "effective_at": Micros(T0 + round(minute * MINUTE)),
        "known_at": Micros(T0 + round((minute + 1) * MINUTE)),
        "void": False,
        "mass_wet_g": round(dry / 0.95),
        "mass_wet_u_random_g": abs(u * dry),
        "mass_wet_u_systematic_g": (),
        "moisture_fraction": None,
        "moisture_u_fraction": None,
        "mass_dry_g": dry,
        "mass_dry_u_random_g": abs(u * dry),
        "mass_dry_u_systematic_g": (),
        "metals": tuple(
            Metal(analyte=a, value_mg=v, u_random_mg=abs(0.01 * v), u_systematic_mg=())
            for a, v in (metals or {}).items()
        ),
        "origins": (OriginShare(level="site", id=site, share=1.0),),
        "attributes": tuple(
            AttributeAmount(name=a, unit="kg", quality="measured", value_micro=v)
            for a, v in attributes.items()
        ),
    }
    return Content(**(fields | more))  # type: ignore[arg-type]


@dataclass
class Plant:
    """Everything that was said of one process, and its rows."""

    owner: str = "process/P-1"
    fold: CustodyFold = field(default_factory=CustodyFold)
    rows: Rows = field(default_factory=Rows)
    sizes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    outputs: list[Output] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    steps: int = 0
    checked: bool = True

    def tell(
        self, *records: Content | LotFact | ReferenceSet | Sighting, together: bool = False
    ) -> None:
        """Apply records one by one or as one chunk, and let the process go on until it is done."""
        chunks: Iterable[tuple[Input, ...]] = [records] if together else [(r,) for r in records]
        for chunk in chunks:
            mine = [r for r in chunk if not isinstance(r, ReferenceSet)]
            for record in chunk:
                if isinstance(record, ReferenceSet):
                    self._apply(f"ref/{record.kind}/{record.id}", [record])
            again: list[Input] = list(mine)
            while again:
                again = list(self._apply(self.owner, again))

    def pass_ticks(self) -> None:
        """Let what is due be told: the second of two ticks says it.

        Raises:
            AssertionError: Nothing was due.
        """
        words = self.ticked()
        assert words
        self._apply(self.owner, words)

    def ticked(self) -> list[Sighting]:
        """Return the words that doubts of the process are due."""
        said: list[Output] = []
        for number in (1, 2):
            now = tick(self.steps + number).now
            step = tick_step(TickRow(), [Read(replace(tick(0), now=now))], self.rows)
            for key, row in step.rows.items():
                if row is None:
                    self.rows.pop(key, None)
                else:
                    self.rows[key] = row
            said.extend(step.outputs)
        words = [one for one in said if isinstance(one, Sighting)]
        return [replace(word, sender="worker/0", n=no) for no, word in enumerate(words, 1)]

    def tear(self, records: Iterable[Input], rng: Random) -> None:
        """Take a step as a worker that dies before the head is written: some rows are left."""
        entries = [Read(record) for record in records]
        step = self.fold.step(self.owner, self.rows.get(self.owner), entries, self.rows)
        left = list(step.rows.items())
        for key, row in left[: rng.randint(0, len(left))]:
            self.rows[key] = row

    def recheck(self) -> None:
        """Let the process derive everything again, as when a reference record changed."""
        before = self.rows[self.owner]
        assert isinstance(before, ProcessRow)
        name = self.owner.partition("/")[2]
        clock = Clock([(Micros(T0), event_id("reference"))])
        step = process_step(name, before, Arrived([], [], [], recheck=True), self.rows, clock)
        again: list[Input] = list(self._keep(self.owner, step))
        while again:
            again = list(self._apply(self.owner, again))

    def _apply(self, owner: str, records: Iterable[Input]) -> list[Content]:
        entries = [Read(record) for record in records]
        return self._keep(owner, self.fold.step(owner, self.rows.get(owner), entries, self.rows))

    def _keep(self, owner: str, step: Step) -> list[Content]:
        self.steps += 1
        for key, row in [*step.rows.items(), (owner, step.row)]:
            if row is None:
                self.rows.pop(key, None)
                continue
            prefix = key.partition("/")[0]
            raw = msgspec.msgpack.encode(row)
            self.sizes[prefix] = max(self.sizes[prefix], len(raw))
            self.rows[key] = msgspec.msgpack.decode(raw, type=self.fold.row_types[prefix])
        self.findings.extend(step.findings)
        if self.checked:
            said = sum(self._check(output) for output in step.outputs)
            assert said + len(msgspec.msgpack.encode(step.row)) < ROW_BYTES_MAX
        self.outputs.extend(step.outputs)
        self.after_step()
        contents = [output for output in step.outputs if isinstance(output, Content)]
        return [content for content in contents if content.to_owner == self.owner]

    def after_step(self) -> None:
        """What a test looks at after each step."""

    def _check(self, output: Output) -> int:
        return len(codec.encode(replace(output, sender="worker/0", n=1)))

    @property
    def balance(self) -> Balance:
        return [output for output in self.outputs if isinstance(output, Balance)][-1]

    @property
    def held(self) -> dict[str, int]:
        """The amounts of the balance, zeros left out."""
        b = self.balance
        found = {"wet": b.mass_wet_g, "dry": b.mass_dry_g}
        found |= {metal.analyte: metal.value_mg for metal in b.metals}
        found |= {attribute.name: attribute.value_micro for attribute in b.attributes}
        return {name: value for name, value in found.items() if value}

    @property
    def told(self) -> dict[str, Content]:
        """What lots know of outputs, by event."""
        found: dict[str, Content] = {}
        for output in self.outputs:
            if isinstance(output, Content) and output.to_owner != self.owner:
                found[output.cause_event_id] = output
        return {cause: content for cause, content in found.items() if not content.void}

    def posted(self) -> dict[str, dict[str, int]]:
        """What transfers add up to, by account; zeros left out."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for t in self.outputs:
            if not isinstance(t, Transfer):
                continue
            for account, sign in ((t.debit, -1), (t.credit, 1)):
                sums[account]["wet"] += sign * t.mass_wet_g
                sums[account]["dry"] += sign * t.mass_dry_g
                for metal in t.metals:
                    sums[account][metal.analyte] += sign * metal.value_mg
                for attribute in t.attributes:
                    sums[account][attribute.name] += sign * attribute.value_micro
        nonzero = {a: {k: v for k, v in held.items() if v} for a, held in sums.items()}
        return {account: held for account, held in nonzero.items() if held}


def reference(kind: str, name: str, body: str, minute: int = 0) -> ReferenceSet:
    """A reference record that holds from long before T0 on; ``body`` is JSON."""
    return ReferenceSet(
        event_id=event_id(f"{kind}/{name}/{body}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=1,
        kind=kind,
        id=name,
        valid_from=Micros(T0 - 10**12),
        valid_to=None,
        recorded_at=Micros(T0 + minute * MINUTE),
        partition=0,
        corrects=None,
        void=False,
        body=body,
    )


def amounts_of(content: Content) -> dict[str, int]:
    """The amounts of a content, zeros left out."""
    found = {"wet": content.mass_wet_g, "dry": content.mass_dry_g}
    found |= {metal.analyte: metal.value_mg for metal in content.metals}
    found |= {attribute.name: attribute.value_micro for attribute in content.attributes}
    return {name: value for name, value in found.items() if value}


def shares_of(content: Content) -> dict[str, float]:
    """Shares of the dry mass by site."""
    return {origin.id or origin.level: origin.share for origin in content.origins}
