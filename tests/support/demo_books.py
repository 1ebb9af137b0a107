"""A day of the demo without Kafka: the gateway's judgement, the core, and the engine behind SQL.

So that what the demo asks of the warehouse can be asked in seconds, of the real engine, about
records that the real core wrote.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import httpx

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import LotFact, Micros, ReferenceSet
from custody.records import Alert, Balance, Content, Transfer
from demo.day import Day
from demo.requests import Request
from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Refusal
from runtime.client import Endpoint, Warehouse
from schemas import topics
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.routes import Record
from sinks import derived, migrate
from sinks.client import Warehouse as Store
from sinks.client import open_warehouse
from sinks.dedup import Seen
from sinks.rows import rows_of
from sinks.slice import Place
from tests.support.sinks import CATALOG, PARTITIONS, framed, slice_of
from tests.support.world import World

SENT = Micros(1_800_000_000_000_000)
"""When the gateway took the first request; each next one is a millisecond later."""
EVENING = Micros(SENT + 3_600_000_000)
"""When it took the first correction."""
CHUNK = 150
"""Records of a step, as a worker that has a backlog takes them: what owners tell each other comes
after them, so lots are weighed before their process says that it made them."""
_KEY = b"any"


@dataclass(slots=True)
class Books:
    """What the day led to.

    Attributes:
        world: The core's rows and all it said.
        facts: What the gateway took, by event id: the day, then the corrections.
    """

    world: World
    facts: dict[str, LotFact]


def books_of(day: Day) -> Books:
    """Return the books of a day, its corrections included."""
    books = Books(World(), {})
    known = Known()
    _tell(books, known, day.requests, SENT)
    _tell(books, known, day.corrected.requests, EVENING)
    return books


def _tell(books: Books, known: Known, requests: Sequence[Request], first: Micros) -> None:
    terms = Terms(("GW-TEST", 1), 1, known, backfill=True)
    taken: list[LotFact | ReferenceSet] = []
    for number, request in enumerate(requests):
        text = json.dumps(request, ensure_ascii=False)
        now = Micros(first + 1000 * number)
        outcome = accept(json.loads(text, parse_float=Decimal), now, terms)
        if isinstance(outcome, Refusal):
            continue
        records = [draft.record for draft in outcome.drafts]
        if isinstance(records[0], ReferenceSet):
            known.add(records[0])
        elif records[0].event_id not in books.facts:
            facts = cast("list[LotFact]", records)
            books.facts |= {
                fact.event_id: replace(fact, gateway_seq=len(books.facts) + n)
                for n, fact in enumerate(facts, 1)
            }
        taken += cast("list[LotFact | ReferenceSet]", records)
    for at in range(0, len(taken), CHUNK):
        books.world.tell(*taken[at : at + CHUNK], together=True)


@contextmanager
def reader_of(books: Books, directory: Path) -> Iterator[Reader]:
    """Give who reads a warehouse that holds the books, as the sink would have written them."""
    address = f"chdb://{directory / 'warehouse'}"
    store = open_warehouse(address)
    migrate.migrate(store, Micros(0))
    outputs = books.world.outputs
    _put(store, topics.FACT, list(books.facts.values()))
    _put(store, topics.TRANSFER, [o for o in outputs if isinstance(o, Transfer)])
    _put(store, topics.BALANCE, [o for o in outputs if isinstance(o, Balance)])
    _put(store, topics.ALERT, [o for o in outputs if isinstance(o, Alert)])
    _put(store, topics.FLOW, [o for o in outputs if isinstance(o, Content)])
    said = datetime.fromtimestamp(EVENING / 1e6 + 60, UTC)
    store.insert_rows("watermark", ("site_id", "complete_to", "said_at"), [("", said, said)])
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    yield reader
    reader.close()
    store.close()


@contextmanager
def warehouse_of(books: Books, directory: Path) -> Iterator[Warehouse]:
    """Give the client of such a warehouse."""
    with reader_of(books, directory) as reader:
        yield client(reader, directory)


def client(reader: Reader, directory: Path) -> Warehouse:
    """Return the real client over a reader in this process."""
    token = directory / "token"
    token.write_text("token", "utf-8")

    def answer(request: httpx.Request) -> httpx.Response:
        params: Mapping[str, str] = request.url.params
        values = {k.removeprefix("param_"): v for k, v in params.items() if k != "format"}
        rows = reader.ask(request.content.decode(), params["format"], values)
        return httpx.Response(200, content=rows)

    endpoint = Endpoint("warehouse", "http://warehouse.test", token)
    return Warehouse(endpoint, httpx.MockTransport(answer))


def _put(store: Store, topic: str, records: Sequence[Record]) -> None:
    place = Place(topic, partition_of(_KEY, PARTITIONS))
    slice_ = slice_of(place, [(_KEY, framed(record)) for record in records])
    batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    assert not batch.bad, batch.bad[0]
    for table, rows in rows_of(slice_, batch, Seen()).tables:
        for into, made in [(table, rows), *derived.derived(table, rows)]:
            store.insert_arrow(into, made, "test")
