"""Dead letters: the original bytes, headers, reason and place of a record.

The broker has acknowledged them before the batch they come from is committed.
A dead letter goes to the partition of its record, so that those of one partition stand in the
order of their offsets. After a crash the same ones may be produced again; reading the dead-letter
topic, the sink drops what is not above the last offset of the same place, so that the table has
each of them once.
"""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from custody.errors import Unavailable
from custody.records import DeadLetter
from schemas import topics
from schemas.avro import symbols
from schemas.codec import encode, frame
from schemas.reader import Bad
from schemas.registry import Catalog
from sinks.config import SinkConfig
from sinks.slice import Slice

_HEADERS_MAX = 64
_DETAIL_CHARACTERS_MAX = 2000
_REASONS = frozenset(symbols("dead_letter", "reason"))


class DeadLettersNotTaken(Unavailable):
    """The broker has not acknowledged dead letters."""

    def __init__(self, waiting: int, cause: str) -> None:
        super().__init__(
            f"the broker has not taken {waiting} dead letters: {cause}",
            next_step="see that the broker runs and that the dead-letter topic exists",
        )


class DeadLetters:
    """Writes dead letters; makes its producer when the first one comes.

    Args:
        config: Addresses and limits.
        catalog: Gives the schema id.
    """

    def __init__(self, config: SinkConfig, catalog: Catalog) -> None:
        self._config = config
        self._catalog = catalog
        self._producer: Producer | None = None

    def write(self, slice_: Slice, bad: Sequence[Bad]) -> None:
        """Write the dead letters of a slice and wait for the broker's acknowledgement.

        Blocks at most ``broker_timeout_s``. A second call writes them a second time, which the
        reader of the topic drops.

        Raises:
            DeadLettersNotTaken: At least one is not acknowledged.
            Unavailable: The registry does not answer.
        """
        if not bad:
            return
        schema_id = self._catalog.schema_id("dead_letter")
        errors: list[str] = []

        def taken(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                errors.append(error.str())

        producer = self._made()
        for one in bad:
            letter = dead_letter(slice_, one, self._config.dead_letter_bytes_max)
            self._produce(producer, slice_, letter, frame(schema_id, encode(letter)), taken)
        waiting = producer.flush(self._config.broker_timeout_s)
        if waiting or errors:
            raise DeadLettersNotTaken(waiting + len(errors), (errors or ["time is up"])[0])

    def _produce(
        self,
        producer: Producer,
        slice_: Slice,
        letter: DeadLetter,
        value: bytes,
        taken: object,
    ) -> None:
        try:
            producer.produce(
                topics.DEAD_LETTER,
                value,
                letter.key,
                slice_.place.partition,
                on_delivery=taken,  # type: ignore[arg-type]  # the stub has no None for the error
            )
        except (KafkaException, BufferError) as error:
            raise DeadLettersNotTaken(1, str(error)) from error

    def _made(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self._config.bootstrap,
                    "client.id": self._config.instance,
                    "enable.idempotence": True,
                    "acks": "all",
                    "message.max.bytes": 1_048_576,
                    "compression.type": "none",
                    **self._config.kafka,
                }
            )
        return self._producer


def dead_letter(slice_: Slice, bad: Bad, bytes_max: int) -> DeadLetter:
    """Return the record of a dead letter; bytes beyond ``bytes_max`` are cut, and it says so."""
    i = bad.index
    headers = list(slice_.headers[i] or ())[:_HEADERS_MAX]
    key, value = slice_.keys[i], slice_.values[i]
    detail = bad.detail[:_DETAIL_CHARACTERS_MAX]
    if value is not None and len(value) > bytes_max:
        detail = f"{detail} (the first {bytes_max} of {len(value)} bytes are kept here)"
        value = value[:bytes_max]
    return DeadLetter(
        reason=bad.reason if bad.reason in _REASONS else "other",
        detail=detail,
        topic=slice_.place.topic,
        partition=slice_.place.partition,
        offset=int(slice_.offsets[i]),
        timestamp_ms=int(slice_.timestamps_ms[i]),
        key=key,
        value=value,
        header_names=tuple(name for name, _ in headers),
        header_values=tuple(content or b"" for _, content in headers),
    )
