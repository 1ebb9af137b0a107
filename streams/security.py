"""How the worker's clients prove who they are to the broker: Faust's own and aiokafka's."""

import ssl
from collections.abc import Mapping

import faust
from faust.types.auth import CredentialsT

from custody.errors import Refused
from streams.config import Security


class CertificateUnusable(Refused):
    """A certificate of the worker or of the broker's authority cannot be used."""

    def __init__(self, security: Security, cause: Exception) -> None:
        files = [f for f in (security.ca_file, security.cert_file, security.key_file) if f]
        super().__init__(
            f"TLS to the broker with {', '.join(map(str, files)) or 'no files'}: {cause}",
            expected="PEM files; the key without a passphrase",
            next_step="CUSTODY_KAFKA__CA_FILE, __CERT_FILE and __KEY_FILE",
        )


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
    try:
        context = ssl.create_default_context(cafile=security.ca_file)
        if security.cert_file is not None:
            context.load_cert_chain(security.cert_file, security.key_file)
    except (OSError, ValueError) as error:
        raise CertificateUnusable(security, error) from error
    return context
