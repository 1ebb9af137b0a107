"""How the worker's clients prove who they are to the broker: Faust's own and aiokafka's."""

import ssl
from collections.abc import Mapping

import faust
from faust.types.auth import CredentialsT

from streams.config import Security
from web import certificate


def faust_settings(security: Security) -> dict[str, object]:
    """Return Faust's settings for reaching the broker; none where it is reached in the clear.

    Raises:
        CertificateUnusable: A file of the settings cannot be used.
    """
    credentials = _credentials(security)
    return {} if credentials is None else {"broker_credentials": credentials}


def client_options(security: Security) -> Mapping[str, object]:
    """Return the options of an aiokafka client of our own.

    Raises:
        CertificateUnusable: A file of the settings cannot be used.
    """
    options: dict[str, object] = {"security_protocol": security.protocol}
    if security.is_encrypted:
        options["ssl_context"] = _context(security)
    if security.is_sasl:
        options["sasl_mechanism"] = security.mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = security.password
    return options


def _credentials(security: Security) -> CredentialsT | None:
    context = _context(security) if security.is_encrypted else None
    if security.is_sasl:
        return faust.SASLCredentials(
            username=security.username,
            password=security.password,
            ssl_context=context,
            mechanism=security.mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)


def _context(security: Security) -> ssl.SSLContext:
    return certificate.kafka_context(security.ca_file, security.cert_file, security.key_file)
