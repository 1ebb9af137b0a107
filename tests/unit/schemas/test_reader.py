"""The verdicts of the shared reader, alike for few records and for many."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import pytest

from custody.errors import Unavailable
from custody.events import LotDeclared, LotWeighed, ReferenceSet
from custody.records import DeadLetter
from schemas import codec, topics
from schemas.partition import partition_of
from schemas.plan import Leaf, Struct, own_plan
from schemas.reader import COLUMN_ROWS_MIN, Batch, read_batch
from schemas.registry import StaticCatalog, Writer
from schemas.routes import BY_STEM, BY_TYPE, Record
from tests.support import golden

PARTITIONS = 4
CATALOG = StaticCatalog()

Read = Callable[..., Batch]


def framed(record: Record) -> bytes:
    return codec.frame(CATALOG.schema_id(BY_TYPE[type(record)].stem), codec.encode(record))


def example(stem: str) -> Record:
    return golden.records(stem)[0]


A_WEIGHING = cast(LotWeighed, example("weighing"))
A_LOT = cast(LotDeclared, example("lot"))
KEY = b"L-24-0117"


@pytest.fixture(params=[0, COLUMN_ROWS_MIN], ids=["rows", "columns"])
def read(request: pytest.FixtureRequest) -> Read:
    """Read one value on its right place, among good weighings or alone."""

    def read_one(
        value: bytes | None, *, topic: str = topics.FACT, key: bytes | None = KEY, shift: int = 0
    ) -> Batch:
        partition = (partition_of(key or KEY, PARTITIONS) + shift) % PARTITIONS
        good = [codec.encode(A_WEIGHING)] * request.param if value else []
        frame = value[:5] if value else b""
        values: Sequence[bytes | None] = [value, *(frame + body for body in good)]
        return read_batch(topic, partition, PARTITIONS, [key] * len(values), values, CATALOG)

    return read_one


def verdict(batch: Batch) -> tuple[str, str]:
    first = batch.bad[0]
    assert first.index == 0
    return first.reason, first.detail


def test_a_good_record_comes_back(read: Read) -> None:
    batch = read(framed(A_WEIGHING))

    assert not batch.bad
    [group] = batch.groups
    assert group.stem == "weighing"
    assert group.index[0] == 0
    assert group.event(0) == A_WEIGHING


@pytest.mark.parametrize("value", [None, b"", b"\0\0\0\0", b"\1\0\0\0\2abc", b"hello world"])
def test_what_is_not_framed_is_undecodable(read: Read, value: bytes | None) -> None:
    assert verdict(read(value))[0] == "undecodable"


def test_an_unknown_schema_id_is_named(read: Read) -> None:
    value = codec.frame(4_242, codec.encode(A_WEIGHING))

    assert verdict(read(value)) == ("unknown_schema", "schema id 4242")


def test_a_record_on_a_topic_of_others_is_named(read: Read) -> None:
    reason, detail = verdict(read(framed(example("head")), key=b"GW-TEST"))

    assert reason == "wrong_topic"
    assert topics.HEAD in detail


def test_a_record_on_another_partition_is_named(read: Read) -> None:
    reason, detail = verdict(read(framed(A_WEIGHING), shift=1))

    assert reason == "wrong_partition"
    assert str(partition_of(KEY, PARTITIONS)) in detail


def test_a_record_without_a_key_stands_on_no_partition(read: Read) -> None:
    assert verdict(read(framed(A_WEIGHING), key=None)) == ("wrong_partition", "no key")


def test_a_second_record_behind_the_first_is_undecodable(read: Read) -> None:
    value = framed(A_WEIGHING) + codec.encode(A_WEIGHING)

    assert verdict(read(value))[0] == "undecodable"


def test_a_truncated_body_is_undecodable(read: Read) -> None:
    value = framed(A_WEIGHING)

    for cut in range(5, len(value)):
        assert verdict(read(value[:cut]))[0] == "undecodable", cut


def test_a_negative_mass_is_out_of_range(read: Read) -> None:
    reason, detail = verdict(read(framed(replace(A_WEIGHING, net_g=-1))))

    assert reason == "out_of_range"
    assert detail.startswith("net_g: ")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
def test_a_real_that_is_no_quantity_is_out_of_range(read: Read, value: float) -> None:
    assert verdict(read(framed(replace(A_WEIGHING, volume_m3=value))))[0] == "out_of_range"


def test_a_fraction_above_one_in_a_list_is_out_of_range(read: Read) -> None:
    declared = tuple(replace(one, fraction=1.5) for one in A_LOT.declared_composition)
    assert declared

    reason, detail = verdict(read(framed(replace(A_LOT, declared_composition=declared))))

    assert (reason, detail.split(":")[0]) == ("out_of_range", "declared_composition.fraction")


def test_a_list_may_be_as_long_as_its_cap_and_no_longer(read: Read) -> None:
    full = replace(A_LOT, tags=("t",) * 2_000, declared_origins=())
    over = replace(A_LOT, tags=("t",) * 2_001, declared_origins=())

    assert read(framed(full)).groups
    assert verdict(read(framed(over))) == ("too_many_items", "tags: more than 2000 items")


def test_a_count_of_a_billion_items_is_refused_before_they_are_read(read: Read) -> None:
    record = replace(A_LOT, tags=("MARK",))
    body = codec.encode(record)
    at = body.index(b"\x02\x08MARK")
    billion = bytes.fromhex("80a8d6b907")

    value = framed(record)[:5] + body[:at] + billion + body[at + 1 :]

    assert verdict(read(value))[0] == "too_many_items"


@pytest.mark.parametrize(
    ("size", "good"), [(5, True), (4, False), (6, False), (-1, False), (-(1 << 62), False)]
)
def test_a_sized_block_must_be_of_the_size_it_says(read: Read, size: int, *, good: bool) -> None:
    record = replace(A_LOT, tags=("MARK",))
    body = codec.encode(record)
    at = body.index(b"\x02\x08MARK")

    value = framed(record)[:5] + body[:at] + b"\x01" + zigzag(size) + body[at + 1 :]
    batch = read(value)

    if good:
        assert batch.groups[0].event(0) == record
    else:
        assert verdict(batch)[0] == "undecodable"


def test_a_message_may_be_as_large_as_its_limit_and_no_larger(read: Read) -> None:
    room = 65_536 - len(framed(replace(A_WEIGHING, source_ref="")))
    fits = framed(replace(A_WEIGHING, source_ref="x" * (room - 2)))
    assert len(fits) == 65_536

    assert read(fits).groups
    assert verdict(read(framed(replace(A_WEIGHING, source_ref="x" * (room - 1)))))[0] == "too_large"


def test_text_that_is_not_utf_8_is_undecodable(read: Read) -> None:
    value = framed(A_WEIGHING).replace(b"WB-KOV-1", b"WB-KOV\xc3\x28")

    assert verdict(read(value)) == ("undecodable", "device_id: not UTF-8")


def test_bad_utf_8_that_would_join_over_two_fields_is_found(read: Read) -> None:
    lot = replace(A_LOT, tags=("abc", "xyz"))
    value = framed(lot).replace(b"abc", b"ab\xc3").replace(b"xyz", b"\xa9yz")

    assert verdict(read(value))[0] == "undecodable"


def test_a_number_beyond_64_bits_is_undecodable(read: Read) -> None:
    seq = codec.encode(A_WEIGHING).index(zigzag(A_WEIGHING.gateway_epoch) + zigzag(1))
    body = codec.encode(A_WEIGHING)

    for number in (b"\xff" * 9 + b"\x02", b"\xff" * 10 + b"\x01", b"\x80" * 10 + b"\x00"):
        value = framed(A_WEIGHING)[:5] + body[: seq + 1] + number + body[seq + 2 :]
        assert verdict(read(value))[0] == "undecodable"


def test_a_reference_must_name_its_own_partition() -> None:
    reference = cast(ReferenceSet, example("reference"))
    values = [framed(replace(reference, partition=p)) for p in (2, 1, 2)]

    batch = read_batch(topics.CONTROL, 2, PARTITIONS, [b"any"] * 3, values, CATALOG)

    assert batch.groups[0].index.tolist() == [0, 2]
    assert [(bad.index, bad.reason) for bad in batch.bad] == [(1, "wrong_partition")]


def test_a_copy_for_a_partition_that_is_not_there_stands_on_another() -> None:
    reference = cast(ReferenceSet, example("reference"))
    values = [framed(replace(reference, partition=p)) for p in (2, 2 + PARTITIONS, 3 + PARTITIONS)]

    batch = read_batch(topics.CONTROL, 2, PARTITIONS, [b"any"] * 3, values, CATALOG)

    assert batch.groups[0].index.tolist() == [0, 1]
    assert [(bad.index, bad.reason) for bad in batch.bad] == [(2, "wrong_partition")]


def test_many_references_must_name_their_own_partition() -> None:
    reference = cast(ReferenceSet, example("reference"))
    values = [framed(replace(reference, partition=p % 2)) for p in range(2 * COLUMN_ROWS_MIN)]

    batch = read_batch(topics.CONTROL, 1, PARTITIONS, [b"any"] * len(values), values, CATALOG)

    assert batch.groups[0].index.tolist() == list(range(1, 2 * COLUMN_ROWS_MIN, 2))
    assert {bad.index % 2 for bad in batch.bad} == {0}


def test_a_dead_letter_may_stand_on_any_partition() -> None:
    letter = cast(DeadLetter, example("dead_letter"))
    value = framed(replace(letter, value=b"x" * 100_000))

    batch = read_batch(topics.DEAD_LETTER, 3, PARTITIONS, [None], [value], CATALOG)

    assert not batch.bad


def test_a_registry_that_is_down_is_not_a_verdict() -> None:
    class Down:
        def schema_id(self, stem: str) -> int:
            raise Unavailable(stem)

        def writer(self, schema_id: int) -> Writer | None:
            raise Unavailable(str(schema_id))

    with pytest.raises(Unavailable):
        read_batch(topics.FACT, 0, 1, [KEY], [framed(A_WEIGHING)], Down())


def test_an_empty_batch_has_nothing() -> None:
    assert read_batch(topics.FACT, 0, 1, [], [], CATALOG) == Batch()


def test_required_numbers_are_arrays_and_the_rest_lists() -> None:
    for count in (1, COLUMN_ROWS_MIN):
        values = [framed(A_WEIGHING)] * count
        partition = partition_of(KEY, PARTITIONS)
        batch = read_batch(topics.FACT, partition, PARTITIONS, [KEY] * count, values, CATALOG)
        [group] = batch.groups
        assert group.column("net_g").dtype == "int64"  # type: ignore[union-attr]
        assert group.column("void").dtype == "bool"  # type: ignore[union-attr]
        assert group.column("purpose") == ["dispatch"] * count
        assert group.column("u_random_g") == [None] * count


def test_the_zeros_behind_a_batch_outlast_any_run_of_fields() -> None:
    def leaves(node: object) -> int:
        if isinstance(node, Struct):
            return sum(leaves(member.node) for member in node.members)
        inner = getattr(node, "inner", None) or getattr(node, "item", None)
        return 1 if isinstance(node, Leaf) or inner is None else 1 + leaves(inner)

    for stem in BY_STEM:
        assert 10 * leaves(own_plan(stem).root) < 8_192 - 16


def zigzag(value: int) -> bytes:
    word = (value << 1) ^ (value >> 63)
    out = bytearray()
    while word > 0x7F:
        out.append(word & 0x7F | 0x80)
        word >>= 7
    return bytes([*out, word])
