"""Whether the broker is the one that a data directory belongs to, by its cluster's id.

An outbox, a worker's rows and a warehouse speak of offsets of one cluster. Beside another one, all
of them would be held against a history that is not theirs.
"""

import json
from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from custody.errors import Corrupt
from runtime import whole_file
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


class BrokerLost(Corrupt):
    """The stack's own broker would begin a cluster anew beside state that speaks of another."""

    def __init__(self, data: DataDir, found: str | None, known: str) -> None:
        there = f"is cluster {found}" if found else "has nothing stored"
        super().__init__(
            f"the stack's own broker in {data.kafka} {there}, and {data.root} was made with cluster"
            f" {known}; nothing was started",
            expected="the broker whose records the directory's state speaks of",
            next_step=f"put {data.kafka} back as it was; where that cluster runs elsewhere, set"
            " CUSTODY_KAFKA__BOOTSTRAP; to begin anew set CUSTODY_DATA_DIR to an empty directory"
            " (what a gateway has not handed over yet: custody outbox export)",
        )


def check_own(data: DataDir) -> None:
    """Hold the stack's own broker against the cluster of its directory, before it is started.

    Raises:
        BrokerLost: Its log is gone, or of another cluster.
    """
    known, found = _kept(data), _of_own_broker(data)
    if known is not None and known != found:
        raise BrokerLost(data, found, known)


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
    known = _kept(data) or _of_own_broker(data)
    if known is not None and known != found:
        raise StrangeBroker(data, kafka["bootstrap.servers"], found, known)
    if _kept(data) is None:
        whole_file.write(data.cluster, json.dumps({"cluster_id": found}) + "\n")


def _asked(kafka: Mapping[str, str]) -> str | None:
    try:
        metadata = AdminClient({**kafka, "log_level": 0}).list_topics(timeout=ASK_S)
    except KafkaException:
        return None
    return metadata.cluster_id


def _kept(data: DataDir) -> str | None:
    try:
        kept = json.loads(data.cluster.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return str(kept["cluster_id"]) if isinstance(kept, dict) and "cluster_id" in kept else None


def _of_own_broker(data: DataDir) -> str | None:
    try:
        lines = (data.kafka / "log" / "meta.properties").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    values = dict(line.partition("=")[::2] for line in lines)
    return values.get("cluster.id")
