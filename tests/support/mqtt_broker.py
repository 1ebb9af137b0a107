"""A real MQTT 5 broker for tests: HiveMQ Community Edition on free loopback ports.

Its jars are locked like those of Kafka and the registry. The brokers that are written in Python
speak no MQTT 5, and forget what a session did not acknowledge: what these tests are about.

``python -m tests.support.mqtt_broker`` writes the lock file anew.
"""

import datetime as dt
import ipaddress
import json
import socket
import subprocess
import tempfile
import zipfile
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from runtime.paths import cache_dir
from runtime.stack import jars, lock, ports
from runtime.stack.command import Command
from runtime.stack.java import find_java
from tests.support import stack

VERSION = "2025.5"
USER, PASSWORD = "gateway", "open sesame"
_LOCK = Path(__file__).with_suffix(".lock.json")
_EXTENSION = Path(__file__).with_name("PasswordExtension.java")
_KEYSTORE_PASSWORD = "changeit"  # noqa: S105  of a key that lives as long as a test

_CONFIG = """<?xml version="1.0" encoding="UTF-8" ?>
<hivemq>
  <listeners>
    <tcp-listener><port>{port}</port><bind-address>127.0.0.1</bind-address></tcp-listener>
    <tls-tcp-listener>
      <port>{tls_port}</port>
      <bind-address>127.0.0.1</bind-address>
      <tls>
        <keystore>
          <path>{keystore}</path>
          <password>{password}</password>
          <private-key-password>{password}</private-key-password>
        </keystore>
      </tls>
    </tls-tcp-listener>
  </listeners>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
"""
_ABOUT = (
    "<hivemq-extension><id>passwords</id><name>Passwords</name><version>1</version>"
    "</hivemq-extension>"
)
_OPENED = (
    "--enable-native-access=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
)


@dataclass(slots=True)
class Broker:
    """A broker; started again it has its sessions and messages.

    Attributes:
        directory: Where it keeps them.
    """

    directory: Path
    port: int = field(default_factory=ports.any_free)
    tls_port: int = field(default_factory=ports.any_free)
    _run: "AbstractContextManager[subprocess.Popen[bytes]] | None" = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"mqtts://127.0.0.1:{self.tls_port}"

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.pem"

    def prepare(self) -> None:
        for name in ("conf", "data", "log", "extensions/passwords"):
            (self.directory / name).mkdir(parents=True)
        _make_certificate(self.directory)
        text = _CONFIG.format(
            port=self.port,
            tls_port=self.tls_port,
            keystore=self.directory / "keystore.p12",
            password=_KEYSTORE_PASSWORD,
        )
        (self.directory / "conf" / "config.xml").write_text(text)
        _build_extension(self.directory / "extensions" / "passwords")

    def start(self) -> None:
        command = Command(
            name="hivemq",
            argv=(
                str(find_java()),
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                *_OPENED,
                f"-Dtests.mqtt.password={PASSWORD}",
                f"-Dhivemq.home={self.directory}",
                "-cp",
                f"{_jars()}/*",
                "com.hivemq.HiveMQServer",
            ),
            directory=self.directory,
        )
        self._run = stack.started(command, lambda: _listens(self.port) and _listens(self.tls_port))
        self._run.__enter__()

    def stop(self) -> None:
        if self._run is not None:
            self._run.__exit__(None, None, None)
            self._run = None


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _jars() -> Path:
    entry = json.loads(_LOCK.read_text())
    artifacts = tuple(
        jars.Artifact(a["coordinate"], a["size_bytes"], a["sha256"]) for a in entry["artifacts"]
    )
    bundle = jars.Bundle(f"hivemq-{entry['version']}", entry["title"], artifacts)
    return jars.ensure(bundle, cache_dir(), jars.jgo_fetch(None), lambda _bytes: None)


def _build_extension(directory: Path) -> None:
    """Compile the broker's one extension, with a compiler that is a jar like the others."""
    found = _jars()
    (compiler,) = found.glob("ecj-*.jar")
    (sdk,) = found.glob("hivemq-extension-sdk-*.jar")
    with tempfile.TemporaryDirectory() as scratch:
        options = ["-proc:none", "-source", "17", "-target", "17", "-cp", str(sdk), "-d", scratch]
        command = [str(find_java()), "-jar", str(compiler), *options, str(_EXTENSION)]
        subprocess.run(command, check=True, capture_output=True)
        with zipfile.ZipFile(directory / "passwords.jar", "w") as archive:
            for path in Path(scratch).glob("*.class"):
                archive.write(path, path.name)
            archive.writestr(
                "META-INF/services/com.hivemq.extension.sdk.api.ExtensionMain", _EXTENSION.stem
            )
    (directory / "hivemq-extension.xml").write_text(_ABOUT)


def _make_certificate(directory: Path) -> None:
    """A key and a certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "keystore.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"broker",
            key,
            certificate,
            None,
            serialization.BestAvailableEncryption(_KEYSTORE_PASSWORD.encode()),
        )
    )


def main() -> None:
    """Resolve, download and write the lock file."""
    import jgo

    wanted = (
        f"com.hivemq:hivemq-community-edition-embedded:{VERSION}",
        "org.eclipse.jdt:ecj:3.42.0",
    )
    found = {
        f"{a.groupId}:{a.artifactId}:{a.version}:jar" for one in wanted for a in jgo.resolve(one)
    }
    with tempfile.TemporaryDirectory() as scratch:
        entry = lock._entry(
            "HiveMQ Community Edition", VERSION, sorted(found), jars.jgo_fetch(None), scratch
        )
    _LOCK.write_text(json.dumps(entry, indent=1) + "\n")


if __name__ == "__main__":
    main()
