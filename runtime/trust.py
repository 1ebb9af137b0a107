"""Whom the commands of this machine trust when they call the gateway, and what they show it."""

import ssl

from custody.errors import Refused
from runtime.settings_gateway import GatewaySettings


class TrustUnusable(Refused):
    """A certificate the commands need cannot be used."""

    def __init__(self, own: GatewaySettings, cause: Exception) -> None:
        files = [f for f in (own.ca_file, own.client_cert_file, own.client_key_file) if f]
        super().__init__(
            f"TLS to the gateway with {', '.join(map(str, files))}: {cause}",
            expected="PEM files; the key without a passphrase",
            next_step="CUSTODY_GATEWAY__CA_FILE, __CLIENT_CERT_FILE and __CLIENT_KEY_FILE",
        )


def gateway_trust(own: GatewaySettings) -> ssl.SSLContext | None:
    """Return the context for calls of the gateway; None for the system's, where nothing is set.

    Raises:
        TrustUnusable: A file of the settings cannot be used.
    """
    if own.ca_file is None and own.client_cert_file is None:
        return None
    try:
        context = ssl.create_default_context(cafile=own.ca_file)
        if own.client_cert_file is not None:
            context.load_cert_chain(own.client_cert_file, own.client_key_file)
    except (OSError, ValueError) as error:
        raise TrustUnusable(own, error) from error
    return context
