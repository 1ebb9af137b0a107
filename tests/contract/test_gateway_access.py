"""At the gateway's door over HTTP: who may post what, how much, how slowly, and by which line."""

import gzip
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from custody.events import Micros
from producers import server
from producers.access import Access, open_access
from producers.config import HttpConfig, TlsConfig
from producers.fields import plain
from producers.server import unencrypted
from producers.service import Gateway
from producers.token_store import TokenStore
from producers.tokens import Token, digest_of, new_secret
from runtime import client
from runtime.settings_gateway import GatewaySettings
from runtime.silence import NoAnswer, TlsFailed
from runtime.trust import gateway_trust
from tests.support import gateway as support
from tests.support.tls import Authority
from web.certificate import CertificateUnusable

MINE, DEPOT = "MINE-KOV", "DEPOT-LUB"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with support.running(support.config(tmp_path), publish=False) as running:
        yield running


@pytest.fixture
def access(gateway: Gateway) -> Iterator[Access]:
    """Knows the operator, a laboratory's system of one site, and one of the depot."""
    directory = gateway.config.outbox.directory
    with closing(TokenStore(directory)) as store:
        for name, token in TOKENS.items():
            store.add(token, digest_of(SECRETS[name]))
    with closing(open_access(directory, support.wall_clock)) as opened:
        yield opened


TOKENS = {
    "lims": Token(
        name="lims",
        sites=frozenset({MINE}),
        types=frozenset({"assay", "weighing"}),
        created_at=Micros(0),
    ),
    "depot": Token(name="depot", sites=frozenset({DEPOT}), created_at=Micros(0)),
    "old": Token(name="old", created_at=Micros(0), expires_at=Micros(1)),
}
SECRETS = {name: new_secret() for name in TOKENS}


