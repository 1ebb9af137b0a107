"""Faust's producer, guarded: E and J of ``streams.transport``."""

from collections.abc import Mapping
from typing import Any, NoReturn

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import FutureMessage
from typing_extensions import override

from streams.guard import Guard


class GuardedProducer(driver.Producer):
    """Faust's producer with E and J, idempotent."""

    guard: Guard

    @override
    def _settings_extra(self) -> Mapping[str, Any]:
        # A request the broker took but did not answer in time is sent again: without sequence
        # numbers the changelog would then hold an old row behind a newer one.
        return {"acks": "all", "enable_idempotence": True}

    @override
    async def on_start(self) -> None:
        """Start; from here on every produce request asks the lease."""
        await super().on_start()
        self.buffer.put = _closed_buffer  # type: ignore[method-assign, assignment]  # E
        sender = self.client._sender  # noqa: SLF001  J
        send = sender._send_produce_req  # noqa: SLF001  J
        check = self.guard.lease.check

        async def send_with_lease(node_id: int, batches: Mapping[object, object]) -> None:
            check()
            await send(node_id, batches)

        sender._send_produce_req = send_with_lease  # noqa: SLF001  J

    @property
    def client(self) -> aiokafka.AIOKafkaProducer:
        """The running aiokafka producer: batches go to it directly."""
        return self._ensure_producer()


def _closed_buffer(_: FutureMessage) -> NoReturn:
    message = "Faust's producer buffer is closed: send batches (guard E)"
    raise RuntimeError(message)
