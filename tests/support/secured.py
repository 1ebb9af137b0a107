"""A broker that knows who is who: SASL over TLS, client certificates, and an authorizer.

Nobody is anonymous on it, the controller included. Who has no rule may do nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, not re-exported
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from runtime.stack import kafka, ports
from tests.support import stack
from tests.support.tls import Authority, Pair

ADMIN = "admin"
_ITERATIONS = 4096
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

_PROPERTIES = """
listeners=SASL_SSL://127.0.0.1:{port},MTLS://127.0.0.1:{mtls_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=SASL_SSL://127.0.0.1:{port},MTLS://127.0.0.1:{mtls_port}
inter.broker.listener.name=SASL_SSL
listener.security.protocol.map=SASL_SSL:SASL_SSL,MTLS:SSL,CONTROLLER:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain}
listener.name.sasl_ssl.plain.sasl.jaas.config={plain}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram}
listener.name.mtls.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:{admin}
allow.everyone.if.no.acl.found=false
"""


@dataclass(frozen=True, slots=True)
class Secured:
    """The broker and what its clients need.

    Attributes:
        bootstrap: Address for SASL over TLS.
        mtls: Address for client certificates.
        authority: Who signed the broker's certificate.
        passwords: By account.
    """

    bootstrap: str
    mtls: str
    authority: Authority
    passwords: dict[str, str] = field(default_factory=dict)

    def options(self, account: str) -> dict[str, str]:
        """Return librdkafka's options of an account."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN" if account == ADMIN else "SCRAM-SHA-512",
            "sasl.username": account,
            "sasl.password": self.passwords[account],
            "ssl.ca.location": str(self.authority.ca),
            "log_level": "0",
        }

    def settings(self, account: str, password_file: Path | None = None) -> dict[str, str]:
        """Return the environment of a process of ours with an account."""
        kafka = {
            "BOOTSTRAP": self.bootstrap,
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_MECHANISM": "PLAIN" if account == ADMIN else "SCRAM-SHA-512",
            "SASL_USERNAME": account,
            "CA_FILE": str(self.authority.ca),
        }
        if password_file is None:
            kafka["SASL_PASSWORD"] = self.passwords[account]
        else:
            password_file.write_text(self.passwords[account] + "\n", "utf-8")
            kafka["SASL_PASSWORD_FILE"] = str(password_file)
        return {f"CUSTODY_KAFKA__{name}": value for name, value in kafka.items()}

    def add_accounts(self, names: list[str]) -> None:
        """Make accounts, each with a password of its own; they may do nothing yet."""
        for name in names:
            self.passwords[name] = f"password-of-{name}"
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        admin = AdminClient({**self.options(ADMIN)})
        asked = admin.alter_user_scram_credentials(
            [
                UserScramCredentialUpsertion(name, info, self.passwords[name].encode())
                for name in names
            ]
        )
        for future in asked.values():
            future.result(30)


@contextmanager
def running(directory: Path) -> Iterator[Secured]:
    """A secured broker for the length of the block."""
    authority = Authority(directory / "ca")
    node = stack.kafka_node(directory / "node")
    mtls_port = ports.any_free()
    own = authority.pair("broker")
    _secure(node, mtls_port, authority, own)
    found = Secured(
        node.bootstrap, f"127.0.0.1:{mtls_port}", authority, {ADMIN: "password-of-admin"}
    )
    with stack.started(kafka.command(node), lambda: _answers(found.options(ADMIN))):
        yield found


def _secure(node: kafka.KafkaNode, mtls_port: int, authority: Authority, own: Pair) -> None:
    """Write the node's properties anew: what says how it listens gives way to ours."""
    keystore = node.directory / "broker.pem"
    keystore.write_bytes(own.key.read_bytes() + own.cert.read_bytes() + authority.ca.read_bytes())
    users = {"broker": "password-of-broker", ADMIN: "password-of-admin"}
    known = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    ours = _PROPERTIES.format(
        port=node.port,
        mtls_port=mtls_port,
        controller_port=node.controller_port,
        plain=f'{_PLAIN} username="broker" password="{users["broker"]}" {known};',
        scram=_SCRAM,
        keystore=keystore.resolve(),
        ca=authority.ca.resolve(),
        admin=ADMIN,
    )
    names = {line.partition("=")[0] for line in ours.splitlines()}
    kept = [
        line
        for line in node.properties.read_text("utf-8").splitlines()
        if line.partition("=")[0] not in names
    ]
    node.properties.write_text("\n".join(kept) + ours, "utf-8")


def _answers(options: Mapping[str, str]) -> bool:
    try:
        found = AdminClient({**options, "socket.timeout.ms": "1000"}).list_topics(timeout=1)
    except KafkaException:
        return False
    return bool(found.brokers)
