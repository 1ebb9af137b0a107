"""The route table: where every kind of record goes.

One row per stem. The stem names the schema file, the golden folder, the table and the metric
label; the row names the rest. Every layer takes its names from here and from nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from custody import events, heads, records
from schemas import topics

Record = (
    events.LotFact
    | events.ReferenceSet
    | events.ActionTaken
    | records.Content
    | records.Sighting
    | records.Residual
    | records.Drift
    | records.Tick
    | records.Transfer
    | records.Balance
    | records.Alert
    | records.DeadLetter
    | heads.Head
)
"""Whatever stands on a topic of ours."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one kind of record.

    Attributes:
        stem: Name of the schema file ``avsc/<stem>.avsc`` and of the table.
        type: Class of the record.
        record: Full Avro name, and thereby the subject ``<topic>-<record>``.
        topic: Kafka topic.
        table: Table of the warehouse; None where the sink does not store it.
        derived: Written by a worker and numbered (sender, n), not by a gateway.
    """

    stem: str
    type: type
    record: str
    topic: str
    table: str | None
    derived: bool = False

    @property
    def chained(self) -> bool:
        """Numbered by a gateway and a link of its chain: an event, with an id of its own."""
        return self.topic in {topics.FACT, topics.CONTROL}


ROUTES = (
    Route("lot", events.LotDeclared, "custody.Lot", topics.FACT, "lot"),
    Route("weighing", events.LotWeighed, "custody.Weighing", topics.FACT, "weighing"),
    Route("assay", events.LotAssayed, "custody.Assay", topics.FACT, "assay"),
    Route("xrf", events.LotScanned, "custody.Xrf", topics.FACT, "xrf"),
    Route("shipment", events.LotMoved, "custody.Shipment", topics.FACT, "shipment"),
    Route("processing", events.MaterialProcessed, "custody.Processing", topics.FACT, "processing"),
    Route("claim", events.ClaimMade, "custody.Claim", topics.FACT, "claim"),
    Route("reference", events.ReferenceSet, "custody.Reference", topics.CONTROL, "reference"),
    Route("action", events.ActionTaken, "custody.Action", topics.CONTROL, "action"),
    Route("content", records.Content, "custody.Content", topics.FLOW, "content", derived=True),
    Route("sighting", records.Sighting, "custody.Sighting", topics.FLOW, "sighting", derived=True),
    Route("residual", records.Residual, "custody.Residual", topics.FLOW, "residual", derived=True),
    Route("drift", records.Drift, "custody.Drift", topics.FLOW, "drift", derived=True),
    Route("tick", records.Tick, "custody.Tick", topics.FLOW, None),
    Route(
        "transfer", records.Transfer, "custody.Transfer", topics.TRANSFER, "transfer", derived=True
    ),
    Route("balance", records.Balance, "custody.Balance", topics.BALANCE, "balance", derived=True),
    Route("alert", records.Alert, "custody.Alert", topics.ALERT, "alert", derived=True),
    Route(
        "dead_letter", records.DeadLetter, "custody.DeadLetter", topics.DEAD_LETTER, "dead_letter"
    ),
    Route("head", heads.Head, "custody.Head", topics.HEAD, "head"),
)

BY_STEM: Mapping[str, Route] = MappingProxyType({r.stem: r for r in ROUTES})
BY_TYPE: Mapping[type, Route] = MappingProxyType({r.type: r for r in ROUTES})
BY_RECORD: Mapping[str, Route] = MappingProxyType({r.record: r for r in ROUTES})


def subject(route: Route) -> str:
    """Return the registry's subject of a route (TopicRecordNameStrategy)."""
    return f"{route.topic}-{route.record}"


def fact_key(fact: events.LotFact) -> str:
    """Return the Kafka key of a fact: its lot, its process's node, or its device.

    Source:
        Design, topics table: a process side other than input is keyed by its process.
    """
    if fact.lot_id is not None:
        return fact.lot_id
    if isinstance(fact, events.MaterialProcessed):
        return fact.process_id
    if isinstance(fact, events.LotWeighed | events.LotScanned):
        return fact.device_id
    if isinstance(fact, events.LotAssayed):
        return fact.lab_id
    return fact.site_id
