"""One Kafka node in KRaft mode on loopback: broker and controller in one process.

State survives a kill -9 of the process, because what was acknowledged is in the page cache of
the machine; Kafka's default of leaving the flush to the operating system is kept. A cluster of
three is what guards against the loss of a machine, and that is not this node's purpose.
"""

import base64
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from custody.errors import Unavailable
from runtime.stack.command import Command

_FORMAT_TIMEOUT_S = 60.0
_PROBE_TIMEOUT_S = 1.0

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log_dir}
# A topic that appears by itself has the wrong partition count.
auto.create.topics.enable=false
num.partitions={partitions}
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# The broker's own minimum, said because the workers' failover time rests on it.
group.min.session.timeout.ms=6000
group.initial.rebalance.delay.ms=0
# A changelog row is at most 256 kB and a producer batches up to 1 MB.
message.max.bytes=4194304
# Retention is a property of each topic (schemas/topics.py); the default never deletes.
log.retention.ms=-1
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
"""

_LOG4J = """\
status = error
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %p %c{1} %m%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
"""


@dataclass(frozen=True, slots=True)
class KafkaNode:
    """A node to run.

    Attributes:
        directory: Where its properties and its log live.
        jars: Directory of its jars.
        java: Java executable.
        port: Port of the broker on loopback.
        controller_port: Port of the controller on loopback.
        partitions: Default partition count of a topic.
        heap_mb: Largest Java heap, megabytes.
        short_lived: Compile less. Such a broker is up for a third less CPU (3.3 s against 5.1 s)
            and 50 MB less memory, but slower under a long load: for tests.
    """

    directory: Path
    jars: Path
    java: Path
    port: int
    controller_port: int
    partitions: int = 4
    heap_mb: int = 384
    short_lived: bool = False

    @property
    def bootstrap(self) -> str:
        """Address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def properties(self) -> Path:
        """The file the node is started with."""
        return self.directory / "server.properties"


class CannotFormat(Unavailable):
    """Kafka's storage tool failed on the data directory."""

    def __init__(self, directory: Path, said: str) -> None:
        super().__init__(
            f"Kafka cannot format {directory}: {said}",
            expected="an empty directory with room on the disk",
            next_step=f"see {directory}, then custody up",
        )


def prepare(node: KafkaNode) -> None:
    """Write the node's files and format its log where that was not done. Blocks up to a minute.

    Harmless to repeat: a formatted log is left as it is, and ports may differ from start to
    start.

    Raises:
        CannotFormat: Kafka's storage tool failed.
    """
    log_dir = node.directory / "log"
    log_dir.mkdir(parents=True, exist_ok=True)
    (node.directory / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")
    node.properties.write_text(
        _PROPERTIES.format(
            port=node.port,
            controller_port=node.controller_port,
            log_dir=log_dir.resolve(),
            partitions=node.partitions,
        ),
        encoding="utf-8",
    )
    if not (log_dir / "meta.properties").exists():
        _format(node)


def command(node: KafkaNode) -> Command:
    """Return the command that runs the node."""
    return Command(
        name="kafka",
        argv=(*_java(node, node.heap_mb), "kafka.Kafka", str(node.properties)),
        directory=node.directory,
        stop_timeout_s=20.0,
    )


def is_ready(bootstrap: str) -> bool:
    """Return whether a broker answers an admin request. Blocks for about a second at most."""
    client = AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "socket.timeout.ms": int(_PROBE_TIMEOUT_S * 1000),
            "log_level": 0,
        }
    )
    try:
        metadata = client.list_topics(timeout=_PROBE_TIMEOUT_S)
    except KafkaException:
        return False
    return bool(metadata.brokers)


def _java(node: KafkaNode, heap_mb: int) -> tuple[str, ...]:
    return (
        str(node.java),
        f"-Xmx{heap_mb}m",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        *(("-XX:TieredStopAtLevel=1",) if node.short_lived else ()),
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={node.directory.resolve() / 'log4j2.properties'}",
        "-Dlog4j2.disableJmx=true",
        "-cp",
        f"{node.jars}/*",
    )


def _format(node: KafkaNode) -> None:
    cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
    tool = subprocess.run(  # noqa: S603  the argument list is ours, no shell
        [
            *_java(node, 128),
            "kafka.tools.StorageTool",
            "format",
            # An id that starts with a dash would be read as an option.
            f"--cluster-id={cluster_id}",
            "--config",
            str(node.properties),
        ],
        capture_output=True,
        text=True,
        timeout=_FORMAT_TIMEOUT_S,
        check=False,
    )
    if tool.returncode != 0:
        said = (tool.stderr or tool.stdout).strip().splitlines()
        raise CannotFormat(node.directory, said[-1] if said else "it said nothing")
