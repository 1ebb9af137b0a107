"""Whether the broker is the one that a data directory belongs to, by its cluster's id.

An outbox, a worker's rows and a warehouse speak of offsets of one cluster. Beside another one, all
of them would be held against a history that is not theirs.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from custody.errors import Corrupt
from runtime.paths import DataDir

ASK_S = 10.0


class StrangeBroker(Corrupt):
    """The broker is of another cluster than the data directory was made with."""

    def __init__(self, data: DataDir, address: str, found: str, known: str) -> None:
        super().__init__(
            f"the broker at {address} is cluster {found}, and {data.root} was made with cluster"
            f" {known}; nothing was started with it",
            expected="the cluster whose records the directory's state speaks of",
            next_step="correct CUSTODY_KAFKA__BOOTSTRAP (unset it for the stack's own broker); for"
            " another cluster set CUSTODY_DATA_DIR to an empty directory; where all records were"
            f" moved to this one with their offsets, delete {data.cluster}",
        )


def check(data: DataDir, kafka: Mapping[str, str]) -> None:
    """Hold a broker against the cluster a data directory was made with; the first one is kept.

    Blocks for ten seconds at most. A broker that does not answer is not judged: whoever needs it
    says that it is away.

    Args:
        data: The directory.
        kafka: Client options, address and security.

    Raises:
        StrangeBroker: It is of another cluster.
    """
    found = _asked(kafka)
    if found is None:
        return
    known = _known(data)
    if known is None:
        _keep(data, found)
    elif known != found:
        raise StrangeBroker(data, kafka["bootstrap.servers"], found, known)


def _asked(kafka: Mapping[str, str]) -> str | None:
    try:
        metadata = AdminClient({**kafka, "log_level": 0}).list_topics(timeout=ASK_S)
    except KafkaException:
        return None
    return metadata.cluster_id


def _known(data: DataDir) -> str | None:
    """Return the cluster of the directory: as kept, else that of the stack's own broker in it."""
    try:
        kept = json.loads(data.cluster.read_text("utf-8"))
    except (OSError, ValueError):
        return _of_own_broker(data.kafka / "log" / "meta.properties")
    return str(kept["cluster_id"]) if isinstance(kept, dict) and "cluster_id" in kept else None


def _of_own_broker(properties: Path) -> str | None:
    try:
        lines = properties.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    values = dict(line.partition("=")[::2] for line in lines)
    return values.get("cluster.id")


def _keep(data: DataDir, found: str) -> None:
    partial = data.cluster.with_suffix(".tmp")
    partial.write_text(json.dumps({"cluster_id": found}) + "\n", encoding="utf-8")
    partial.replace(data.cluster)
