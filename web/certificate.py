"""Certificates of the settings, loaded so that what cannot be used is told by file and setting.

The system's own words name neither: of three files that a context is made of, which one is wrong
would be for a person to find out.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from custody.errors import Refused

_AUTHORITIES = "a PEM file that can be read, with the certificates of who signs"

_KAFKA = "CUSTODY_KAFKA__"


class Given(NamedTuple):
    """A file, and the setting that names it, as people set it."""

    setting: str
    path: Path


class CertificateUnusable(Refused):
    """A certificate or key cannot be used."""

    def __init__(self, given: Given, cause: Exception, expected: str) -> None:
        super().__init__(
            f"{given.setting} is {given.path}: {_why(cause)}",
            expected=expected,
            next_step="docs/access.md, TLS",
        )


def client_context(setting: str, authorities: Path | None) -> ssl.SSLContext:
    """Return a context of a client that trusts a file's authorities alone; None: the system's.

    Args:
        setting: What names the file.
        authorities: The file.

    Raises:
        CertificateUnusable: The file cannot be read, or holds no certificate.
    """
    if authorities is None:
        return ssl.create_default_context()
    with _usable(Given(setting, authorities), _AUTHORITIES):
        return ssl.create_default_context(cafile=authorities)


def kafka_context(authorities: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """Return the context of a client of the broker, of the files of ``CUSTODY_KAFKA__``.

    Args:
        authorities: Whom it trusts alone; None: the system's.
        cert: What it shows; None: nothing.
        key: Its key; None where there is no certificate, or it stands in the same file.

    Raises:
        CertificateUnusable: A file cannot be read or used.
    """
    context = client_context(f"{_KAFKA}CA_FILE", authorities)
    if cert is not None:
        shown = Given(f"{_KAFKA}CERT_FILE", cert)
        show(context, shown, shown if key is None else Given(f"{_KAFKA}KEY_FILE", key))
    return context


def ask(context: ssl.SSLContext, authorities: Given) -> None:
    """Have a server's context ask its clients for certificates that a file's authorities signed.

    Raises:
        CertificateUnusable: The file cannot be read, or holds no certificate.
    """
    with _usable(authorities, _AUTHORITIES):
        context.load_verify_locations(authorities.path)
    context.verify_mode = ssl.CERT_REQUIRED


def show(context: ssl.SSLContext, cert: Given, key: Given) -> None:
    """Have a context show a certificate.

    Raises:
        CertificateUnusable: A file cannot be read or used, or they do not belong together.
    """
    _certificate_of(cert)
    with _usable(key, f"the key of {cert.setting}, {cert.path}; PEM, without a passphrase"):
        context.load_cert_chain(cert.path, key.path, password=_no_passphrase)


def _certificate_of(given: Given) -> None:
    """Check the certificate alone: what is wrong behind it is wrong with the key."""
    expected = "a PEM file that can be read: a certificate, and those between it and the root"
    with _usable(given, expected):
        # An authority is any certificate, for loading; a throwaway context takes it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(given.path)


@contextmanager
def _usable(given: Given, expected: str) -> Iterator[None]:
    """Tell of a file and its setting what goes wrong with it in here."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise CertificateUnusable(given, error, expected) from error


def _no_passphrase() -> str:
    """Instead of a question on the terminal, which a service does not have."""
    message = "the key has a passphrase"
    raise ValueError(message)


def _why(cause: Exception) -> str:
    # ssl.SSLError is an OSError, whose strerror is its text without the place in OpenSSL.
    text = str(cause) if isinstance(cause, ssl.SSLError) else getattr(cause, "strerror", None)
    return text or str(cause)
