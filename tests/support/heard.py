"""What a receiver hears of a gateway: repeats dropped as worker and sink drop them."""

from collections import defaultdict

from custody.digest import GENESIS, first_break
from schemas import avro
from schemas.codec import schema_id_of
from schemas.registry import StaticCatalog
from tests.support.gateway import Published

CATALOG = StaticCatalog()


def records_of(found: list[Published], gateway_id: str) -> list[tuple[Published, object, str]]:
    """Records of one gateway with their event and stem, repeats included."""
    mine: list[tuple[Published, object, str]] = []
    for record in found:
        writer = CATALOG.writer(schema_id_of(record.value))
        assert writer is not None
        event = writer.read(record.value, 5)
        if getattr(event, "gateway_id", "") == gateway_id:
            mine.append((record, event, writer.stem))
    return mine


def heard_once(mine: list[tuple[Published, object, str]]) -> dict[int, tuple[Published, str, str]]:
    """What a receiver keeps that drops, per partition, what is not above the highest seq."""
    highest: dict[tuple[str, int], int] = defaultdict(int)
    kept: dict[int, tuple[Published, str, str]] = {}
    for record, event, stem in mine:
        if stem == "head":
            continue
        seq, event_id = event.gateway_seq, event.event_id  # type: ignore[attr-defined]
        place = (record.topic, record.partition)
        if seq > highest[place]:
            highest[place] = seq
            kept[seq] = (record, stem, event_id)
    return kept


def assert_whole_chain(kept: dict[int, tuple[Published, str, str]]) -> None:
    assert sorted(kept) == list(range(1, len(kept) + 1)), "gateway_seq has holes"
    chain = [
        (record.headers["prev"], avro.fingerprint(stem), record.value[5:], record.headers["digest"])
        for record, stem, _ in (kept[seq] for seq in sorted(kept))
    ]
    assert first_break(GENESIS, chain) is None
