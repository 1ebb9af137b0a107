"""The seams between packages, pinned.

What the core says of a lot may change with every release; how facts, states, outputs and rows
travel may not change unnoticed. Each seam is written here as its signature. A change fails, and
whoever makes it changes both sides, this file, and says in the commit why.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Callable

import pytest

from custody import fold
from schemas import arrow, codec, partition, reader, registry, routes
from sinks import sink
from streams import outputs, protocol, worker
from streams.config import Stage

SEAMS: tuple[tuple[Callable[..., object], str], ...] = (
    # Names and keys.
    (routes.subject, "(route: Route) -> str"),
    (routes.fact_key, "(fact: events.LotFact) -> str"),
    (partition.partition_of, "(key: bytes, partitions: int) -> int"),
    # Bytes.
    (codec.encode, "(record: Record) -> bytes"),
    (codec.decode, "(stem: str, body: bytes) -> Record"),
    (codec.frame, "(schema_id: int, body: bytes) -> bytes"),
    (registry.Catalog.schema_id, "(self, stem: str) -> int"),
    (registry.Catalog.writer, "(self, schema_id: int) -> Writer | None"),
    (
        reader.read_batch,
        (
            "(topic: str, partition: int, partitions: int, keys: Sequence[bytes | None], "
            "values: Sequence[bytes | None], catalog: Catalog) -> Batch"
        ),
    ),
    (arrow.to_arrow, "(group: Group) -> pa.Table"),
    # State.
    (fold.Fold.owner, "(self, entry: Entry, key: str) -> str"),
    (
        fold.Fold.step,
        "(self, owner: str, row: Row | None, entries: Sequence[Entry], reader: Reader) -> Step",
    ),
    (fold.Getter.get, "(self, key: str) -> Row | None"),
    (fold.Reader.scan, "(self, prefix: str, before: str | None=None) -> list[str]"),
    # Transport and output protocol.
    (worker.run, "(config: WorkerConfig, fold: Fold, catalog: Catalog | None=None) -> None"),
    (
        protocol.Protocol.__init__,
        (
            "(self, config: WorkerConfig, fold: Fold, catalog: Catalog, frame: Frame, "
            "metrics: Metrics, partitions: int) -> None"
        ),
    ),
    (outputs.OutputWriter.write, "(self, owner: str, said: Said) -> list[Output]"),
    # Sink.
    (
        sink.run,
        (
            "(config: SinkConfig, catalog: Catalog, progress: Progress, now: Callable[[], Micros], "
            "stop: threading.Event, ready: Callable[[], None]=lambda: None) -> None"
        ),
    ),
)


@pytest.mark.parametrize(("function", "signature"), SEAMS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_seam_keeps_its_signature(function: Callable[..., object], signature: str) -> None:
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    assert definition.returns is not None
    found = f"({ast.unparse(definition.args)}) -> {ast.unparse(definition.returns)}"
    assert found == signature


def _fields(kind: type) -> list[str]:
    return [f.name for f in dataclasses.fields(kind)]


def test_the_core_answers_with_a_step() -> None:
    assert _fields(fold.Step) == ["row", "rows", "outputs", "findings"]
    assert {n for n in vars(fold.Fold) if not n.startswith("_")} == {
        "owner", "row_types", "step", "version",
    }  # fmt: skip
    assert {n for n in vars(fold.Entry) if not n.startswith("_")} == {"event", "offset", "stem"}


def test_a_batch_is_groups_and_bad_records() -> None:
    assert _fields(reader.Batch) == ["groups", "bad"]
    assert _fields(reader.Bad) == ["index", "reason", "detail"]
    assert {"event", "events", "column"} <= set(vars(reader.Group))


def test_the_route_table_has_these_columns() -> None:
    assert [f.name for f in dataclasses.fields(routes.Route)] == [
        "stem", "type", "record", "topic", "table", "derived",
    ]  # fmt: skip


def test_every_stem_keeps_its_topic_and_table() -> None:
    assert {r.stem: (r.record, r.topic, r.table) for r in routes.ROUTES} == {
        "lot": ("custody.Lot", "custody.fact.v1", "lot"),
        "weighing": ("custody.Weighing", "custody.fact.v1", "weighing"),
        "assay": ("custody.Assay", "custody.fact.v1", "assay"),
        "xrf": ("custody.Xrf", "custody.fact.v1", "xrf"),
        "shipment": ("custody.Shipment", "custody.fact.v1", "shipment"),
        "processing": ("custody.Processing", "custody.fact.v1", "processing"),
        "claim": ("custody.Claim", "custody.fact.v1", "claim"),
        "reference": ("custody.Reference", "custody.control.v1", "reference"),
        "action": ("custody.Action", "custody.control.v1", "action"),
        "content": ("custody.Content", "custody.flow.v1", "content"),
        "sighting": ("custody.Sighting", "custody.flow.v1", "sighting"),
        "residual": ("custody.Residual", "custody.flow.v1", "residual"),
        "drift": ("custody.Drift", "custody.flow.v1", "drift"),
        "tick": ("custody.Tick", "custody.flow.v1", None),
        "transfer": ("custody.Transfer", "custody.transfer.v1", "transfer"),
        "balance": ("custody.Balance", "custody.balance.v1", "balance"),
        "alert": ("custody.Alert", "custody.alert.v1", "alert"),
        "dead_letter": ("custody.DeadLetter", "custody.dead-letter.v1", "dead_letter"),
        "head": ("custody.Head", "custody.head.v1", "head"),
    }


def test_a_chunk_is_stored_before_it_is_sent() -> None:
    assert [stage.value for stage in Stage] == ["writing", "logged", "stored", "sent"]
