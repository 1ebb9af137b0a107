"""A real broker and a real registry for tests: free ports, a directory of their own."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from runtime.paths import cache_dir
from runtime.stack import jars, kafka, ports, registry
from runtime.stack.command import Command, running, wait_until
from runtime.stack.java import find_java

_READY_TIMEOUT_S = 60.0


def kafka_node(directory: Path, *, port: int | None = None) -> kafka.KafkaNode:
    """A node that is prepared but not started; same directory again = same state."""
    node = kafka.KafkaNode(
        directory=directory,
        jars=jars.ensure(jars.locked("kafka"), cache_dir(), jars.jgo_fetch(None), _quiet),
        java=find_java(),
        port=port or ports.any_free(),
        controller_port=ports.any_free(),
        heap_mb=256,
        short_lived=True,
    )
    kafka.prepare(node)
    return node


@contextmanager
def running_kafka(directory: Path, *, port: int | None = None) -> Iterator[str]:
    """A broker for the length of the block; gives its bootstrap address."""
    node = kafka_node(directory, port=port)
    with started(kafka.command(node), lambda: kafka.is_ready(node.bootstrap)):
        yield node.bootstrap


def registry_node(directory: Path, *, port: int | None = None) -> registry.RegistryNode:
    """A registry that is prepared but not started; same directory again = same schemas."""
    node = registry.RegistryNode(
        directory=directory,
        jars=jars.ensure(jars.locked("registry"), cache_dir(), jars.jgo_fetch(None), _quiet),
        java=find_java(),
        port=port or ports.any_free(),
    )
    registry.prepare(node)
    return node


@contextmanager
def running_registry(directory: Path, *, port: int | None = None) -> Iterator[str]:
    """A registry for the length of the block; gives the URL of its Confluent API."""
    node = registry_node(directory, port=port)
    with started(registry.command(node), lambda: registry.is_ready(node.url)):
        registry.require_full_transitive(node.url)
        yield node.url


@contextmanager
def started(command: Command, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of the stack for the length of the block, which begins when it is ready."""
    with running(command, command.directory / f"{command.name}.log") as process:
        wait_until(ready, command.name, _READY_TIMEOUT_S, f"see {command.directory}")
        yield process


def create_topics(
    bootstrap: str,
    names: Sequence[str],
    *,
    partitions: int = 4,
    config: dict[str, str] | None = None,
) -> None:
    """Create topics and wait until the broker shows them; one that exists is an error."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new = [
        NewTopic(name, num_partitions=partitions, replication_factor=1, config=config or {})
        for name in names
    ]
    for future in admin.create_topics(new).values():
        future.result(30)
    wait_until(
        lambda: set(names) <= set(admin.list_topics(timeout=10).topics), "topics", 30.0, "read it"
    )


def delete_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Delete topics, so that a shared broker does not gather what tests leave."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_topics(list(names)).values():
        future.result(30)


def wait_until_gone(bootstrap: str, names: Sequence[str]) -> None:
    """Wait until the broker no longer shows topics: before that it cannot make them anew."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wait_until(
        lambda: not set(names) & set(admin.list_topics(timeout=10).topics), "topics", 30.0, "wait"
    )


def delete_records(bootstrap: str, topic: str, partitions: int, *, keep: int) -> None:
    """Cut the beginning off every partition of a topic, but for its last ``keep`` records."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "tests-delete-records"})
    tps = [TopicPartition(topic, partition) for partition in range(partitions)]
    for tp in tps:
        tp.offset = max(0, reader.get_watermark_offsets(tp, timeout=10)[1] - keep)
    reader.close()
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_records(tps).values():
        future.result(30)


def _quiet(_bytes: int) -> None:
    pass
