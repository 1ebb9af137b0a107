"""Laws of a process, whatever its kind: nothing is lost at any step, and order does not matter."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from custody.events import LotFact, MaterialProcessed, ReferenceSet
from custody.kinds import KINDS
from custody.records import Content, OriginShare
from tests.support.facts import Maker, corrected
from tests.support.plant import Plant, amounts_of, handed, reference

Record = Content | LotFact | ReferenceSet
ANY = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32)


class Campaign:
    """What happens to one process, drawn by seed: references first, then records by edge."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.kind = rng.choice(sorted(KINDS))
        self.maker = Maker("sides")
        self.references: list[ReferenceSet] = []
        if rng.random() < 0.5:
            mixing, continuous = rng.choice(["perfect", "fifo"]), rng.choice(["true", "false"])
            allocation = rng.choice(["mass", "key_metal", "economic"])
            body = (
                f'{{"key_analyte":"Cu","mixing":"{mixing}","continuous":{continuous},'
                f'"allocation":"{allocation}"}}'
            )
            self.references.append(reference("process", rng.choice(["P-1", self.kind]), body))
            self.references.append(
                reference(
                    "price", "Cu", '{"analyte":"Cu","amount":9000,"currency":"USD","per":"t"}'
                )
            )
        self.edges: list[list[Record]] = []
        for number in range(rng.randint(1, 12)):
            self._input(number)
        outputs = [self._side("output", output_lot_id=f"X{n}") for n in range(rng.randint(0, 8))]
        for number in range(rng.randint(0, 4)):
            self._side(rng.choice(["loss", "stock"]), loss_kind="dust", part_no=number)
        if rng.random() < 0.5:
            self._side("close")
        for output in outputs:
            self._measured(output)
        self._corrections()

    def _minute(self) -> float:
        return float(self.rng.randint(0, 30))

    def _input(self, number: int) -> None:
        rng = self.rng
        record = handed(
            f"in-{number}",
            self._minute(),
            rng.randint(1, 10**7),
            {"Cu": rng.randint(0, 10**9), "Co": rng.randint(0, 10**6)},
            attributes={"ghg": rng.randint(-5, 10**9)},
            site=f"MINE-{number % 4}",
            origins=(OriginShare(level="site", id=f"MINE-{number % 4}", share=rng.random()),),
        )
        versions: list[Record] = [record]
        if rng.random() < 0.4:
            again = replace(record, mass_dry_g=rng.randint(1, 10**7))
            versions.append(rng.choice([again, replace(record, void=True)]))
        self.edges.append(versions)

    def _side(self, part: str, **more: Any) -> MaterialProcessed:  # noqa: ANN401  fields by name
        rng = self.rng
        kind = self.kind if rng.random() < 0.9 else "crush"
        if part != "close":
            more["mass_dry_g"] = rng.randint(0, 10**7)
            more["mass_wet_g"] = rng.choice([None, rng.randint(0, 10**7)])
        fact = self.maker.side("PLANT", self._minute(), part, "P-1", kind=kind, **more)
        self.edges.append([fact])
        return fact

    def _measured(self, output: MaterialProcessed) -> None:
        rng = self.rng
        if rng.random() < 0.5:
            metals = {"Cu": rng.randint(-(10**8), 10**8)}
            more = {"cause_event_id": output.event_id, "from_owner": f"lot/{output.output_lot_id}"}
            dry = rng.randint(-(10**5), 10**5)
            record = handed(f"m-{output.event_id}", 40, dry, metals, **more)
            gone = [replace(record, void=True)] if rng.random() < 0.3 else []
            self.edges.append([record, *gone])

    def _corrections(self) -> None:
        rng = self.rng
        facts = [r for edge in self.edges for r in edge if isinstance(r, MaterialProcessed)]
        for number in range(rng.randint(0, 4) if facts else 0):
            target = rng.choice(facts)
            changes: dict[str, Any] = {"void": rng.random() < 0.3}
            if target.mass_dry_g is not None:
                changes["mass_dry_g"] = rng.randint(0, 10**7)
            fact = corrected(target, f"c-{number}", float(rng.randint(1, 100)), **changes)
            facts.append(fact)
            self.edges.append([fact])

    def arrival(self, rng: Random) -> list[list[Record]]:
        """Chunks of records in any order that keeps the order of each edge."""
        waiting = [list(edge) for edge in self.edges]
        flat: list[Record] = []
        while any(waiting):
            edge = rng.choice([edge for edge in waiting if edge])
            flat.append(edge.pop(0))
        chunks: list[list[Record]] = []
        while flat:
            size = rng.choice((1, 1, 2, 5, 50))
            chunks.append(flat[:size])
            flat = flat[size:]
        return chunks


