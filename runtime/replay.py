"""Dead letters sent again: what would become of each of them now, and the sending.

A record that could not be read once may be readable later: its schema has been registered, or its
reader was of a release too old for it. It is judged by the function that worker and sink judge by,
and only what they would take is sent: the same key, value and headers, to the topic it stood on,
with a header that names its place. Sending it twice is harmless: workers know its event, and the
sink drops what has a row.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from custody.errors import Unavailable
from runtime.asof import Ask
from schemas import topics
from schemas.headers import REPLAY_OF
from schemas.reader import WRONG_PARTITION, Bad, read_batch
from schemas.registry import Catalog
from schemas.routes import BY_STEM, BY_TYPE, Record

READABLE, STORED, UNREADABLE, BY_NUMBER = "readable", "stored", "unreadable", "by_number"
SENT = "sent"

PAGE_LETTERS = 200
"""Read, judged and sent at once: their bytes are in memory, their ids in one address."""

_NAME = re.compile(r"[\w./-]{1,100}")
"""Names that are looked up: a foreign writer's may hold anything, and then the sink tells alone."""

_SEND_TIMEOUT_S = 60.0
_FULL_POLL_S = 0.5


class Letter(NamedTuple):
    """A dead letter as it is stored.

    Attributes:
        topic: Where its record stood.
        partition: Likewise.
        offset: Likewise.
        reason: Why it could not be read.
        key: As it came.
        value: As it came; what is beyond the sink's limit was cut.
        headers: As they came.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> str:
        """Topic, partition and offset of its record, as text."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Verdict(NamedTuple):
    """What would become of a dead letter that is sent again.

    Attributes:
        letter: The dead letter.
        result: ``readable``: it would be taken; ``stored``: what it says has a row already;
            ``unreadable``: it would be a dead letter again; ``by_number``: its receivers count,
            and would drop it.
        detail: Of ``unreadable``, the reason now and what exactly is wrong.
        partition: Where it would go.
        stem: What it is; '' where it cannot be read.
        event_id: Of a fact, a reference record or an action.
    """

    letter: Letter
    result: str
    detail: str
    partition: int
    stem: str = ""
    event_id: str | None = None


class NotTaken(Unavailable):
    """The broker has not acknowledged all that was sent."""

    def __init__(self, of: int, waiting: int, cause: str) -> None:
        super().__init__(
            f"the broker has not taken {waiting} of {of} dead letters: {cause}",
            expected="an account that may write the topics the records stood on",
            next_step="docs/access.md, Kafka; the same command again sends what is not stored",
        )


def letters(ask: Ask, reason: str = "", places: Sequence[str] = ()) -> Iterator[list[Letter]]:
    """Yield dead letters, each once, in the order of their places, some at a time.

    Args:
        ask: Runs SQL.
        reason: Only of this reason; empty for all.
        places: Only of these places, TOPIC/PARTITION/OFFSET; empty for all.
    """
    for some in _blocks(places) or [""]:
        after = ("", -1, -1)
        while True:
            found = [_letter(row) for row in ask(_LETTERS, _asked(reason, some, after))]
            if found:
                yield found
                after = found[-1][:3]
            if len(found) < PAGE_LETTERS:
                break


def _blocks(places: Sequence[str]) -> list[str]:
    return [",".join(places[at : at + PAGE_LETTERS]) for at in range(0, len(places), PAGE_LETTERS)]


def _asked(reason: str, places: str, after: tuple[str, int, int]) -> dict[str, str]:
    topic, partition, offset = after
    return {
        "reason": reason,
        "places": places,
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "limit": str(PAGE_LETTERS),
    }


_LETTERS = """
SELECT record_topic AS topic, record_partition AS partition, record_offset AS offset, reason,
    isNull(record_key) AS no_key, hex(record_key) AS key,
    isNull(record_value) AS no_value, hex(record_value) AS value,
    header_names, arrayMap(v -> hex(v), header_values) AS header_hex
FROM custody.dead_letter AS d
WHERE ({reason:String} = '' OR reason = {reason:String})
    AND ({places:String} = '' OR concat(record_topic, '/', toString(record_partition), '/',
        toString(record_offset)) IN splitByChar(',', {places:String}))
    AND (record_topic, record_partition, record_offset)
        > ({topic:String}, {partition:Int32}, {offset:Int64})
ORDER BY record_topic, record_partition, record_offset, d.offset
LIMIT 1 BY record_topic, record_partition, record_offset
LIMIT {limit:UInt32}
"""


def _letter(row: Mapping[str, object]) -> Letter:
    names, values = row["header_names"], row["header_hex"]
    assert isinstance(names, list)
    assert isinstance(values, list)
    return Letter(
        str(row["topic"]),
        int(str(row["partition"])),
        int(str(row["offset"])),
        str(row["reason"]),
        None if row["no_key"] else bytes.fromhex(str(row["key"])),
        None if row["no_value"] else bytes.fromhex(str(row["value"])),
        tuple((str(n), bytes.fromhex(str(v))) for n, v in zip(names, values, strict=True)),
    )


def judged(
    found: Sequence[Letter], partitions: Mapping[str, int], catalog: Catalog, ask: Ask
) -> list[Verdict]:
    """Return what would become of dead letters, in their order; changes nothing.

    Args:
        found: At most ``PAGE_LETTERS``.
        partitions: Number of partitions by topic, as the broker has them.
        catalog: Where schema ids are looked up.
        ask: Runs SQL, to see what has a row.

    Raises:
        Unavailable: Warehouse or registry does not answer.
    """
    read = [_read(letter, partitions.get(letter.topic, 0), catalog) for letter in found]
    stored = _stored([(v, record) for v, record in read if record is not None], ask)
    return [
        v._replace(result=STORED, detail="what it says has a row") if v.letter in stored else v
        for v, _ in read
    ]


