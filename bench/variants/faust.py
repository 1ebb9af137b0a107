"""Faust as its manual shows it: one event at a time into a durable table."""

import asyncio
import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import faust
from fastavro import parse_schema, schemaless_reader
from faust.types import StreamT

from schemas import avro, topics
from telemetry import metrics
from telemetry.http import Health, OpsServer


def main(options: dict[str, str]) -> None:
    """Run until killed."""
    counts = metrics.Metrics("worker")
    schema = parse_schema(avro.schema("weighing"))
    Path(options["data_dir"]).mkdir()
    app = faust.App(
        "plain",
        broker=f"kafka://{options['bootstrap']}",
        store="rocksdb://",
        datadir=options["data_dir"],
        topic_partitions=4,
        web_enabled=False,
        stream_wait_empty=False,
    )
    table = app.Table("rows", partitions=4, default=lambda: {"total_g": 0, "facts": 0})
    facts = app.topic(topics.FACT, value_type=bytes, value_serializer="raw")

    async def add(stream: StreamT[Any]) -> None:
        async for value in stream:
            fact: dict[str, Any] = schemaless_reader(BytesIO(value[5:]), schema, None)  # type: ignore[assignment]  # a record
            row = table[fact["lot_id"]]
            row["total_g"] += fact["net_g"]
            row["facts"] += 1
            row["padding"] = "x" * 1000
            table[fact["lot_id"]] = row
            counts.add(metrics.CHUNK_RECORDS, topics.FACT)

    app.agent(facts, name="add")(add)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with OpsServer("127.0.0.1", int(options["port"]), counts, lambda: Health(ok=True)):
        faust.Worker(app, loop=loop, quiet=True, loglevel="WARN").execute_from_commandline()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
