"""Why a broker does not let a client of ours in, said with the settings to look at.

To whoever asks it for something, Kafka's client says "Broker transport failure", whatever the
reason. It tells more to its error callback, and of a connection that the broker closes without a
word it tells only its log. A ``Door`` hears both; what it hears is no fault before the client has
failed, because connections break on any line.
"""

import logging
import re

from confluent_kafka import KafkaError

from custody.errors import Unavailable

_ACCOUNT = ("SECURITY_PROTOCOL", "SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD_FILE")
_TLS = ("SECURITY_PROTOCOL", "CA_FILE", "CERT_FILE")
_CERTIFICATE = ("CERT_FILE", "KEY_FILE")
_PROTOCOL = ("SECURITY_PROTOCOL",)

_TOOK = re.compile(r" \(after [^)]*\)$")
_ALERT = re.compile(r"alert .*(certificate|unknown ca)")
"""The broker's word in TLS on a certificate that is missing or that it does not trust."""
_CLOSED = re.compile(r"Disconnected|closed by peer")

log = logging.getLogger(__name__)


class NotLetIn(Unavailable):
    """The broker is there and takes no connection of ours: account, TLS or protocol."""

    def __init__(self, said: str, expected: str, settings: tuple[str, ...]) -> None:
        super().__init__(
            # How long it took differs each time and would be logged anew.
            f"the broker does not let this client in: {_TOOK.sub('', said)}",
            expected=expected,
            next_step=f"see {', '.join(f'CUSTODY_KAFKA__{name}' for name in settings)}"
            " (docs/access.md, Kafka)",
        )


class Door:
    """Hears what one client after the other is told. Called by the client, where it is polled.

    Attributes:
        shut: Why the broker does not let us in, until it does; None for no such word of it.
    """

    def __init__(self) -> None:
        self.shut: NotLetIn | None = None
        self._answered = False
        self._closed = ""

    def begin(self) -> None:
        """Take note that another client begins; how the last one ended tells nothing of it."""
        self._answered, self._closed = False, ""

    def opened(self) -> None:
        """Take note that the broker answered."""
        self.shut, self._answered, self._closed = None, True, ""

    def why(self) -> NotLetIn | None:
        """Return why a client has failed that got no answer at all; None where nothing tells."""
        if self.shut is None and self._closed:
            self.shut = NotLetIn(
                f"it closes the connection before it answers ({self._closed})",
                "the protocol that the broker speaks at this address, and a line that holds",
                _PROTOCOL,
            )
        return self.shut

    def on_error(self, error: KafkaError) -> None:
        """Hear an error of the client."""
        found = _named(error)
        if found is not None:
            self.shut = found

    def log(self, level: int, text: str, *given: object) -> None:
        """Hear a line of the client's log, as ``logging.Logger.log`` would.

        What goes wrong comes as an error or a failed delivery, too, and the client would say it
        again at every attempt to connect: only what ends it goes on to our own log.
        """
        if level >= logging.CRITICAL:
            log.log(level, text, *given)
            return
        line = text % given if given else text
        # Whoever was answered was let in: what closes then is a broker or a line that goes away.
        if not self._answered and _CLOSED.search(line):
            self._closed = _TOOK.sub("", line.rpartition("bootstrap: ")[2])


def _named(error: KafkaError) -> NotLetIn | None:
    code, text = error.code(), error.str()
    if code == KafkaError._AUTHENTICATION:  # noqa: SLF001  the client's public names
        return NotLetIn(text, "an account that it knows", _ACCOUNT)
    if _ALERT.search(text):
        return NotLetIn(text, "a certificate that it trusts", _CERTIFICATE)
    is_transport = code == KafkaError._TRANSPORT  # noqa: SLF001
    if code == KafkaError._SSL or (is_transport and "SSL handshake failed" in text):  # noqa: SLF001
        return NotLetIn(text, "a TLS connection", _TLS)
    return None
