"""What would become of dead letters sent again: judged as worker and sink judge, without them."""

from collections.abc import Mapping, Sequence

from runtime import replay
from runtime.replay import BY_NUMBER, READABLE, STORED, UNREADABLE, Letter, Verdict, judged
from schemas import topics
from schemas.partition import partition_of
from tests.support.sinks import CATALOG, PARTITIONS, framed, lot_on, sighting, weighing
from tests.support.streams import reference

COUNTS = {topic.name: PARTITIONS for topic in topics.TOPICS}
LOT = lot_on(2)
FACT = weighing(LOT, 7)

Asked = Mapping[str, str]


class Rows:
    """A warehouse in which records of some names have a row."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def __call__(self, _query: str, params: Asked) -> Sequence[Mapping[str, object]]:
        self.asked += params["names"].split(",")
        return [{"name": name} for name in self.names if name in self.asked]


def letter(value: bytes | None, key: bytes | None, topic: str = topics.FACT) -> Letter:
    return Letter(topic, 2, 100, "unknown_schema", key, value, ())


def verdict_of(one: Letter, rows: Rows | None = None) -> Verdict:
    [found] = judged([one], COUNTS, CATALOG, rows or Rows())
    return found


def test_what_can_be_read_now_goes_where_it_stood() -> None:
    found = verdict_of(letter(framed(FACT), LOT.encode()))
    assert (found.result, found.partition, found.stem) == (READABLE, 2, "weighing")
    assert found.event_id == FACT.event_id


def test_what_has_a_row_is_not_sent() -> None:
    rows = Rows(FACT.event_id)
    assert verdict_of(letter(framed(FACT), LOT.encode()), rows).result == STORED


def test_what_stood_on_a_wrong_partition_goes_to_that_of_its_key() -> None:
    key = lot_on(3).encode()
    found = verdict_of(letter(framed(weighing(key.decode(), 7)), key))
    assert (found.result, found.partition) == (READABLE, partition_of(key, PARTITIONS))


def test_a_copy_of_a_reference_record_goes_to_the_partition_it_names() -> None:
    record = reference("WB-1", 1, 5)
    one = letter(framed(record), b"device/WB-1", topics.CONTROL)
    rows = Rows(f"{record.event_id}/2")
    found = verdict_of(one, rows)
    assert (found.result, found.partition) == (READABLE, 1)
    assert rows.asked == [f"{record.event_id}/1"], "another partition's copy is another record"


def test_what_still_cannot_be_read_says_why() -> None:
    good = framed(FACT)
    cases = {
        b"": "undecodable",
        good[:-2]: "undecodable",
        b"\x00\x00\x0f\x42\x40" + good[5:]: "unknown_schema",
        framed(sighting("worker/0", 1, "seal/A")): "wrong_topic",
    }
    for value, reason in cases.items():
        found = verdict_of(letter(value, LOT.encode()))
        assert (found.result, found.detail.partition(":")[0]) == (UNREADABLE, reason)
        assert found.partition == 2
    assert verdict_of(letter(good, None)).detail == "wrong_partition: no key"


def test_what_workers_count_is_not_sent_again() -> None:
    value = framed(sighting("worker/0", 1, "seal/A"))
    key = lot_on(2).encode()
    assert verdict_of(letter(value, key, topics.FLOW)).result == BY_NUMBER


def test_a_topic_that_is_not_there_takes_nothing() -> None:
    [found] = judged([letter(framed(FACT), LOT.encode())], {}, CATALOG, Rows())
    assert (found.result, found.detail) == (
        UNREADABLE,
        "wrong_partition: topic custody.fact.v1 is not there, or not ours to see",
    )


def test_letters_are_read_to_their_end_in_blocks() -> None:
    rows = [
        {
            "topic": "t", "partition": 0, "offset": n, "reason": "undecodable", "no_key": n % 2,
            "key": "", "no_value": 0, "value": "00", "header_names": ["a"], "header_hex": ["FF"],
        }
        for n in range(replay.PAGE_LETTERS + 5)
    ]  # fmt: skip

    def ask(_query: str, params: Asked) -> Sequence[Mapping[str, object]]:
        after = [row for row in rows if int(str(row["offset"])) > int(params["offset"])]
        return after[: int(params["limit"])]

    found = list(replay.letters(ask))
    assert [len(block) for block in found] == [replay.PAGE_LETTERS, 5]
    assert [one.offset for block in found for one in block] == list(range(len(rows)))
    assert found[0][0] == Letter("t", 0, 0, "undecodable", b"", b"\x00", (("a", b"\xff"),))
    assert found[0][1].key is None