def handed_in(told: Sequence[Record]) -> dict[str, int]:
    """What lots have handed in as far as was told: the newest word of each cause."""
    newest = {record.cause_event_id: record for record in told if isinstance(record, Content)}
    sums: dict[str, int] = {}
    for record in newest.values():
        for name, value in amounts_of(record).items() if not record.void else ():
            sums[name] = sums.get(name, 0) + value
    return sums


@contextmanager
def in_small_pieces() -> Iterator[None]:
    """Pages of four events, steps of five, and one output to a step, as if it were large."""
    with (
        patch("custody.pages.EVENTS_MAX", 4),
        patch("custody.pages.STEP_EVENTS_MAX", 5),
        patch("custody.process_settle.SAID_BYTES_MAX", 500),
    ):
        yield


def books(plant: Plant) -> tuple[object, ...]:
    told = {
        cause: (c.to_owner, amounts_of(c), c.origins, c.metal_origins, c.shares, c.metals)
        for cause, c in plant.told.items()
    }
    balance = replace(plant.balance, at=0, known_at=0)  # type: ignore[arg-type]
    return plant.posted(), plant.held, told, balance


@ANY
@given(seed=SEEDS, order=SEEDS, small=st.booleans())
def test_what_came_in_is_what_went_out_and_what_is_there_after_every_step(
    seed: int, order: int, *, small: bool
) -> None:
    campaign = Campaign(Random(seed))
    plant, said = Watched(), list[Record]()
    plant.tell(*campaign.references)
    for chunk in campaign.arrival(Random(order)):
        said.extend(chunk)
        plant.expected = handed_in(said)
        with in_small_pieces() if small else nullcontext():
            plant.tell(*chunk, together=True)
    if plant.outputs and plant.balance.status == "closed":
        assert plant.held == {}


@dataclass
class Watched(Plant):
    """A plant that compares its balance with its transfers after every step, its own ones too."""

    expected: dict[str, int] = field(default_factory=dict)

    @override
    def after_step(self) -> None:
        if not self.outputs:
            return
        expected = dict(self.expected)
        for name, value in self.posted().get("process/P-1", {}).items():
            expected[name] = expected.get(name, 0) + value
        assert self.held == {name: value for name, value in expected.items() if value}


@ANY
@given(SEEDS, SEEDS)
def test_any_order_of_arrival_ends_in_the_same_books(seed: int, order: int) -> None:
    campaign = Campaign(Random(seed))
    assert books(told(campaign, order)) == books(told(campaign, order + 1))


@ANY
@given(SEEDS, SEEDS)
def test_pages_and_pieces_of_any_size_end_in_the_same_books(seed: int, order: int) -> None:
    campaign = Campaign(Random(seed))
    whole = told(campaign, order)
    with in_small_pieces():
        pieces = told(campaign, order + 1)
    assert books(whole) == books(pieces)


@ANY
@given(SEEDS, SEEDS)
def test_rows_that_a_crash_left_without_their_head_change_nothing(seed: int, order: int) -> None:
    """What is read again after a crash is cut into other steps than before it."""
    campaign, rng = Campaign(Random(seed)), Random(order)
    plant = Plant()
    plant.tell(*campaign.references)
    waiting = [record for chunk in campaign.arrival(Random(order)) for record in chunk]
    while waiting:
        plant.tear(waiting[: rng.randint(1, 9)], rng)
        size = rng.randint(1, 9)
        plant.tell(*waiting[:size], together=True)
        waiting = waiting[size:]
    assert books(plant) == books(told(campaign, order))


def told(campaign: Campaign, order: int) -> Plant:
    plant = Plant()
    plant.tell(*campaign.references)
    for chunk in campaign.arrival(Random(order)):
        plant.tell(*chunk, together=True)
    return plant


@ANY
@given(SEEDS, SEEDS)
def test_everything_told_again_changes_nothing(seed: int, order: int) -> None:
    campaign = Campaign(Random(seed))
    plant = Plant()
    plant.tell(*campaign.references)
    chunks = campaign.arrival(Random(order))
    for chunk in chunks:
        plant.tell(*chunk, together=True)
    before, outputs = dict(plant.rows), len(plant.outputs)
    newest = {r.cause_event_id: r for c in chunks for r in c if isinstance(r, Content)}
    sides = [r for c in chunks for r in c if isinstance(r, MaterialProcessed)]
    plant.tell(*newest.values(), *sides)
    assert len(plant.outputs) == outputs
    assert plant.rows == before
