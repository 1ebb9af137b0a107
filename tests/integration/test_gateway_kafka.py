"""Outbox to a real broker: everything accepted arrives, once in effect, in order."""

import json
import random
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from custody.digest import merkle_root
from custody.heads import Head, is_signed
from producers import store
from producers.service import Gateway, Options
from runtime.stack import ports
from schemas import topics
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.registry import StaticCatalog
from tests.support import gateway as support
from tests.support import stack
from tests.support.heard import assert_whole_chain, heard_once, records_of

pytestmark = pytest.mark.integration

CATALOG = StaticCatalog()


@pytest.fixture
def broker(kafka: str) -> str:
    support.ensure_topics(kafka)
    return kafka


def drained(gateway: Gateway) -> bool:
    return gateway.outbox.depth == 0


def test_every_stem_reaches_its_topic_with_key_partition_and_digest(
    broker: str, tmp_path: Path
) -> None:
    with support.running(support.config(tmp_path, broker, "GW-STEMS")) as gateway:
        stems = sorted(
            path.name for path in support.GOLDEN.iterdir() if (path / "request.json").exists()
        )
        answers = gateway.take([support.golden(stem) for stem in stems], Options(), "t").result(30)
        assert [answer.item["result"] for answer in answers] == ["accepted"] * len(stems)
        support.wait_for(lambda: drained(gateway))
        found = gateway.event(str(answers[0].item["event_id"]))
    mine = records_of(support.read_all(broker), "GW-STEMS")
    kept = heard_once(mine)
    assert_whole_chain(kept)
    assert found is not None
    assert found["state"] == "published"
    by_stem = defaultdict(list)
    for record, event, stem in mine:
        by_stem[stem].append((record, event))
        if stem != "reference":
            assert record.partition == partition_of(record.key, support.PARTITIONS)
    assert sorted(by_stem) == sorted([*stems, "head"])
    assert [r.partition for r, _ in by_stem["reference"]] == [0, 1, 2, 3]
    assert {r.topic for r, _ in by_stem["reference"] + by_stem["action"]} == {topics.CONTROL}
    assert {r.key for r, _ in by_stem["action"]} == {b"L-24-0117"}


def test_a_head_states_size_digest_and_root_of_what_stands_before_it(
    broker: str, tmp_path: Path
) -> None:
    with support.running(support.config(tmp_path, broker, "GW-HEADS"), publish=False) as gateway:
        gateway.take([support.ticket(no) for no in range(50)], Options(), "t").result(30)
        gateway.outbox.write_head()
        gateway.start()
        support.wait_for(lambda: drained(gateway))
    mine = records_of(support.read_all(broker), "GW-HEADS")
    heads = [event for _, event, stem in mine if stem == "head"]
    kept = heard_once(mine)
    last = heads[-1]
    assert isinstance(last, Head)
    digests = [kept[seq][0].headers["digest"] for seq in sorted(kept)]
    assert (last.size, last.last_seq, last.digest) == (50, 50, digests[-1])
    assert last.merkle_root == merkle_root(digests)
    assert last.key_id == gateway.outbox.signer.key_id
    assert is_signed(last, gateway.outbox.signer.public)


def test_what_is_accepted_without_a_broker_arrives_when_it_comes(tmp_path: Path) -> None:
    port = ports.any_free()
    bootstrap = f"127.0.0.1:{port}"
    with support.running(support.config(tmp_path / "gw", bootstrap, "GW-EARLY")) as gateway:
        early = gateway.take([support.ticket(no) for no in range(200)], Options(), "t").result(30)
        assert {answer.item["result"] for answer in early} == {"accepted"}
        assert gateway.health().ok
        with stack.running_kafka(tmp_path / "kafka", port=port):
            support.ensure_topics(bootstrap)
            support.wait_for(lambda: drained(gateway))
            kept = heard_once(records_of(support.read_all(bootstrap), "GW-EARLY"))
    assert_whole_chain(kept)
    assert len(kept) == 200


