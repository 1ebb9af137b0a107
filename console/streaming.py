"""Sends an answer while it is made, and stops the statement when nobody listens any more.

The first megabyte is kept until it is full or all is there, so that most answers leave with their
final status and counts, and an error that comes early is an HTTP error. Who cannot read an error
behind rows has the whole answer kept.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from console.native import framed
from console.packing import Packer
from console.reader import Answer, Ask, Reader
from custody.errors import CustodyError

_SEND_S = 60.0
"""A client that takes nothing for so long has gone."""

CONTENT_TYPES = {
    "JSONEachRow": "application/x-ndjson",
    "JSON": "application/json; charset=utf-8",
    "JSONCompact": "application/json; charset=utf-8",
    "CSV": "text/csv; charset=utf-8",
    "CSVWithNames": "text/csv; charset=utf-8",
    "CSVWithNamesAndTypes": "text/csv; charset=utf-8",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/vnd.apache.parquet",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "RowBinaryWithNames": "application/octet-stream",
    "RowBinaryWithNamesAndTypes": "application/octet-stream",
}
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How an answer is sent.

    Attributes:
        failed: Makes the answer to an error that comes before anything was sent.
        broken: Makes what is sent last where an error comes later.
        ended: Told how it ended; None where it went well.
        codec: How it is packed; empty is not at all.
        framed_native: Whether Native is that of a newer client.
        headers: Sent with a good answer.
        head_bytes: How much is kept before the status is sent.
    """

    failed: Callable[[CustodyError], Response]
    broken: Callable[[CustodyError], bytes]
    ended: Callable[[CustodyError | None], None]
    codec: str = ""
    framed_native: bool = False
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    head_bytes: int = 1 << 20


class Streamed(Response):
    """The answer to one statement.

    Args:
        reader: Runs it.
        ask: The statement.
        manner: How it is sent.
    """

    def __init__(self, reader: Reader, ask: Ask, manner: Manner) -> None:
        super().__init__()
        self._reader = reader
        self._ask = ask
        self._manner = manner
        self._answer: Answer | None = None

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the statement and send what it answers."""
        watch = asyncio.create_task(self._watch(receive))
        try:
            await self._run(scope, receive, send)
        finally:
            watch.cancel()
            if self._answer is not None:
                await asyncio.shield(run_in_threadpool(self._answer.close))

    async def _watch(self, receive: Receive) -> None:
        """Stop the statement when the client has gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        with contextlib.suppress(CustodyError):
            cancel = self._reader.cancel
            stopping = await run_in_threadpool(cancel, self._ask.query_id, self._ask.role)
            if stopping is not None and not stopping.ended:
                await run_in_threadpool(stopping.insist)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._answer = await run_in_threadpool(self._reader.start, self._ask)
            head, is_whole = await run_in_threadpool(self._head, self._answer)
        except CustodyError as error:
            self._manner.ended(error)
            await self._manner.failed(error)(scope, receive, send)
            return
        packer = Packer(self._manner.codec)
        await self._send(send, self._start(self._answer, is_whole=is_whole))
        try:
            await self._body(send, packer.pack(head))
            while not is_whole:
                part = await run_in_threadpool(self._next, self._answer)
                if part is None:
                    break
                await self._body(send, packer.pack(part))
        except CustodyError as error:
            self._manner.ended(error)
            await self._body(send, packer.pack(self._manner.broken(error)))
        else:
            self._manner.ended(None)
        await self._send(send, {"type": "http.response.body", "body": packer.end()})

    def _head(self, answer: Answer) -> tuple[bytes, bool]:
        parts, size = list[bytes](), 0
        while size < self._manner.head_bytes:
            part = self._next(answer)
            if part is None:
                return b"".join(parts), True
            parts.append(part)
            size += len(part)
        return b"".join(parts), False

    def _next(self, answer: Answer) -> bytes | None:
        part = answer.next()
        if part is None or not (self._manner.framed_native and answer.format == "Native"):
            return part
        return framed(part)

    def _start(self, answer: Answer, *, is_whole: bool) -> Message:
        headers = {
            "content-type": CONTENT_TYPES.get(answer.format, TEXT),
            "x-clickhouse-query-id": answer.query_id,
            "x-clickhouse-format": answer.format,
            "x-clickhouse-summary": _summary(answer, is_whole=is_whole),
            **self._manner.headers,
        }
        if self._manner.codec:
            headers["content-encoding"] = self._manner.codec
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return {"type": "http.response.start", "status": 200, "headers": raw}

    async def _body(self, send: Send, data: bytes) -> None:
        if data:
            body = {"type": "http.response.body", "body": data, "more_body": True}
            await self._send(send, body)

    async def _send(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(_SEND_S):
            await send(message)


def _summary(answer: Answer, *, is_whole: bool) -> str:
    """Numbers as strings, as ClickHouse has them; those so far where more is to come."""
    said = {"result_rows": str(answer.rows), "result_bytes": str(answer.size)}
    return json.dumps(said if is_whole else {**said, "partial": "1"})
