"""Posts what matters, in order, until it is taken."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from confluent_kafka import Consumer, KafkaException

from console.live import broker
from console.live.places import Place
from console.live.telling import Read, Telling
from console.webhook import notice
from console.webhook.cursor import Cursor
from console.webhook.notice import Stands
from custody.errors import Unavailable
from custody.events import Micros
from custody.records import Alert
from schemas import topics
from schemas.registry import Catalog
from telemetry import metrics as names
from telemetry.metrics import Metrics
from web import certificate
from web.certificate import CertificateUnusable

_LOG = logging.getLogger(__name__)

_CA_SETTING = "CUSTODY_CONSOLE__WEBHOOK_CA_FILE"
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""What the TLS library says of a receiver that nobody trusted has signed for."""

_TAKE_MAX = 500
_TAKE_S = 0.5
_AGAIN_S = 1.0
_TIMEOUT_S = 10.0
_PAUSE_S_MAX = 60.0
GIVE_UP_S = 86_400.0
"""So long a version is tried. Whoever takes nothing for a day gets on with what is new then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig:
    """Settings of the webhook.

    Attributes:
        url: Where to post.
        secret_file: Holds the secret shared with the receiver; read at every post.
        ca_file: Whom to trust at an address that is https; None for those the system trusts.
        directory: Holds how far it is.
        kafka: Client options: address and account.
    """

    url: str
    secret_file: Path
    ca_file: Path | None = None
    directory: Path
    kafka: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outside:
    """What the sender is given.

    Attributes:
        catalog: Where schema ids are looked up.
        metrics: Where it counts.
        now: Time of day.
    """

    catalog: Catalog
    metrics: Metrics
    now: Callable[[], Micros]


class Sender:
    """Reads alerts and posts those that matter; one thread.

    Args:
        config: Where to, and where from.
        outside: What it is given.
        wait: Waits so many seconds, or until it is to stop; tells whether it is.
    """

    def __init__(
        self, config: WebhookConfig, outside: Outside, wait: Callable[[float], bool]
    ) -> None:
        self._config = config
        self._outside = outside
        self._wait = wait

    def run(self, stop: threading.Event) -> None:
        """Post until ``stop`` is set; broker and receiver are waited for. Blocks."""
        while not stop.is_set():
            try:
                with (
                    closing(Cursor(self._config.directory)) as cursor,
                    self._client() as client,
                    broker.reader(self._config.kafka) as consumer,
                ):
                    self._follow(consumer, cursor, client, stop)
            except CertificateUnusable as error:
                # Somebody may put the file there: it is read again each time.
                _LOG.warning("webhook: %s", error.what)
                self._wait(_PAUSE_S_MAX)
            except (Unavailable, KafkaException, OSError) as error:
                _LOG.warning("webhook: %s", error)
                self._wait(_AGAIN_S)

    def _follow(
        self, consumer: Consumer, cursor: Cursor, client: httpx.Client, stop: threading.Event
    ) -> None:
        bounds = broker.bounds(consumer, [topics.ALERT])
        telling = Telling(self._outside.catalog, len(bounds))
        broker.assign(consumer, cursor.begin(bounds))
        while not stop.is_set():
            for place, messages in broker.take(consumer, _TAKE_MAX, _TAKE_S):
                records = telling.read(place, messages)
                if not self._post_all(cursor, client, place, records):
                    return
                cursor.keep({place: (messages[-1].offset() or 0) + 1}, {})

    def _post_all(
        self, cursor: Cursor, client: httpx.Client, place: Place, records: Sequence[Read]
    ) -> bool:
        """Post what matters of some records; tell whether all of them are done with."""
        said: dict[str, Stands] = {}
        for one in records:
            alert = one.record
            assert isinstance(alert, Alert), alert
            reason = notice.why(said.get(alert.alert_id) or cursor.stands(alert.alert_id), alert)
            if reason is not None and not cursor.is_silent(place, one.offset):
                if not self._deliver(client, reason, alert):
                    cursor.keep({}, said)
                    return False
                # Kept before the next one is posted, or a stop between them would post it again.
                cursor.keep({place: one.offset + 1}, {**said, alert.alert_id: notice.stands(alert)})
                said.clear()
            else:
                _take_newer(said, cursor, alert)
        cursor.keep({}, said)
        return True

    def _deliver(self, client: httpx.Client, reason: str, alert: Alert) -> bool:
        """Post a version until it is taken, or given up; False where it is to stop."""
        body = notice.body_of(reason, alert)
        began = self._outside.now()
        for pause_s in _pauses():
            why_not = self._post(client, alert, body)
            if why_not is None:
                self._outside.metrics.add(names.WEBHOOK_POSTS, "ok")
                return True
            self._outside.metrics.add(names.WEBHOOK_POSTS, "failed")
            if self._outside.now() - began > GIVE_UP_S * 1e6:
                self._outside.metrics.add(names.WEBHOOK_POSTS, "given_up")
                _LOG.error("webhook: given up", extra={"alert": alert.alert_id, "why": why_not})
                return True
            _LOG.warning("webhook: tried again later", extra={"why": why_not})
            if self._wait(pause_s):
                return False
        raise AssertionError

    def _post(self, client: httpx.Client, alert: Alert, body: bytes) -> str | None:
        """Post a version once; None where it was taken, else why not."""
        try:
            secret = self._config.secret_file.read_bytes().strip()
            headers = notice.headers_of(alert, body, secret, self._outside.now() // 1_000_000)
            answer = client.post(self._config.url, content=body, headers=headers)
        except (httpx.HTTPError, OSError) as error:
            why = str(error) or type(error).__name__
            return f"{why}; {_CA_SETTING} names who may sign" if _UNTRUSTED in why else why
        return None if answer.is_success else f"answered {answer.status_code}"

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        trust = certificate.client_context(_CA_SETTING, self._config.ca_file)
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False, verify=trust) as client:
            yield client


def _take_newer(said: dict[str, Stands], cursor: Cursor, alert: Alert) -> None:
    before = said.get(alert.alert_id) or cursor.stands(alert.alert_id)
    if before is None or alert.version > before.version:
        said[alert.alert_id] = notice.stands(alert)


def _pauses() -> Iterator[float]:
    """Yield pauses without end, doubled each time up to a minute."""
    # Not spread at random: there is one sender, and no crowd.
    pause_s = 1.0
    while True:
        yield pause_s
        pause_s = min(_PAUSE_S_MAX, pause_s * 2)
