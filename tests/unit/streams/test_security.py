"""How the worker proves who it is: the same settings for Faust's clients and for our own."""

import ssl
from pathlib import Path

import faust
import pytest
from faust.types.auth import AuthProtocol, SASLMechanism

from streams.config import Security
from streams.security import client_options, faust_settings
from tests.support.tls import Authority
from web.certificate import CertificateUnusable

PASSWORD = "hunter2"  # noqa: S105  made up


def sasl(protocol: str, **changes: object) -> Security:
    given: dict[str, object] = {
        "protocol": protocol,
        "mechanism": "SCRAM-SHA-512",
        "username": "custody-worker",
        "password": PASSWORD,
        **changes,
    }
    return Security(**given)  # type: ignore[arg-type]  # a builder for tests


def test_in_the_clear_nothing_is_shown() -> None:
    assert faust_settings(Security()) == {}
    assert client_options(Security()) == {"security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_password_reaches_both_kinds_of_client(protocol: str, tmp_path: Path) -> None:
    security = sasl(protocol, ca_file=Authority(tmp_path).ca)
    credentials = faust_settings(security)["broker_credentials"]
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol == AuthProtocol(protocol)
    assert credentials.mechanism == SASLMechanism.SCRAM_SHA_512
    assert (credentials.username, credentials.password) == ("custody-worker", PASSWORD)
    options = client_options(security)
    assert options["security_protocol"] == protocol
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "custody-worker"
    assert options["sasl_plain_password"] == PASSWORD
    assert ("ssl_context" in options) == (protocol == "SASL_SSL")


def test_a_certificate_reaches_both_kinds_of_client(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.pair("worker")
    security = Security(
        protocol="SSL", ca_file=authority.ca, cert_file=pair.cert, key_file=pair.key
    )
    credentials = faust_settings(security)["broker_credentials"]
    assert isinstance(credentials, faust.SSLCredentials)
    contexts = (credentials.context, client_options(security)["ssl_context"])
    for context in contexts:
        assert isinstance(context, ssl.SSLContext)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert len(context.get_ca_certs()) == 1, "whom we trust is whom we were told to trust"
    assert "sasl_mechanism" not in client_options(security)


def test_a_file_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    pair, other = Authority(tmp_path / "a").pair("x"), Authority(tmp_path / "b").pair("y")
    absent = tmp_path / "absent.pem"
    for given, setting, file in (
        ({"ca_file": absent}, "CA_FILE", absent),
        ({"ca_file": pair.key}, "CA_FILE", pair.key),
        ({"cert_file": absent, "key_file": pair.key}, "CERT_FILE", absent),
        ({"cert_file": pair.cert, "key_file": absent}, "KEY_FILE", absent),
        ({"cert_file": pair.cert, "key_file": other.key}, "KEY_FILE", other.key),
        ({"cert_file": pair.cert}, "CERT_FILE", pair.cert),
    ):
        for made in (client_options, faust_settings):
            with pytest.raises(CertificateUnusable) as caught:
                made(Security(protocol="SSL", **given))  # type: ignore[arg-type]  # paths
            assert caught.value.what.startswith(f"CUSTODY_KAFKA__{setting} is {file}: ")


def test_a_password_is_in_no_text_of_the_settings() -> None:
    assert PASSWORD not in repr(sasl("SASL_SSL"))
