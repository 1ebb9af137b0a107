"""Small folds to try the worker with: no chemistry, only sums that must come out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from custody.events import LotWeighed, Micros
from custody.fold import Entry, Input, Output, Reader, Row, Step
from custody.records import Amount, Content, Tick, Transfer

_EPOCH = Micros(1_790_000_000_000_000)


@dataclass(slots=True)
class Sum:
    """What an owner has, got and gave, grams; ``padding`` makes the row as large as a real one."""

    total_g: int = 0
    received_g: int = 0
    sent_g: int = 0
    facts: int = 0
    padding: str = ""


@dataclass(slots=True)
class Clock:
    """The last tick."""

    now: int = 0
    ticks: int = 0


@dataclass(frozen=True)
class RelayFold:
    """Each weighing adds its net to a lot and hands a part of what the lot *now has* on.

    So what is sent depends on the state at that moment, and with it on how the source topics
    interleave. What is handed on comes back to another lot, ``hops`` times. Whatever happens, the
    rows must sum to what was weighed, and what was sent to what was received.
    """

    hops: int = 3
    owners: int = 40
    padding_bytes: int = 0
    version: int = 1
    row_types: Mapping[str, type] = field(
        default_factory=lambda: {"lot": Sum, "process": Sum, "tick": Clock}
    )

    def owner(self, entry: Entry, key: str) -> str:  # noqa: ARG002  the seam
        return f"process/{key}" if key.startswith("P-") else f"lot/{key}"

    def step(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:  # noqa: ARG002  the seam
        if owner.startswith("tick/"):
            return _tick(row, entries)
        state = Sum() if row is None else replace(row)  # type: ignore[type-var]  # a Sum
        assert isinstance(state, Sum)
        state.padding = "x" * self.padding_bytes
        outputs: list[Output] = []
        for entry in entries:
            outputs.extend(self._apply(owner, state, entry.event))
        return Step(state, outputs=outputs)

    def _apply(self, owner: str, state: Sum, event: Input) -> list[Output]:
        match event:
            case LotWeighed():
                state.total_g += event.net_g
                state.facts += 1
                hop = 0
            case Content():
                state.total_g += event.mass_wet_g
                state.received_g += event.mass_wet_g
                hop = event.generation
            case _:
                return []
        amount = state.total_g // 7
        if hop >= self.hops or not amount:
            return []
        state.total_g -= amount
        state.sent_g += amount
        return [content(owner, self._receiver(owner, hop), amount, hop + 1)]

    def _receiver(self, owner: str, hop: int) -> str:
        no = (int(owner.rpartition("-")[2]) * 7 + hop) % self.owners
        return f"lot/L-{no}" if owner.startswith("process/") else f"process/P-{no}"


@dataclass(frozen=True)
class TrivialFold:
    """Adds nets in rows as large as real ones: what a bench needs.

    Attributes:
        padding_bytes: Size of a row beside its sums.
        says: Also say a transfer per fact and hand every fourth on to a process.
    """

    padding_bytes: int = 1_000
    says: bool = False
    version: int = 1
    row_types: Mapping[str, type] = field(
        default_factory=lambda: {"lot": Sum, "process": Sum, "ref": Sum}
    )

    def owner(self, entry: Entry, key: str) -> str:
        if entry.stem == "reference":
            return f"ref/{key}"
        return f"process/{key}" if key.startswith("P-") else f"lot/{key}"

    def step(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step:  # noqa: ARG002  the seam
        state = row if isinstance(row, Sum) else Sum(padding="x" * self.padding_bytes)
        outputs: list[Output] = []
        for entry in entries:
            event = entry.event
            if isinstance(event, LotWeighed):
                state.total_g += event.net_g
                state.facts += 1
                if self.says:
                    outputs.append(transfer(owner, event))
                    if event.gateway_seq % 4 == 0:
                        receiver = f"process/P-{owner.rpartition('-')[2]}"
                        outputs.append(content(owner, receiver, event.net_g, 1))
            elif isinstance(event, Content):
                state.received_g += event.mass_wet_g
        return Step(state, outputs=outputs)


def _tick(row: Row | None, entries: Sequence[Entry]) -> Step:
    clock = row if isinstance(row, Clock) else Clock()
    event = entries[-1].event
    assert isinstance(event, Tick)
    if event.now > clock.now:
        clock = Clock(event.now, clock.ticks + 1)
    return Step(clock)


def transfer(owner: str, fact: LotWeighed) -> Transfer:
    """A transfer of a fact's net mass."""
    return Transfer(
        sender="",
        n=0,
        kind="receipt",
        cause_event_id=fact.event_id,
        debit=f"{owner}/transit",
        credit=f"{owner}/HERE",
        mass_wet_g=fact.net_g,
        mass_dry_g=fact.net_g,
        metals=(Amount(analyte="Cu", value_mg=fact.net_g),),
        effective_at=fact.occurred_at,
        known_at=fact.recorded_at,
        replaces_event_id=None,
        replaces_kind=None,
        lot_id=fact.lot_id,
        process_id=None,
        movement_id=None,
        origins=(),
    )


def content(from_owner: str, to_owner: str, mass_g: int, generation: int) -> Content:
    """A handover of a mass without analysis."""
    return Content(
        sender="",
        n=0,
        cause_event_id="00000000-0000-4000-8000-000000000000",
        from_owner=from_owner,
        to_owner=to_owner,
        place="HERE",
        generation=generation,
        effective_at=_EPOCH,
        known_at=_EPOCH,
        void=False,
        mass_wet_g=mass_g,
        mass_wet_u_random_g=0.0,
        mass_wet_u_systematic_g=(),
        moisture_fraction=None,
        moisture_u_fraction=None,
        mass_dry_g=mass_g,
        mass_dry_u_random_g=0.0,
        mass_dry_u_systematic_g=(),
        metals=(),
        origins=(),
    )
