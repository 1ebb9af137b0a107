"""Why a process of ours gave no answer, and what to do about it."""

import ssl

from custody.errors import Unavailable
from runtime.trust import CA, CERT, KEY


class NoAnswer(Unavailable):
    """A process of ours does not answer."""

    def __init__(self, name: str, url: str, why: str) -> None:
        super().__init__(
            f"the {name} at {url} does not answer: {why}",
            expected=f"a healthy {name}",
            next_step=f"custody status; custody up starts what does not run{_or_shows(url)}",
        )


class TlsFailed(Unavailable):
    """A gateway is there, and no connection by TLS comes about: whom to trust, or what to show."""

    def __init__(self, url: str, fault: ssl.SSLError) -> None:
        what, expected, next_step = _told(fault)
        super().__init__(f"TLS with {url}: {what}", expected=expected, next_step=next_step)


def silence(name: str, url: str, error: Exception) -> Unavailable:
    """Return the error for a call that a client's error ended.

    Args:
        name: Who was called.
        url: Where.
        error: The client's.
    """
    fault = _tls_fault(error)
    if fault is not None:
        return TlsFailed(url, fault)
    return NoAnswer(name, url, str(error) or type(error).__name__)


def _or_shows(url: str) -> str:
    # A server that is shown no certificate, or a stranger's, may just end the connection.
    asks = f"; where it asks for a certificate: {CERT} and {KEY}"
    return asks if url.startswith("https:") else ""


def _tls_fault(error: BaseException) -> ssl.SSLError | None:
    """Return what was wrong with TLS behind an error of a client; None where it was not that."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, ssl.SSLError):
        seen = seen.__cause__ or seen.__context__
    return seen


def _told(fault: ssl.SSLError) -> tuple[str, str, str]:
    """Return what is wrong, what was expected and what to do."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {fault.verify_message}",
            "a certificate for this address, signed by whom this command trusts",
            f"{CA}=FILE, PEM: who signed the gateway's certificate; unset: the system's",
        )
    if "ALERT" in (fault.reason or ""):
        return (
            f"the gateway wants another certificate of this command: {fault.reason}",
            "one that an authority of the gateway's CUSTODY_GATEWAY__TLS_CLIENT_CA_FILE has signed",
            f"{CERT} and {KEY}, PEM",
        )
    return (
        str(fault),
        "a gateway that speaks TLS at this address",
        "set CUSTODY_GATEWAY__TLS_CERT_FILE for the gateway and this command, or for neither",
    )
