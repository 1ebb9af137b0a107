"""Bad input, one row each: what a plant gets wrong, and by which name it is refused or remarked on.

Every row goes through an outbox, because corrections and second declarations are judged by what
the gateway took before.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from custody.events import Micros
from producers import store
from producers.chain import Entry
from producers.config import OutboxConfig
from producers.group import Answer, Submission
from producers.judge import accept
from producers.outbox import Outbox
from producers.outcome import WARNINGS, Accepted, Code, Refusal
from tests.support.gateway import NOW, golden, terms

UNSEEN = "00000000-0000-8000-8000-000000000000"
OWN = "0199f3c0-6d1e-7c4a-9b1f-2a5d8c3e7f10"
Raw = Mapping[str, object]


def of(stem: str, **changes: object) -> dict[str, object]:
    return {**golden(stem), **changes}


def id_of(raw: Raw) -> str:
    outcome = accept(raw, NOW, terms())
    assert isinstance(outcome, Accepted), outcome
    return outcome.event_id


def composition(*percents: int, basis: str = "dry") -> list[dict[str, object]]:
    symbols = ("Cu", "Fe", "S", "Co")
    return [
        {"analyte": symbol, "value": percent, "unit": "pct", "basis": basis}
        for symbol, percent in zip(symbols, percents, strict=False)
    ]


def origins(*shares: str) -> list[dict[str, object]]:
    return [
        {"level": "site", "id": str(no), "share": Decimal(share)} for no, share in enumerate(shares)
    ]


def side(**changes: object) -> dict[str, object]:
    return {"lot_id": "C-1", "mass_wet_kg": 2450, **changes}


def process(**sides: object) -> dict[str, object]:
    """A request of nothing but these sides."""
    whole = golden("processing")
    kept = {name: whole[name] for name in ("type", "site_id", "process_id", "kind")}
    return {**kept, "occurred_at": "2026-11-04T10:00:00+02:00", **sides}


def ghg(**changes: object) -> dict[str, object]:
    one = {"name": "ghg", "amount": 1, "unit": "kgCO2e", "per": "total", "quality": "measured"}
    return {**one, **changes}


TICKET = of("weighing")
LOT = of("lot")
OUTPUT = process(outputs=[side()])
INPUT = process(inputs=[side()])
WHOLE = of("processing", event_id=OWN)
CHECK = of("weighing", lot_id=None, purpose="check", ticket_no="C-1")
WITHDRAWN = of("weighing", corrects=id_of(TICKET), void=True)


@dataclass(frozen=True)
class Bad:
    """A row: what was taken before, what is sent, and what comes of it.

    ``expected``: code and field of the refusal, or the remarks an accepted request gets.
    """

    name: str
    sent: Raw
    expected: tuple[Code, str] | list[str]
    before: Sequence[Raw] = ()


EXCEED, RANGE = Code.FRACTIONS_EXCEED_ONE, Code.FRACTION_OUT_OF_RANGE
NEGATIVE, MISSING = Code.NEGATIVE_MASS, Code.MISSING_FIELD
DRY, MISMATCH = Code.DRY_ABOVE_WET, (Code.CORRECTION_MISMATCH, "corrects")

_WET = {"value": 10, "unit": "pct"}
_ON_TWO: list[Raw] = [
    {"analyte": "Cu", "value": 60, "unit": "pct", "basis": "dry"},
    {"analyte": "Zn", "value": 60, "unit": "pct", "basis": "as_is"},
]

UNREADABLE = [
    Bad("moisture 120 %", of("assay", moisture={"value": 120, "unit": "pct"}), (RANGE, "moisture")),
    Bad("moisture 100 %", of("assay", moisture={"value": 100, "unit": "pct"}), (RANGE, "moisture")),
    Bad(
        "moisture of 999.1 per mille",
        of("assay", moisture={"value": Decimal("0.9991"), "unit": "fraction"}),
        (RANGE, "moisture"),
    ),
    Bad("moisture -1 %", of("assay", moisture={"value": -1, "unit": "pct"}), (RANGE, "moisture")),
    Bad(
        "moisture 1.2 of an output",
        process(outputs=[side(moisture_fraction=Decimal("1.2"))]),
        (RANGE, "outputs.0.moisture_fraction"),
    ),
    Bad(
        "dry mass of half the water beside it",
        process(
            outputs=[side(mass_wet_kg=10_000, mass_dry_kg=9_000, moisture_fraction=Decimal("0.5"))]
        ),
        (Code.MOISTURE_MISMATCH, "outputs.0.mass_dry_kg"),
    ),
    Bad("assay of 110 %", of("assay", results=composition(60, 50)), (EXCEED, "results")),
    Bad(
        "assay of 110 % as is",
        of("assay", results=composition(60, 30, 20, basis="as_is")),
        (EXCEED, "results"),
    ),
    Bad(
        "assay of 105.6 % once dry",
        of("assay", moisture=_WET, results=composition(95, basis="as_is")),
        (EXCEED, "results"),
    ),
    Bad(
        "silica of 105.6 % once dry",
        of(
            "assay",
            moisture=_WET,
            results=[{"analyte": "SiO2", "value": 95, "unit": "pct", "basis": "as_is"}],
        ),
        (EXCEED, "results"),
    ),
    Bad(
        "assay of 126.7 % on two bases",
        of("assay", moisture=_WET, results=_ON_TWO),
        (EXCEED, "results"),
    ),
    Bad(
        "assay of 120 % on two bases, moisture unknown",
        of("assay", results=_ON_TWO),
        (EXCEED, "results"),
    ),
    Bad(
        "declared composition of 120 % on two bases",
        of("lot", declared_composition=_ON_TWO),
        (EXCEED, "declared_composition"),
    ),
    Bad(
        "declared composition of 120 %",
        of("lot", declared_composition=composition(60, 60)),
        (EXCEED, "declared_composition"),
    ),
    Bad(
        "origins of 1.1",
        of("lot", declared_origins=origins("0.7", "0.4")),
        (EXCEED, "declared_origins"),
    ),
    Bad(
        "one origin of 1.1",
        of("lot", declared_origins=origins("1.1")),
        (RANGE, "declared_origins.0.share"),
    ),
    Bad(
        "two parts under one part's id",
        process(inputs=[side()], close=True, part={"event_id": OWN, "no": 1}),
        (Code.BAD_VALUE, "part"),
    ),
    Bad(
        "a part with two ids",
        process(inputs=[side()], event_id=UNSEEN, part={"event_id": OWN, "no": 1}),
        (Code.BAD_VALUE, "part"),
    ),
    Bad("negative gross", of("weighing", gross_kg=-45000), (NEGATIVE, "gross_kg")),
    Bad("negative tare", of("weighing", tare_kg=-15000), (NEGATIVE, "tare_kg")),
    Bad("negative net", of("weighing", net_kg=-30000), (NEGATIVE, "net_kg")),
    Bad(
        "negative declared mass",
        of("lot", declared_mass_dry_kg=-1),
        (NEGATIVE, "declared_mass_dry_kg"),
    ),
    Bad("negative claim", of("claim", quantity_kg=-600), (NEGATIVE, "quantity_kg")),
    Bad(
        "negative output",
        process(outputs=[side(mass_wet_kg=-1)]),
        (NEGATIVE, "outputs.0.mass_wet_kg"),
    ),
    Bad("dry above wet", process(inputs=[side(mass_dry_kg=2451)]), (DRY, "inputs.0.mass_dry_kg")),
    Bad(
        "a gram of dry too much",
        process(outputs=[side(mass_dry_kg=Decimal("2450.001"))]),
        (DRY, "outputs.0.mass_dry_kg"),
    ),
    Bad(
        "tailings dry above wet",
        process(losses=[{"kind": "tailings", "mass_wet_kg": 1, "mass_dry_kg": 2}]),
        (DRY, "losses.0.mass_dry_kg"),
    ),
    Bad(
        "stock dry above wet",
        process(stock=[{"mass_wet_kg": 1, "mass_dry_kg": 2}]),
        (DRY, "stock.0.mass_dry_kg"),
    ),
    Bad("an input without lot", process(inputs=[{"mass_wet_kg": 1}]), (MISSING, "inputs.0.lot_id")),
    Bad(
        "an output without lot",
        process(outputs=[{"mass_wet_kg": 1}]),
        (MISSING, "outputs.0.lot_id"),
    ),
    Bad("an output of no name", process(outputs=[side(lot_id="")]), (MISSING, "outputs.0.lot_id")),
    Bad(
        "an output of null",
        process(outputs=[side(lot_id=None)]),
        (Code.BAD_VALUE, "outputs.0.lot_id"),
    ),
    Bad(
        "an infinite amount",
        process(attributes=[ghg(amount="Infinity")]),
        (Code.NOT_A_NUMBER, "attributes.0.amount"),
    ),
    Bad(
        "an amount beyond the books",
        process(attributes=[ghg(amount=10**13)]),
        (Code.OUT_OF_RANGE, "attributes.0.amount"),
    ),
    *(
        Bad(
            f"{name} {amount} {unit}",
            of("lot", attributes=[ghg(name=name, amount=amount, unit=unit)]),
            (RANGE, "attributes.0.amount"),
        )
        for name, amount, unit in (
            ("recycled", Decimal("1.4"), "fraction"),
            ("recycled", Decimal("-0.3"), "fraction"),
            ("verified", Decimal("100.1"), "pct"),
            ("biogenic", 2, "fraction"),
        )
    ),
    Bad(
        "recycled 1.4 of what a plant adds",
        process(attributes=[ghg(name="recycled", amount=Decimal("1.4"), unit="fraction")]),
        (RANGE, "attributes.0.amount"),
    ),
    Bad(
        "recycled in kilograms",
        of("lot", attributes=[ghg(name="recycled", amount=400, unit="kg")]),
        (Code.WRONG_UNIT, "attributes.0.unit"),
    ),
    Bad("a void of nothing", of("weighing", void=True), (MISSING, "corrects")),
    Bad("a void of no reference", of("reference", void=True), (MISSING, "corrects")),
]
"""What no gateway can take, whatever it took before."""

MISDIRECTED = [
    Bad("a correction of itself", of("weighing", event_id=OWN, corrects=OWN), MISMATCH),
    Bad("a correction of one fact by a whole process", of("processing", corrects=UNSEEN), MISMATCH),
    Bad("another stem", of("assay", corrects=id_of(TICKET)), MISMATCH, [TICKET]),
    Bad("another lot", of("weighing", lot_id="L-2", corrects=id_of(TICKET)), MISMATCH, [TICKET]),
    Bad(
        "another device",
        {**CHECK, "device_id": "WB-2", "corrects": id_of(CHECK)},
        MISMATCH,
        [CHECK],
    ),
    Bad(
        "another process",
        {**OUTPUT, "process_id": "P-2", "corrects": id_of(OUTPUT)},
        MISMATCH,
        [OUTPUT],
    ),
    Bad("another side", {**OUTPUT, "corrects": id_of(INPUT)}, MISMATCH, [INPUT]),
    Bad("a whole process as target", {**OUTPUT, "corrects": OWN}, MISMATCH, [WHOLE]),
    Bad(
        "a void of another lot's fact",
        of("weighing", lot_id="L-2", corrects=id_of(TICKET), void=True),
        MISMATCH,
        [TICKET],
    ),
    Bad(
        "a lot declared otherwise under the same id",
        of("lot", form="concentrate"),
        (Code.DUPLICATE_CONFLICT, "event_id"),
        [LOT],
    ),
    Bad(
        "a ticket of another lot under the same number",
        of("weighing", lot_id="L-2"),
        (Code.DUPLICATE_CONFLICT, "event_id"),
        [TICKET],
    ),
]
"""What contradicts what this gateway took before, or could never have an effect."""

ODD = [
    Bad("a correction", of("weighing", corrects=id_of(TICKET)), [], [TICKET]),
    Bad("a correction of a part", {**OUTPUT, "corrects": id_of(OUTPUT)}, [], [OUTPUT]),
    Bad(
        "a correction of something unseen",
        of("weighing", corrects=UNSEEN),
        ["correction_of_unseen"],
    ),
    Bad(
        "a second correction of one fact",
        of("weighing", corrects=id_of(TICKET), event_id=OWN),
        ["already_corrected"],
        [TICKET, of("weighing", corrects=id_of(TICKET))],
    ),
    Bad(
        "a second correction of something unseen",
        of("weighing", corrects=UNSEEN, event_id=OWN),
        ["correction_of_unseen", "already_corrected"],
        [of("weighing", corrects=UNSEEN)],
    ),
    Bad(
        "a correction of a correction",
        of("weighing", corrects=id_of(of("weighing", corrects=id_of(TICKET)))),
        [],
        [TICKET, of("weighing", corrects=id_of(TICKET))],
    ),
    Bad(
        "a void of a void",
        of("weighing", corrects=id_of(WITHDRAWN), void=True),
        ["void_of_void"],
        [TICKET, WITHDRAWN],
    ),
    Bad(
        "a lot declared again under another id",
        of("lot", event_id=OWN, form="concentrate"),
        ["lot_already_declared"],
        [LOT],
    ),
    Bad(
        "a lot declared again elsewhere",
        of("lot", site_id="DEPOT-LUB"),
        ["lot_already_declared"],
        [LOT],
    ),
    Bad("a correction of a declaration", of("lot", corrects=id_of(LOT)), [], [LOT]),
    Bad(
        "a lot declared anew after it was withdrawn",
        of("lot", event_id=OWN),
        [],
        [LOT, of("lot", corrects=id_of(LOT), void=True)],
    ),
    Bad(
        "a receipt heavier than its dispatch",
        of("weighing", ticket_no="R-1", purpose="receipt", gross_kg=46000, net_kg=31000),
        [],
        [TICKET],
    ),
    Bad("no water at all", process(outputs=[side(mass_dry_kg=2450)]), []),
]
"""What is taken, with the remarks it gets beside those on unknown sites and instruments."""


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(OutboxConfig(directory=tmp_path, gateway_id="GW-TEST"), lambda: NOW)
    yield opened
    opened.close()


def send(outbox: Outbox, *raws: Raw, atomic: bool = False) -> list[Answer]:
    given = terms(gateway=outbox.gateway, known=outbox.known)
    outcomes = [accept(raw, NOW, given) for raw in raws]
    bodies = [lambda: b"{}"] * len(raws)
    return outbox.submit(Submission(outcomes, bodies, NOW, atomic=atomic)).result(10)


def facts(outbox: Outbox) -> list[Entry]:
    connection = store.connect(outbox.path, read_only=True)
    entries = store.read_entries(connection, 0, 10_000)
    connection.close()
    return [entry for entry in entries if entry.seq is not None]


def remarks(answer: Answer) -> list[str]:
    warnings = answer.item["warnings"]
    assert isinstance(warnings, list)
    assert {warning["code"] for warning in warnings} <= set(WARNINGS)
    codes = [str(warning["code"]) for warning in warnings]
    return [code for code in codes if not code.startswith("unknown_")]


@pytest.mark.parametrize("row", UNREADABLE + MISDIRECTED, ids=lambda row: row.name)
def test_bad_input_is_refused_by_name_and_changes_nothing(outbox: Outbox, row: Bad) -> None:
    assert all(answer.code is None for answer in send(outbox, *row.before))
    before = facts(outbox)
    (answer,) = send(outbox, row.sent)
    assert (answer.code, answer.item.get("field")) == row.expected, answer.item
    assert facts(outbox) == before


@pytest.mark.parametrize("row", ODD, ids=lambda row: row.name)
def test_odd_input_is_taken_with_its_remarks(outbox: Outbox, row: Bad) -> None:
    assert all(answer.code is None for answer in send(outbox, *row.before))
    (answer,) = send(outbox, row.sent)
    assert answer.item["result"] == "accepted", answer.item
    assert remarks(answer) == row.expected


@pytest.mark.parametrize(
    "row", [row for row in MISDIRECTED + ODD if row.before], ids=lambda row: row.name
)
def test_in_one_list_it_is_judged_as_in_two(outbox: Outbox, row: Bad) -> None:
    answer = send(outbox, *row.before, row.sent)[-1]
    if isinstance(row.expected, list):
        assert remarks(answer) == row.expected
    else:
        assert (answer.code, answer.item["field"]) == row.expected


@pytest.mark.parametrize("row", ODD, ids=lambda row: row.name)
def test_a_repeat_is_a_duplicate_and_not_remarked_on(outbox: Outbox, row: Bad) -> None:
    send(outbox, *row.before, row.sent)
    (again,) = send(outbox, row.sent)
    said = {name: value for name, value in again.item.items() if name != "parts"}
    assert said == {"result": "duplicate", "event_id": id_of(row.sent)}


def test_a_target_that_was_pruned_cannot_be_compared_and_is_remarked_on(tmp_path: Path) -> None:
    config = OutboxConfig(directory=tmp_path, gateway_id="GW-TEST", keep_published_s=0.0)
    first = Outbox(config, lambda: NOW)
    send(first, TICKET, LOT)
    entries = store.read_entries(first._reader, 0, 10)
    first.acknowledge([store.Ack(entry.no, entry.no, NOW) for entry in entries])
    first.close()
    later = Outbox(config, lambda: Micros(NOW + 90_000_000))
    # One thread does all: what is old is dropped between this submission and the next.
    send(later, of("weighing", ticket_no="T-2"))
    elsewhere = of("weighing", lot_id="L-2", corrects=id_of(TICKET))
    again, declared = send(later, elsewhere, of("lot", event_id=OWN))
    assert remarks(again) == ["correction_unchecked"]
    assert remarks(declared) == ["lot_already_declared"]
    assert {entry.event_id for entry in facts(later)}.isdisjoint({id_of(TICKET), id_of(LOT)})
    later.close()


def test_what_was_corrected_is_known_after_a_restart(tmp_path: Path) -> None:
    config = OutboxConfig(directory=tmp_path, gateway_id="GW-TEST")
    first = Outbox(config, lambda: NOW)
    send(first, TICKET, WITHDRAWN)
    first.close()
    second = Outbox(config, lambda: NOW)
    found = send(
        second,
        of("weighing", corrects=id_of(TICKET), event_id=OWN),
        of("weighing", corrects=id_of(WITHDRAWN), void=True),
    )
    assert [remarks(answer) for answer in found] == [["already_corrected"], ["void_of_void"]]
    second.close()


def test_a_wrong_lot_is_put_right_by_two_records_in_one_call(outbox: Outbox) -> None:
    send(outbox, TICKET)
    right = of("weighing", lot_id="L-24-0118", event_id=OWN)
    answers = send(outbox, WITHDRAWN, right, atomic=True)
    assert [answer.item["result"] for answer in answers] == ["accepted", "accepted"]
    assert [remarks(answer) for answer in answers] == [[], []]
    assert [entry.key for entry in facts(outbox)] == [b"L-24-0117", b"L-24-0117", b"L-24-0118"]
    again = send(outbox, WITHDRAWN, right, atomic=True)
    assert [answer.item["result"] for answer in again] == ["duplicate", "duplicate"]


def test_neither_of_the_two_records_is_taken_where_one_cannot_be(outbox: Outbox) -> None:
    send(outbox, TICKET)
    before = facts(outbox)
    wrong = of("weighing", lot_id="L-24-0118", event_id=OWN, net_kg=1)
    answers = send(outbox, WITHDRAWN, wrong, atomic=True)
    assert [answer.code for answer in answers] == [Code.ATOMIC_LIST, Code.NET_MISMATCH]
    assert facts(outbox) == before
    # Nothing of it is remembered either: the same correction is not its own predecessor.
    (alone,) = send(outbox, WITHDRAWN)
    assert remarks(alone) == []


def documented() -> list[tuple[str, str, dict[str, object]]]:
    """Code, type and change of each example in the table of reasons."""
    page = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\| `(\w+) (\{.+\})` \|", page, flags=re.MULTILINE)
    return [(code, stem, json.loads(text, parse_float=Decimal)) for code, stem, text in rows]


@pytest.mark.parametrize(
    ("code", "stem", "change"), documented(), ids=lambda value: str(value)[:20]
)
def test_an_example_of_the_documents_is_refused_as_it_says(
    code: str, stem: str, change: dict[str, object]
) -> None:
    outcome = accept(of(stem, **change), NOW, terms())
    assert isinstance(outcome, Refusal)
    assert outcome.code.value == code


def test_every_reason_has_an_example_but_for_those_that_need_more_than_one_request() -> None:
    more = {
        Code.TOO_MANY_ITEMS,
        Code.UNKNOWN_REFERENCE,
        Code.DUPLICATE_CONFLICT,
        Code.ATOMIC_LIST,
    }
    assert [code for code, _, _ in documented()] == [
        code.value for code in Code if code not in more
    ]


def test_every_remark_on_corrections_and_declarations_has_a_row() -> None:
    rows = {code for row in ODD for code in row.expected}
    elsewhere = {"clock_ahead", "old_date", "correction_unchecked"}
    named = {code for code in WARNINGS if not code.startswith("unknown_")}
    assert rows == named - elsewhere
