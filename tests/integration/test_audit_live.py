"""An auditor that starts anew knows what was said before it, from the tables."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from custody.audit import BROKEN, GAP, REUSED, UNKNOWN, Fault
from custody.events import Micros
from custody.ids import BETWEEN
from custody.records import Sighting
from runtime.audit import live
from schemas.codec import decode
from tests.support.gateway import NOW
from tests.support.signing import Plant, forged
from tests.support.sinks import CATALOG, PARTITIONS
from tests.support.stored import Stored, opened, seal, standing_of

pytestmark = [pytest.mark.integration]

STANDS = Fault(UNKNOWN, "GW-A", "GW-A", "no key of it")
GONE = Fault(BROKEN, "GW-A", "1/18", "another digest")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with opened(tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture
def stored(warehouse: Stored) -> Stored:
    warehouse.warehouse.command("TRUNCATE TABLE custody.sighting")
    return warehouse


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


def passed(stored: Stored, *faults: Fault) -> None:
    """One pass of an auditor that has just been started."""
    standing: Any = SimpleNamespace(go_over=lambda _: list(faults), remember=lambda _: None)
    auditor = live.Auditor(
        stored.ask, standing, {}, catalog=CATALOG, partitions=PARTITIONS, clock=lambda: NOW
    )
    auditor.go_over()


def test_a_started_auditor_neither_repeats_nor_forgets(
    stored: Stored, sent: list[Sighting]
) -> None:
    """It asked for a record's raw bytes in place of a figure, and ended at the first it met."""
    passed(stored, STANDS, GONE)
    assert [(one.quantity, one.value) for one in sent] == [(UNKNOWN, 1.0), (BROKEN, 1.0)]
    stored.put(sent)
    sent.clear()
    passed(stored, STANDS)
    assert [(one.quantity, one.value, one.n) for one in sent] == [(BROKEN, 0.0, 3)]
    stored.put(sent)
    sent.clear()
    passed(stored, STANDS)
    assert sent == []
    passed(stored, STANDS, GONE._replace(detail="another digest again"))
    assert [(one.quantity, one.value, one.n) for one in sent] == [(BROKEN, 1.0, 4)]


def started(stored: Stored) -> Callable[[float], None]:
    """An auditor that has just been started; makes a pass so many minutes on."""
    now = [NOW]
    auditor = live.Auditor(
        stored.ask,
        standing_of(stored, 60_000_000),
        {},
        catalog=CATALOG,
        partitions=PARTITIONS,
        clock=lambda: now[0],
    )

    def go_over(minutes: float) -> None:
        now[0] = Micros(NOW + int(minutes * 60_000_000))
        auditor.go_over()

    return go_over


def test_what_needs_time_to_be_found_stands_through_a_restart(
    stored: Stored, sent: list[Sighting]
) -> None:
    """Each start took back what it had not yet looked at for long enough, and said it again."""
    ops, plant, ghost = Plant("GW-OPS", 9), Plant("GW-A", 1), Plant("GW-GHOST", 3)
    tickets = plant.tickets(range(20))
    again = forged(tickets[3], 5000), forged(tickets[4], 5000)
    stored.put_entries([plant.key(ops), ops.key(ops), plant.head(), ops.head()])
    stored.put_entries([*tickets[:8], *tickets[10:15], *tickets[16:], *ghost.tickets([1])])
    seal(stored)
    go_over = started(stored)
    go_over(0)
    stored.put_entries(again)
    stored.put_entries([plant.head(), plant.head()])
    seal(stored)
    go_over(2)
    go_over(4)
    said = {(one.quantity, (one.text or "").partition(BETWEEN)[0]) for one in sent}
    assert said == {
        (BROKEN, "1/5000 beyond"),
        (GAP, "1/16"),
        (GAP, "1/9"),
        (REUSED, "1/5000"),
        (UNKNOWN, "GW-GHOST"),
    }
    stored.put(sent)
    seal(stored)
    sent.clear()

    go_over = started(stored)
    go_over(10)
    assert sent == []
    stored.put_entries([ghost.key(ops)])
    go_over(10.2)
    assert [(one.quantity, one.value) for one in sent] == [(UNKNOWN, 0.0)]

    sent.clear()
    started(stored)(10.4)
    assert [(one.quantity, one.value) for one in sent] == [(UNKNOWN, 0.0)], "looked at: gone"
