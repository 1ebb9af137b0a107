"""Which versions of an alert matter to a webhook, and what proves that a post is ours."""

import logging
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from console.webhook import notice
from console.webhook.notice import Stands, why
from console.webhook.sender import Outside, Sender, WebhookConfig
from custody.events import Micros
from custody.records import Alert
from schemas.registry import Catalog
from telemetry.metrics import Metrics
from tests.support import golden
from tests.support.tls import Authority


def version(version: int, state: str, severity: str = "high") -> Alert:
    (alert, *_) = golden.records("alert")
    assert isinstance(alert, Alert)
    return replace(alert, version=version, state=state, severity=severity)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, version(1, "open"), "opened"),
        (None, version(4, "acknowledged"), None),
        (None, version(4, "retracted"), "retracted"),
        (Stands(1, "open", "high"), version(2, "acknowledged"), None),
        (Stands(1, "open", "high"), version(2, "open"), None),
        (Stands(1, "open", "high"), version(2, "open", "critical"), "worse"),
        (Stands(1, "shelved", "low"), version(2, "shelved", "high"), "worse"),
        (Stands(1, "open", "critical"), version(2, "open", "high"), None),
        (Stands(1, "shelved", "high"), version(2, "open"), "opened"),
        (Stands(1, "resolved", "high"), version(2, "open"), "opened"),
        (Stands(1, "acknowledged", "high"), version(2, "resolved"), "resolved"),
        (Stands(1, "resolved", "high"), version(2, "resolved"), None),
        (Stands(1, "resolved", "high"), version(2, "retracted"), "retracted"),
        (Stands(2, "open", "high"), version(2, "open", "critical"), None),
        (Stands(3, "open", "high"), version(2, "resolved"), None),
    ],
)
def test_a_version_matters_or_not(before: Stands | None, now: Alert, expected: str | None) -> None:
    assert why(before, now) == expected


def test_the_signature_is_that_of_openssl() -> None:
    # printf '1.{}' | openssl dgst -sha256 -hmac key
    assert notice.signature(b"{}", b"key", 1) == (
        "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
    )
    assert notice.signature(b"{}", b"key", 2) != notice.signature(b"{}", b"key", 1)


def sender(directory: Path, ca_file: Path, wait: threading.Event, url: str = "") -> Sender:
    (secret := directory / "secret").write_bytes(b"s")
    config = WebhookConfig(
        url=url, secret_file=secret, ca_file=ca_file, directory=directory, kafka={}
    )
    outside = Outside(cast(Catalog, None), cast(Metrics, None), lambda: Micros(0))

    def waited(_: float) -> bool:
        wait.set()
        return True

    return Sender(config, outside, waited)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_used_are_named_with_their_setting(
    content: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, stop = tmp_path / "ca.pem", threading.Event()
    if content is not None:
        file.write_text(content, "utf-8")
    with caplog.at_level(logging.WARNING):
        sender(tmp_path, file, stop).run(stop)
    [said] = caplog.messages
    assert said.startswith(f"webhook: CUSTODY_CONSOLE__WEBHOOK_CA_FILE is {file}: ")


def test_a_receiver_that_nobody_trusted_has_signed_for_is_told_with_the_setting(
    tmp_path: Path,
) -> None:
    pair, others = Authority(tmp_path / "a").pair("receiver"), Authority(tmp_path / "b")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake() -> None:
            wire, _ = listener.accept()
            with wire, suppress(ssl.SSLError, OSError), context.wrap_socket(wire, server_side=True):
                pass

        thread = threading.Thread(target=shake)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        one = sender(tmp_path, others.ca, threading.Event(), url)
        with one._client() as client:
            why_not = one._post(client, version(1, "open"), b"{}")
        thread.join()
    assert why_not is not None
    assert why_not.endswith("; CUSTODY_CONSOLE__WEBHOOK_CA_FILE names who may sign")
