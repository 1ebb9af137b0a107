"""Whom the commands of this machine trust when they call the gateway, and what they show it."""

import ssl

from runtime.settings_gateway import GatewaySettings
from web import certificate
from web.certificate import Given

CA, CERT, KEY = (
    f"CUSTODY_GATEWAY__{name}" for name in ("CA_FILE", "CLIENT_CERT_FILE", "CLIENT_KEY_FILE")
)


def gateway_trust(own: GatewaySettings) -> ssl.SSLContext | None:
    """Return the context for calls of the gateway; None for the system's, where nothing is set.

    Raises:
        CertificateUnusable: A file of the settings cannot be used.
    """
    if own.ca_file is None and own.client_cert_file is None:
        return None
    context = certificate.client_context(CA, own.ca_file)
    if own.client_cert_file is not None and own.client_key_file is not None:
        certificate.show(
            context, Given(CERT, own.client_cert_file), Given(KEY, own.client_key_file)
        )
    return context
