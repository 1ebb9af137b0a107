"""Whom the commands trust when they call a gateway that speaks TLS."""

import ssl
from pathlib import Path

import pytest

from runtime.settings import Settings
from runtime.settings_gateway import GatewaySettings
from runtime.stack.addresses import gateway_scheme
from runtime.trust import gateway_trust
from tests.support.tls import Authority
from web.certificate import CertificateUnusable


def test_without_settings_the_system_is_trusted() -> None:
    assert gateway_trust(GatewaySettings()) is None


def test_an_authority_of_the_settings_is_the_only_one_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.pair("commands")
    context = gateway_trust(
        GatewaySettings(ca_file=authority.ca, client_cert_file=pair.cert, client_key_file=pair.key)
    )
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1


def test_a_file_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    pair, other = Authority(tmp_path / "a").pair("x"), Authority(tmp_path / "b").pair("y")
    (empty := tmp_path / "empty.pem").touch()
    absent = tmp_path / "absent.pem"
    for own, setting, file in (
        (GatewaySettings(ca_file=absent), "CA_FILE", absent),
        (GatewaySettings(ca_file=empty), "CA_FILE", empty),
        (GatewaySettings(ca_file=tmp_path), "CA_FILE", tmp_path),
        (_showing(absent, pair.key), "CLIENT_CERT_FILE", absent),
        (_showing(pair.key, pair.key), "CLIENT_CERT_FILE", pair.key),
        (_showing(pair.cert, absent), "CLIENT_KEY_FILE", absent),
        (_showing(pair.cert, other.key), "CLIENT_KEY_FILE", other.key),
    ):
        with pytest.raises(CertificateUnusable) as caught:
            gateway_trust(own)
        assert caught.value.what.startswith(f"CUSTODY_GATEWAY__{setting} is {file}: ")


def _showing(cert: Path, key: Path) -> GatewaySettings:
    return GatewaySettings(client_cert_file=cert, client_key_file=key)


def test_a_gateway_with_a_certificate_is_called_by_https() -> None:
    assert gateway_scheme(Settings()) == "http"
    own = GatewaySettings(tls_cert_file=Path("own.pem"), tls_key_file=Path("own.key"))
    assert gateway_scheme(Settings(gateway=own)) == "https"