@contextmanager
def client_of(
    gateway: Gateway, access: Access, who: str, limits: HttpConfig | None = None
) -> Iterator[httpx.Client]:
    secret = SECRETS.get(who) or (gateway.config.outbox.directory / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {secret}"}
    with (
        support.serving(gateway, access, limits) as url,
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        yield client


def request_of(stem: str, **changes: object) -> object:
    return plain({**support.golden(stem), **changes})


def detail(response: httpx.Response, status: int, name: str) -> str:
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{name}")
    return str(response.json()["detail"])


def test_a_list_with_one_request_of_another_site_is_taken_not_even_in_part(
    gateway: Gateway, access: Access
) -> None:
    good, bad = request_of("weighing"), request_of("weighing", site_id=DEPOT, ticket_no="9")
    before = gateway.outbox.committed_no
    with client_of(gateway, access, "lims") as lims:
        told = detail(lims.post("/v1/events", json=[good, bad]), 403, "not-for-this-token")
        assert told == (
            f"request 1 of the list (from 0) is of site {DEPOT}; token lims is for {MINE};"
            " nothing was taken"
        )
        assert gateway.outbox.committed_no == before
        assert [i["result"] for i in lims.post("/v1/events", json=[good]).json()] == ["accepted"]


def test_a_request_of_another_site_or_type_is_forbidden(gateway: Gateway, access: Access) -> None:
    with client_of(gateway, access, "lims") as lims:
        for request, why in (
            (request_of("weighing", site_id=DEPOT), "is of site DEPOT-LUB"),
            (request_of("lot"), "is of type lot; token lims is for assay, weighing"),
            (request_of("reference"), "is of type reference"),
            (request_of("action"), "is of type action"),
        ):
            told = detail(lims.post("/v1/events", json=request), 403, "not-for-this-token")
            assert told.startswith(why)
    assert gateway.outbox.refused(Micros(0), 10) == []


def test_an_event_of_another_site_is_not_told_even_to_be_there(
    gateway: Gateway, access: Access
) -> None:
    with client_of(gateway, access, "operator") as operator:
        mine = operator.post("/v1/events", json=request_of("weighing")).json()["event_id"]
        rule = operator.post("/v1/events", json=request_of("reference")).json()["event_id"]
        assert operator.get(f"/v1/events/{rule}").status_code == 200
    with client_of(gateway, access, "lims") as lims:
        assert lims.get(f"/v1/events/{mine}").json()["event_id"] == mine
        assert "unknown-event" in lims.get(f"/v1/events/{rule}").text
    with client_of(gateway, access, "depot") as depot:
        never = mine.replace(mine[:8], "00000000")
        answers = [depot.get(f"/v1/events/{one}") for one in (mine, never)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text.replace(mine, "") == answers[1].text.replace(never, "")


def test_a_site_withdraws_no_fact_of_another(gateway: Gateway, access: Access) -> None:
    with client_of(gateway, access, "operator") as operator:
        mine = operator.post("/v1/events", json=request_of("weighing")).json()["event_id"]
    void = request_of("weighing", site_id=DEPOT, corrects=mine.upper(), void=True)
    with client_of(gateway, access, "depot") as depot:
        told = detail(depot.post("/v1/events", json=void), 403, "not-for-this-token")
        assert told == f"corrects an event of another site; token depot is for {DEPOT}"


def test_an_expired_token_is_told_that_it_is_and_nothing_is_taken(
    gateway: Gateway, access: Access
) -> None:
    with client_of(gateway, access, "old") as old:
        told = detail(old.post("/v1/events", json=request_of("lot")), 401, "token-expired")
        assert "old is expired" in told
        assert old.get("/v1/events/x").status_code == 401


def test_what_is_refused_is_kept_under_the_tokens_name(gateway: Gateway, access: Access) -> None:
    with client_of(gateway, access, "lims") as lims:
        lims.post("/v1/events", json=request_of("weighing", net_kg="x"))
    assert [row.sender for row in gateway.outbox.refused(Micros(0), 10)] == ["lims@127.0.0.1"]


def test_a_body_said_to_be_too_large_is_refused_before_a_byte_of_it(
    gateway: Gateway, access: Access
) -> None:
    with client_of(gateway, access, "lims") as lims, raw_to(lims) as wire:
        wire.sendall(head(lims, "Content-Length: 104857600"))
        answer = everything(wire)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_line_without_end_is_refused_once_it_is_too_long(
    gateway: Gateway, access: Access
) -> None:
    with (
        client_of(gateway, access, "lims", HttpConfig(body_bytes_max=10_000)) as lims,
        raw_to(lims) as wire,
    ):
        wire.sendall(head(lims, "Transfer-Encoding: chunked"))
        wire.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n1\r\nx\r\n")
        answer = everything(wire)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_bomb_is_refused_without_being_unpacked(gateway: Gateway, access: Access) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < 200_000
    with client_of(gateway, access, "lims") as lims:
        answer = lims.post("/v1/events", content=bomb, headers={"Content-Encoding": "gzip"})
        detail(answer, 413, "too-large")


def test_what_follows_a_compressed_body_is_not_dropped_in_silence(
    gateway: Gateway, access: Access
) -> None:
    first, headers = json.dumps([request_of("lot")]).encode(), {"Content-Encoding": "gzip"}
    before = gateway.outbox.committed_no
    with client_of(gateway, access, "operator") as operator:
        for more, name in ((gzip.compress(b"[]"), "bad-json"), (b"[]", "bad-gzip")):
            body = gzip.compress(first) + more
            answer = operator.post("/v1/events", content=body, headers=headers)
            assert "nothing" in detail(answer, 400, name)
    assert gateway.outbox.committed_no == before


def test_a_body_that_does_not_come_is_given_up(gateway: Gateway, access: Access) -> None:
    with (
        client_of(gateway, access, "lims", HttpConfig(body_timeout_s=0.2)) as lims,
        raw_to(lims) as wire,
    ):
        wire.sendall(head(lims, "Content-Length: 1000") + b"[")
        answer = everything(wire)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body-too-slow" in answer


def test_a_slow_line_has_all_the_time_it_needs(gateway: Gateway, access: Access) -> None:
    body = json.dumps([request_of("weighing")]).encode() + b" " * 100_000
    with (
        client_of(gateway, access, "lims", HttpConfig(body_timeout_s=0.2)) as lims,
        raw_to(lims) as wire,
    ):
        wire.sendall(head(lims, f"Content-Length: {len(body)}", "Connection: close") + body[:-1])
        # Nothing is timed: the first part alone has bought minutes for the last byte.
        wire.settimeout(0.5)
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(30)
        wire.sendall(body[-1:])
        answer = everything(wire)
    assert answer.startswith(b"HTTP/1.1 202 ")


def test_a_connection_that_says_nothing_or_never_ends_its_head_is_closed(
    gateway: Gateway, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_S", 0.2)
    with client_of(gateway, access, "lims") as lims:
        for said in (b"", b"POST /v1/events HTTP/1.1\r\nHost: x\r\n"):
            with raw_to(lims) as wire:
                wire.sendall(said)
                assert everything(wire) == b""
        # One that had an answer and then goes on with half a request is closed as well.
        with raw_to(lims) as wire:
            wire.sendall(b"GET /schemas/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert wire.recv(9) == b"HTTP/1.1 "
            wire.sendall(b"GET /heal")
            everything(wire)
        assert lims.get("/health").status_code == 200


def test_a_head_larger_than_the_limit_is_refused(gateway: Gateway, access: Access) -> None:
    many = [f"X-{no}: y" for no in range(5_000)]
    with client_of(gateway, access, "lims") as lims:
        for headers in (many, [f"X-Long: {'y' * 40_000}"]):
            with raw_to(lims) as wire:
                wire.sendall(head(lims, *headers))
                assert everything(wire).startswith(b"HTTP/1.1 400 ")
        # Whole in one read of the server, it is not noticed while it comes.
        for size, status in ((17_000, 400), (60_000, 400), (15_000, 202)):
            answer = lims.post("/v1/events", json=[], headers={"X-A": "y" * size})
            assert answer.status_code == status
        assert lims.post("/v1/events", json=[]).status_code == 202


def test_a_gateway_with_a_certificate_is_spoken_to_by_tls_alone(
    gateway: Gateway, access: Access, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca")
    pair = authority.pair("gateway")
    limits = HttpConfig(tls=TlsConfig(cert_file=pair.cert, key_file=pair.key))
    trusted = ssl.create_default_context(cafile=authority.ca)
    with support.serving(gateway, access, limits) as url:
        assert url.startswith("https://")
        assert httpx.get(f"{url}/health", verify=trusted).status_code == 200
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            httpx.get(f"{url}/health")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{url.replace('https', 'http')}/health")


def test_a_gateway_that_asks_for_certificates_knows_its_own_clients(
    gateway: Gateway, access: Access, tmp_path: Path
) -> None:
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    pair, client, stranger = ours.pair("gateway"), ours.pair("scale"), others.pair("scale")
    tls = TlsConfig(cert_file=pair.cert, key_file=pair.key, client_ca_file=ours.ca)
    with support.serving(gateway, access, HttpConfig(tls=tls)) as url:
        for shown in (client, stranger, None):
            context = ssl.create_default_context(cafile=ours.ca)
            if shown is not None:
                context.load_cert_chain(shown.cert, shown.key)
            if shown is client:
                assert httpx.get(f"{url}/health", verify=context).status_code == 200
            else:
                with pytest.raises(httpx.TransportError):
                    httpx.get(f"{url}/health", verify=context)


def test_a_certificate_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    pair, other = authority.pair("gateway"), authority.pair("other")
    hidden = authority.pair("hidden", password=b"secret")
    absent = tmp_path / "absent"
    for cert, key, client_ca, blamed in (
        (absent, pair.key, None, f"TLS_CERT_FILE is {absent}: "),
        (pair.key, pair.key, None, f"TLS_CERT_FILE is {pair.key}: "),
        (pair.cert, absent, None, f"TLS_KEY_FILE is {absent}: "),
        (pair.cert, other.key, None, f"TLS_KEY_FILE is {other.key}: "),
        (hidden.cert, hidden.key, None, f"TLS_KEY_FILE is {hidden.key}: the key has a passphrase"),
        (pair.cert, pair.key, absent, f"TLS_CLIENT_CA_FILE is {absent}: "),
        (pair.cert, pair.key, pair.key, f"TLS_CLIENT_CA_FILE is {pair.key}: "),
    ):
        config = HttpConfig(tls=TlsConfig(cert_file=cert, key_file=key, client_ca_file=client_ca))
        with pytest.raises(CertificateUnusable) as caught:
            server.server(FastAPI(), config)
        assert caught.value.what.startswith(f"CUSTODY_GATEWAY__{blamed}")


def test_commands_are_told_whom_to_trust_and_what_to_show(
    gateway: Gateway, access: Access, tmp_path: Path
) -> None:
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    pair, stranger = ours.pair("gateway"), others.pair("commands")
    tls = TlsConfig(cert_file=pair.cert, key_file=pair.key, client_ca_file=ours.ca)
    (token := tmp_path / "token").write_text("any")
    with (
        support.serving(gateway, access, HttpConfig(tls=tls)) as secured,
        support.serving(gateway, access, HttpConfig()) as plain,
    ):
        for url, own, named in (
            (secured, GatewaySettings(ca_file=others.ca), "CUSTODY_GATEWAY__CA_FILE=FILE"),
            (
                secured,
                GatewaySettings(
                    ca_file=ours.ca, client_cert_file=stranger.cert, client_key_file=stranger.key
                ),
                "CUSTODY_GATEWAY__CLIENT_CERT_FILE",
            ),
            (plain.replace("http", "https"), GatewaySettings(), "CUSTODY_GATEWAY__TLS_CERT_FILE"),
        ):
            commands = client.Gateway(client.Endpoint("gateway", url, token, gateway_trust(own)))
            with closing(commands), pytest.raises((TlsFailed, NoAnswer)) as caught:
                commands.health()
            assert named in caught.value.next_step
            assert url in caught.value.what
            if named != "CUSTODY_GATEWAY__CLIENT_CERT_FILE":
                # There, all that comes may be the end of the connection.
                assert "custody up" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.7.1", "::", "gateway.example"])  # noqa: S104
def test_whoever_opens_a_gateway_without_tls_is_warned(gateway: Gateway, host: str) -> None:
    http = HttpConfig(host=host)
    assert "CUSTODY_GATEWAY__TLS_CERT_FILE" in unencrypted(http)
    gateway.config = replace(gateway.config, http=http)
    assert gateway.health().ok, "a warning, no failure"
    assert host in str(gateway.health().fields["warning"])
    safe = replace(http, tls=TlsConfig(cert_file=Path("c"), key_file=Path("k")))
    assert unencrypted(safe) == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_on_loopback_nobody_else_listens(gateway: Gateway, host: str) -> None:
    assert unencrypted(HttpConfig(host=host)) == ""
    assert gateway.health().fields["warning"] == ""


@contextmanager
def raw_to(client: httpx.Client) -> Iterator[socket.socket]:
    place = client.base_url.host, client.base_url.port or 0
    with closing(socket.create_connection(place, timeout=30)) as wire:
        yield wire


def head(client: httpx.Client, *headers: str) -> bytes:
    lines = [
        "POST /v1/events HTTP/1.1",
        "Host: gateway",
        f"Authorization: {client.headers['authorization']}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def everything(wire: socket.socket) -> bytes:
    """Read until the other side closes; a reset is a close."""
    parts = []
    try:
        while part := wire.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
