"""Laws of the gateway: re-runs are duplicates, numbers have no holes, any JSON gets an answer."""

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody import units
from custody.digest import GENESIS, first_break, merkle_root, unpack_frontier
from producers import store
from producers.chain import Chain, Entry, genesis
from producers.fields import mass_g, moment
from producers.group import Answer, Submission
from producers.judge import accept
from producers.outbox import Outbox
from producers.outcome import Accepted, Refusal
from producers.requests import MODELS
from producers.signing import Signer
from schemas.codec import decode, encode
from schemas.limits import violation
from tests.support.gateway import NOW, config, golden, terms, ticket

STEMS = list(MODELS)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def outbox() -> Iterator[Outbox]:
    with tempfile.TemporaryDirectory() as directory:
        opened = Outbox(config(Path(directory)).outbox, lambda: NOW)
        try:
            yield opened
        finally:
            opened.close()


def send(to: Outbox, raws: list[object]) -> list[Answer]:
    outcomes = [accept(raw, NOW, terms(gateway=to.gateway, known=to.known)) for raw in raws]
    bodies = [lambda: b""] * len(raws)
    return to.submit(Submission(outcomes, bodies, NOW)).result(30)


def entries(of: Outbox) -> list[Entry]:
    reader = store.connect(of.path, read_only=True)
    found = store.read_entries(reader, 0, 100_000)
    reader.close()
    return [entry for entry in found if entry.seq is not None]


@st.composite
def bent_requests(draw: st.DrawFn) -> object:
    """A golden request with some values replaced by arbitrary JSON."""
    raw = golden(draw(st.sampled_from(STEMS)))
    for name in draw(st.lists(st.sampled_from(list(raw)), max_size=3)):
        raw[name] = draw(JSON)
    for name in draw(st.lists(st.text(max_size=5), max_size=1)):
        raw[name] = draw(JSON)
    return raw


@MANY
@given(JSON | bent_requests())
def test_any_json_gets_records_that_fit_their_schema_or_a_named_refusal(raw: object) -> None:
    outcome = accept(raw, NOW, terms())
    if isinstance(outcome, Refusal):
        json.dumps(outcome.answer())
        return
    for draft in outcome.drafts:
        record = replace(draft.record, gateway_seq=1)
        assert decode(draft.stem, encode(record)) == record
        assert violation(record) is None


@FEW
@given(st.lists(st.integers(0, 30) | st.sampled_from(STEMS) | st.just(None), max_size=30))
def test_a_rerun_of_a_file_adds_nothing(lines: list[int | str | None]) -> None:
    raws: list[object] = [
        ticket(line) if isinstance(line, int) else golden(line) if line else {"type": "?"}
        for line in lines
    ]
    with outbox() as opened:
        first = send(opened, raws)
        stored = entries(opened)
        again = send(opened, raws)
        assert entries(opened) == stored
    for before, after in zip(first, again, strict=True):
        if before.code is None:
            assert after.item["result"] == "duplicate"
            assert after.item["event_id"] == before.item["event_id"]
        else:
            assert after.code is before.code


@FEW
@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_concurrent_senders_leave_no_hole_and_a_whole_chain(chance: object, senders: int) -> None:
    numbers = [*range(60), *range(0, 60, 7)]
    chance.shuffle(numbers)  # type: ignore[attr-defined]  # a random.Random
    lists = [[ticket(no), golden("processing")] for no in numbers]
    with outbox() as opened:
        with ThreadPoolExecutor(senders) as pool:
            answers = list(pool.map(lambda raws: send(opened, list(raws)), lists))
        found = entries(opened)
        position = opened._chain.position()
    assert [entry.seq for entry in found] == list(range(1, 60 + 5 + 1))
    taken = sum(answer.accepted for group in answers for answer in group)
    assert taken == len(found) == len({entry.event_id for entry in found})
    chain = [(e.prev or b"", e.fingerprint, e.body, e.digest or b"") for e in found]
    assert first_break(GENESIS, chain) is None
    digests = [entry.digest or b"" for entry in found]
    assert unpack_frontier(position.frontier).root() == merkle_root(digests)


@MANY
@given(st.data())
def test_any_single_change_breaks_the_chain(data: st.DataObject) -> None:
    links = Chain("GW-TEST", 4, genesis(1, 0), Signer("GW-TEST", bytes(32)))
    drafts = [accept(ticket(no), NOW, terms()) for no in range(5)]
    found = [links.append(a.drafts[0], NOW) for a in drafts if isinstance(a, Accepted)]
    chain = [(e.prev or b"", e.fingerprint, e.body, e.digest or b"") for e in found]
    where = data.draw(st.integers(0, len(chain) - 1))
    part = data.draw(st.integers(0, 3))
    raw = bytearray(chain[where][part])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    link = list(chain[where])
    link[part] = bytes(raw)
    chain[where] = (link[0], link[1], link[2], link[3])
    assert first_break(GENESIS, chain) == where


@given(st.integers(0, 10**13))
def test_a_mass_is_the_same_in_grams_kilograms_and_tonnes(grams: int) -> None:
    kilograms, tonnes = Decimal(grams) / 1000, Decimal(grams) / 10**6
    assert mass_g(kilograms) == mass_g(str(kilograms) if kilograms > 1 else kilograms) == grams
    assert mass_g({"value": tonnes, "unit": "t"}) == mass_g({"value": grams, "unit": "g"}) == grams


@given(
    st.decimals(0, 100, places=6, allow_nan=False, allow_infinity=False),
    st.sampled_from(sorted(units.PER_FRACTION)),
)
def test_what_was_posted_comes_back_in_its_unit(value: Decimal, unit: str) -> None:
    assert units.reported(units.fraction(value, unit), unit) == float(value)


@given(st.datetimes(timezones=st.timezones()).filter(lambda at: 1900 < at.year < 2299))
def test_a_time_is_read_to_the_microsecond_whatever_its_offset(at: object) -> None:
    text = at.isoformat()  # type: ignore[attr-defined]  # a datetime
    if text.count(":") > 3:  # offsets with seconds are no RFC 3339
        return
    read = moment(text)
    assert abs(read.at - round(at.timestamp() * 1_000_000)) <= 16  # type: ignore[attr-defined]
    assert read.offset_min == at.utcoffset().total_seconds() / 60  # type: ignore[attr-defined]