def test_a_backlog_of_one_partition_keeps_no_other_waiting(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka acknowledges what was accepted last in the first half, and the backlog in its order."""
    lots = {partition_of(f"L-{no}".encode(), support.PARTITIONS): f"L-{no}" for no in range(40)}
    backlog = [support.ticket(no, lot_id=lots[0]) for no in range(3_000)]
    with support.running(support.config(tmp_path, broker, "GW-TURNS"), publish=False) as gateway:
        gateway.take(backlog, Options(), "t").result(60)
        gateway.take([support.ticket(3_000, lot_id=lots[1])], Options(), "t").result(30)
        acked: list[int] = []
        acknowledge = gateway.outbox.acknowledge

        def noted(acks: Sequence[store.Ack]) -> None:
            acked.extend(ack.no for ack in acks)
            acknowledge(acks)

        monkeypatch.setattr(gateway.outbox, "acknowledge", noted)
        last = gateway.outbox.committed_no
        gateway.start()
        support.wait_for(lambda: drained(gateway))
    assert acked.index(last) < len(backlog) / 2
    kept = heard_once(records_of(support.read_all(broker), "GW-TURNS"))
    assert_whole_chain(kept)
    assert len(kept) == len(backlog) + 1


@pytest.mark.fault
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_gateway_loses_nothing_and_counts_nothing_twice(
    broker: str, tmp_path: Path, seed: int
) -> None:
    """kill -9 at seeded moments while posting; every 202 is in Kafka once in effect."""
    chance = random.Random(seed)
    name = f"GW-KILL-{seed}"
    (tmp_path / "gw").mkdir()
    process = support.Process(tmp_path / "gw", broker, name)
    process.start()
    promised: set[str] = set()
    posted = 0
    for _ in range(3):
        ending = threading.Timer(0.2 + chance.random() * 0.8, process.kill)
        ending.start()
        posted = post_until_it_dies(process, posted, promised)
        ending.join()
        process.start()
    # A sender that got no answer sends again: what was taken is a duplicate.
    for start in range(0, posted, 20):
        promised.update(post(process, range(start, start + 20)))
    support.wait_for(lambda: support.waiting(process) == 0)
    assert process.terminate() == 0
    kept = heard_once(records_of(support.read_all(broker), name))
    assert_whole_chain(kept)
    ids = [event_id for _, _, event_id in kept.values()]
    assert len(ids) == len(set(ids)) == posted, f"seed {seed}"
    assert set(ids) == promised


def post(process: support.Process, numbers: range) -> list[str]:
    """Ids of what was accepted or known; raises where no answer comes."""
    response = httpx.post(
        f"{process.url}/v1/events",
        params={"backfill": "true"},
        headers={"Authorization": f"Bearer {process.token}"},
        content="[" + ",".join(_text(no) for no in numbers) + "]",
    )
    assert response.status_code == 202, response.text
    return [item["event_id"] for item in response.json()]


def post_until_it_dies(process: support.Process, posted: int, promised: set[str]) -> int:
    while True:
        try:
            promised.update(post(process, range(posted, posted + 20)))
        except httpx.TransportError:
            return posted + 20
        posted += 20


def _text(no: int) -> str:
    return json.dumps(support.ticket(no))


def test_what_was_taken_under_a_wrong_partition_count_arrives_on_the_right_ones(
    broker: str, tmp_path: Path
) -> None:
    right = support.config(tmp_path, broker, "GW-COUNT")
    for wrong in (32, 2):
        mistaken = replace(right, outbox=replace(right.outbox, partitions=wrong))
        with support.running(mistaken) as gateway:
            taken = [support.ticket(1_000 * wrong + no) for no in range(20)]
            gateway.take([*taken, reference(wrong)], Options(), "t").result(30)
            support.wait_for(lambda gateway=gateway: named(gateway, "CUSTODY_KAFKA__PARTITIONS"))  # type: ignore[misc]  # bound early
            assert gateway.outbox.depth >= 20 + wrong
        with support.running(right) as gateway:
            support.wait_for(lambda gateway=gateway: drained(gateway))  # type: ignore[misc]  # bound early
            assert gateway.health().fields["warning"] == ""
    mine = records_of(support.read_all(broker), "GW-COUNT")
    assert_whole_chain(heard_once(mine))
    for record, _, stem in mine:
        place = record.partition, support.PARTITIONS
        batch = read_batch(record.topic, *place, [record.key], [record.value], CATALOG)
        assert not batch.bad, stem
    for wrong in (32, 2):
        copies = [r.partition for r, e, _ in mine if getattr(e, "id", "") == f"WB-{wrong}"]
        assert set(copies) == set(range(support.PARTITIONS))


def reference(no: int) -> dict[str, object]:
    """A record that every partition gets a copy of."""
    return {**support.golden("reference"), "id": f"WB-{no}"}


def named(gateway: Gateway, text: str) -> bool:
    """Whether a gateway's health names something, for whoever reads and whoever is warned."""
    fields = gateway.health().fields
    return text in str(fields["publisher"]) and text in str(fields["warning"])
