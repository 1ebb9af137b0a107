"""An auditor that starts anew knows what was said before it, from the tables."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from custody.audit import BROKEN, UNKNOWN, Fault
from custody.records import Sighting
from runtime.audit import live
from schemas.codec import decode
from tests.support.gateway import NOW
from tests.support.sinks import CATALOG, PARTITIONS
from tests.support.store import Store, opened

pytestmark = [pytest.mark.integration]

STANDS = Fault(UNKNOWN, "GW-A", "GW-A", "no key of it")
GONE = Fault(BROKEN, "GW-A", "1/18", "another digest")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sighting]:
    """What auditors say. No broker: what is asked is what is read from the tables."""
    words: list[Sighting] = []

    def deliver(kafka: object, partition: int, key: bytes, value: bytes) -> None:  # noqa: ARG001
        word = decode("sighting", value[5:])
        assert isinstance(word, Sighting)
        words.append(word)

    monkeypatch.setattr(live, "_deliver", deliver)
    monkeypatch.setattr(live, "ends", lambda *_: {})
    return words


def passed(store: Store, *faults: Fault) -> None:
    """One pass of an auditor that has just been started."""
    standing: Any = SimpleNamespace(go_over=lambda _: list(faults))
    auditor = live.Auditor(
        store.rows, standing, {}, catalog=CATALOG, partitions=PARTITIONS, clock=lambda: NOW
    )
    auditor.go_over()


def test_a_started_auditor_neither_repeats_nor_forgets(store: Store, sent: list[Sighting]) -> None:
    """It asked for a record's raw bytes in place of a figure, and ended at the first it met."""
    passed(store, STANDS, GONE)
    assert [(one.quantity, one.value) for one in sent] == [(UNKNOWN, 1.0), (BROKEN, 1.0)]
    store.put_all(sent)
    sent.clear()
    passed(store, STANDS)
    assert [(one.quantity, one.value, one.n) for one in sent] == [(BROKEN, 0.0, 3)]
    store.put_all(sent)
    sent.clear()
    passed(store, STANDS)
    assert sent == []
    passed(store, STANDS, GONE._replace(detail="another digest again"))
    assert [(one.quantity, one.value, one.n) for one in sent] == [(BROKEN, 1.0, 4)]