def _read(letter: Letter, partitions: int, catalog: Catalog) -> tuple[Verdict, Record | None]:
    """Read a letter where it stood, and where that was the wrong partition, on the others."""
    fault = Bad(0, WRONG_PARTITION, f"topic {letter.topic} is not there, or not ours to see")
    for partition in [letter.partition, *range(partitions)] if partitions else []:
        batch = read_batch(
            letter.topic, partition, partitions, [letter.key], [letter.value], catalog
        )
        if not batch.bad:
            return _readable(letter, partition, batch.groups[0].event(0))
        if partition == letter.partition:
            fault = batch.bad[0]
        if batch.bad[0].reason != WRONG_PARTITION:
            break
    detail = f"{fault.reason}: {fault.detail}"
    return Verdict(letter, UNREADABLE, detail, letter.partition), None


def _readable(letter: Letter, partition: int, record: Record) -> tuple[Verdict, Record]:
    stem = BY_TYPE[type(record)].stem
    event_id: str | None = getattr(record, "event_id", None)
    counted = letter.topic == topics.FLOW
    detail = "its receivers have heard later numbers of its sender" if counted else ""
    result = BY_NUMBER if counted else READABLE
    return Verdict(letter, result, detail, partition, stem, event_id), record


def _stored(found: Sequence[tuple[Verdict, Record]], ask: Ask) -> set[Letter]:
    """Return the letters whose event, or whose number, has a row."""
    by_query: dict[str, dict[str, list[Letter]]] = {}
    for verdict, record in found:
        query = _row_of(verdict.stem)
        name = _name(record, verdict.partition)
        if query is None or verdict.result != READABLE or not _NAME.fullmatch(name):
            continue
        by_query.setdefault(query, {}).setdefault(name, []).append(verdict.letter)
    stored: set[Letter] = set()
    for query, by_name in by_query.items():
        rows = ask(query, {"names": ",".join(by_name)})
        stored.update(letter for row in rows for letter in by_name[str(row["name"])])
    return stored


def _row_of(stem: str) -> str | None:
    """Return the SQL that finds records by name; None where the sink alone can tell."""
    route = BY_STEM[stem]
    table = route.table
    if route.topic == topics.FACT:
        name, table = "event_id", "events_all"
    elif route.topic == topics.CONTROL:
        name = "concat(event_id, '/', toString(partition))"
    elif route.derived:
        name = "concat(sender, '/', toString(n))"
    else:
        return None
    return (
        f"SELECT DISTINCT {name} AS name FROM custody.{table}"  # noqa: S608  the route table's
        " WHERE name IN splitByChar(',', {names:String})"
    )


def _name(record: Record, partition: int) -> str:
    """Return what tells a record from others of its topic; a copy is one of its partition."""
    event_id = getattr(record, "event_id", None)
    if event_id is None:
        return f"{getattr(record, 'sender', '')}/{getattr(record, 'n', 0)}"
    copied = BY_TYPE[type(record)].topic == topics.CONTROL
    return f"{event_id}/{partition}" if copied else str(event_id)


class Resender:
    """Sends dead letters again.

    Args:
        kafka: Client options: address and security.
    """

    def __init__(self, kafka: Mapping[str, str]) -> None:
        self._producer = Producer(
            {
                "enable.idempotence": True,
                "acks": "all",
                "client.id": "custody-replay",
                "log_level": 0,
                **kafka,
            }
        )

    def send(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Send what is readable, in its order, and wait for the broker; blocks at most a minute.

        Returns:
            All of them; those that were sent say so.

        Raises:
            NotTaken: At least one is not acknowledged; sending all again is harmless.
        """
        errors: list[str] = []

        def taken(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                errors.append(error.str())

        readable = [verdict for verdict in verdicts if verdict.result == READABLE]
        for verdict in readable:
            self._produce(verdict, taken)
        waiting = self._producer.flush(_SEND_TIMEOUT_S)
        if waiting or errors:
            raise NotTaken(len(readable), waiting + len(errors), (errors or ["time is up"])[0])
        return [v._replace(result=SENT) if v.result == READABLE else v for v in verdicts]

    def _produce(self, verdict: Verdict, taken: object) -> None:
        letter = verdict.letter
        kept = [(name, value) for name, value in letter.headers if name != REPLAY_OF]
        while True:
            try:
                self._producer.produce(
                    letter.topic,
                    letter.value,
                    letter.key,
                    verdict.partition,
                    on_delivery=taken,  # type: ignore[arg-type]  # the stub has no None for the error
                    headers=[*kept, (REPLAY_OF, letter.place.encode())],
                )
            except BufferError:
                self._producer.poll(_FULL_POLL_S)
            except KafkaException as error:
                raise NotTaken(1, 1, str(error)) from error
            else:
                return


def line(verdict: Verdict) -> dict[str, object]:
    """Return a verdict under the names of ``--json``."""
    return {
        "place": verdict.letter.place,
        "reason": verdict.letter.reason,
        "result": verdict.result,
        "detail": verdict.detail,
        "stem": verdict.stem or None,
        "event_id": verdict.event_id,
        "partition": verdict.partition,
    }
