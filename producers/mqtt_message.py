"""From the payload of an MQTT message to requests, and from their answers to a payload.

Limits and answers are those of ``POST /v1/events``: one request or a list, one result or a list.
A payload that is none of it is refused like a request, and kept as one: unlike a caller over HTTP
its sender is told by a broker that it was delivered, and would never know.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from producers import strict_json
from producers.config import MqttConfig
from producers.group import Answer
from producers.outcome import Code, Refusal, Unread
from producers.refused_share import BODY_BYTES_MAX
from producers.weight import SIGNS, TooHeavy, weighed


@dataclass(frozen=True, slots=True)
class Read:
    """The requests of a payload.

    Attributes:
        requests: Parsed JSON, or what could not be read as such; may be empty.
        is_list: Whether the answer is a list.
    """

    requests: Sequence[object]
    is_list: bool


def read(payload: bytes, config: MqttConfig) -> Read:
    """Return the requests of a payload; never fails."""
    try:
        weighed([payload], config.payload_bytes_max)
    except TooHeavy:
        return _none(
            payload,
            Code.TOO_MANY_ITEMS,
            f"{len(payload)} bytes, {sum(map(payload.count, SIGNS))} values",
            f"{config.payload_bytes_max} bytes of few values",
        )
    try:
        parsed = strict_json.parsed(payload)
    except strict_json.BadJson as error:
        return _none(payload, Code.BAD_VALUE, error.found, error.expected)
    if not isinstance(parsed, list):
        return Read([parsed], is_list=False)
    if len(parsed) > config.items_max:
        return _none(payload, Code.TOO_MANY_ITEMS, len(parsed), config.items_max)
    return Read(parsed, is_list=True)


def refused(payload: bytes) -> Read:
    """Return what is kept of a payload that this gateway fails to judge."""
    return _none(payload, Code.BAD_VALUE, "", "a request that this gateway can judge")


def answer(requests: Read, answers: Sequence[Answer]) -> bytes:
    """Return the payload of the answer: results in order, or the one result."""
    items = [one.item for one in answers]
    return json.dumps(items if requests.is_list else items[0]).encode()


def _none(payload: bytes, code: Code, found: object, allowed: object) -> Read:
    refusal = Refusal(code, "", found, allowed)
    return Read([Unread(refusal, payload[:BODY_BYTES_MAX])], is_list=False)
