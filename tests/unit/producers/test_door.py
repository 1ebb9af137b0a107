"""What a door makes of what Kafka's client says: who is not let in, and who only lost the line."""

import logging

from confluent_kafka import KafkaError

from producers.door import Door

CLOSED = (
    "GW#producer-1: [thrd:main]: 127.0.0.1:9092/bootstrap: Disconnected (after 5012ms in state UP)"
)


def test_a_broker_that_was_up_and_went_away_is_an_outage() -> None:
    """The client of the outage itself and each that follows it: "does not let this client in"."""
    door = Door()
    door.begin()
    door.opened()
    door.log(logging.INFO, "%s", CLOSED)
    assert door.why() is None
    door.begin()
    assert door.why() is None
    assert door.shut is None


def test_one_that_closes_before_it_ever_answers_lets_nobody_in() -> None:
    door = Door()
    door.begin()
    door.log(logging.INFO, "%s", CLOSED)
    shut = door.why()
    assert shut is not None
    assert "closes the connection before it answers (Disconnected)" in str(shut)
    door.begin()
    assert door.shut is shut, "until it does"
    door.opened()
    assert door.shut is None


def test_a_refused_account_stays_refused_while_clients_come_and_go() -> None:
    door = Door()
    door.begin()
    door.on_error(KafkaError(KafkaError._AUTHENTICATION, "no such account (after 4ms)"))
    door.begin()
    assert door.why() is door.shut
    assert door.shut is not None
