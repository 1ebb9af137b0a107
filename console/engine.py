"""The two engines a statement can be asked of: the embedded one, and a ClickHouse server.

Each statement runs on a handle of its own that is opened with its settings, ``readonly=1`` the
last, and closed with it: nothing set or chosen in one statement is there in the next. That costs
the embedded engine a millisecond.
"""

import io
import os
import re
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

import chdb
import httpx
import pyarrow as pa

from console.asked import STREAMED

_CHUNK_BYTES = 1 << 18
_ARROW_ROWS = 65_536
_CONNECT_S = 10.0
_EXCEPTION_BYTES = 1 << 15
"""A server writes an error behind rows in at most 16 KiB."""
_MARK_BYTES = len(b"__exception__\r\n")
_CODE = re.compile(r"Code: (\d+)")


class EngineError(Exception):
    """The engine did not do what was asked.

    Args:
        code: ClickHouse's number of the error; None where there was no answer.
        text: The engine's own words.
    """

    def __init__(self, code: int | None, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Query:
    """A statement and how it is to run.

    Attributes:
        text: One statement, without FORMAT.
        format: A format of ClickHouse.
        query_id: Name by which ``kill`` finds it.
        settings: Its bounds and how values are written.
        parameters: Values of ``{name:Type}``.
    """

    text: str
    format: str
    query_id: str
    settings: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Chunk:
    """A part of an answer, and how many rows the engine says it has; 0 where it does not."""

    data: bytes
    rows: int = 0


class Engine(Protocol):
    """Something that answers statements; from any thread."""

    def run(self, query: Query) -> Generator[Chunk, None, None]:
        """Yield the answer's parts as they are made; closing the iterator ends the statement.

        Raises:
            EngineError: The engine does not take the statement, or stopped it.
        """
        ...

    def kill(self, query_id: str) -> None:
        """Stop a statement; harmless where it has ended.

        Raises:
            EngineError: There is no answer.
        """
        ...

    def close(self) -> None:
        """Give back what is held between statements."""
        ...


def open_engine(address: str) -> Engine:
    """Return the engine behind ``chdb:///path`` or ``http(s)://user:password@host:port``.

    Nothing is opened before the first statement.
    """
    if address.startswith("chdb:"):
        return Embedded(os.path.realpath(unquote(urlsplit(address).path)))
    return Server(address)


class Embedded:
    """chDB in this process.

    Args:
        path: Its directory, without links: the engine compares spellings.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        # Held, too, because the engine ends with its last handle.
        self._control: _Handle | None = None

    def run(self, query: Query) -> Generator[Chunk, None, None]:
        """See ``Engine.run``."""
        with self._lock, _engine_errors():
            self._open_control()
            handle = _connect(self._path)
        try:
            with _engine_errors():
                handle.query("USE custody")
                handle.query(_set_statement(query))
            yield from _chunks(handle, query)
        finally:
            handle.close()

    def kill(self, query_id: str) -> None:
        """See ``Engine.kill``. The engine names statements itself; ours stands in a setting."""
        with self._lock, _engine_errors():
            self._open_control().query(
                "KILL QUERY WHERE Settings['log_comment'] = {id:String} ASYNC",
                params={"id": query_id},
            )

    def close(self) -> None:
        """See ``Engine.close``."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None

    def _open_control(self) -> "_Handle":
        if self._control is None:
            self._control = _connect(self._path)
        return self._control


class Server:
    """A ClickHouse server, asked in its own protocol.

    Args:
        address: ``http(s)://user:password@host:port``.
    """

    def __init__(self, address: str) -> None:
        url = httpx.URL(address)
        self._http = httpx.Client(
            base_url=url.copy_with(userinfo=b""),
            headers={"X-ClickHouse-User": url.username, "X-ClickHouse-Key": url.password},
            timeout=httpx.Timeout(_CONNECT_S, read=None),
            trust_env=False,
        )

    def run(self, query: Query) -> Generator[Chunk, None, None]:
        """See ``Engine.run``."""
        asked = {f"param_{name}": value for name, value in query.parameters.items()}
        asked |= query.settings
        asked |= {"query_id": query.query_id, "default_format": query.format}
        # The last one: nothing can be set after it.
        asked |= {"database": "custody", "readonly": "1"}
        with (
            _engine_errors(),
            self._http.stream("POST", "/", params=asked, content=query.text.encode()) as answer,
        ):
            _check_status(answer)
            yield from _without_exception(answer)

    def kill(self, query_id: str) -> None:
        """See ``Engine.kill``."""
        # The id has none of the characters that would end the string.
        text = f"KILL QUERY WHERE query_id = '{query_id}' ASYNC"
        with _engine_errors():
            _check_status(self._http.post("/", content=text.encode()))

    def close(self) -> None:
        """See ``Engine.close``."""
        self._http.close()


def _check_status(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.OK:
        code = answer.headers.get("x-clickhouse-exception-code", "")
        answer.read()
        raise EngineError(int(code) if code.isdecimal() else None, answer.text)


def _without_exception(answer: httpx.Response) -> Iterator[Chunk]:
    """Yield an answer's parts; an error that a server writes behind rows is raised.

    It stands at the very end between marks with the tag of the answer's header, so the last two
    parts are held back.
    """
    mark = f"__exception__\r\n{answer.headers.get('x-clickhouse-exception-tag', '')}".encode()
    held = b""
    for part in answer.iter_bytes(_CHUNK_BYTES):
        if len(held) > _EXCEPTION_BYTES:
            yield Chunk(held[:-_EXCEPTION_BYTES])
            held = held[-_EXCEPTION_BYTES:]
        held += part
    begin = held.rfind(mark) if len(mark) > _MARK_BYTES else -1
    if begin >= 0:
        text = held[begin + len(mark) :].decode(errors="replace").strip()
        found = _CODE.search(text)
        raise EngineError(int(found[1]) if found else None, text.rpartition("\n")[0] or text)
    if held:
        yield Chunk(held)


class _engine_errors:  # noqa: N801  read as a verb in a with
    """Make errors of either engine one of ours."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.HTTPError):
            raise EngineError(None, str(error) or type(error).__name__) from error
        # chDB raises RuntimeError, and ChdbError, whose base is Exception.
        if isinstance(error, RuntimeError | OSError | chdb.ChdbError):
            found = _CODE.search(str(error))
            raise EngineError(int(found[1]) if found else None, str(error)) from error


def _set_statement(query: Query) -> str:
    named = {**query.settings, "log_comment": query.query_id}
    clauses = [f"{name} = '{_escaped(value)}'" for name, value in named.items()]
    return "SET " + ", ".join([*clauses, "readonly = 1"])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _chunks(handle: "_Handle", query: Query) -> Iterator[Chunk]:
    parameters = dict(query.parameters)
    if query.format not in STREAMED or not _is_query(query.text):
        with _engine_errors():
            whole = handle.query(query.text, query.format, params=parameters)
            yield Chunk(whole.bytes(), whole.rows_read())
        return
    asked = "Arrow" if query.format == "ArrowStream" else query.format
    with _engine_errors():
        stream = handle.send_query(query.text, asked, params=parameters)
    try:
        yield from _arrow(stream) if asked == "Arrow" else _blocks(stream)
    except _Empty:
        stream.close()
        yield Chunk(_schema_alone(handle, query))
    finally:
        stream.close()


class _Empty(Exception):
    """An answer without rows: the engine says nothing then, its columns neither."""


def _is_query(text: str) -> bool:
    """The engine streams queries alone, not SHOW or EXPLAIN."""
    return text.lstrip(" \t\r\n\f\v(").upper().startswith(("SELECT", "WITH"))


def _schema_alone(handle: "_Handle", query: Query) -> bytes:
    text = f"SELECT * FROM (\n{query.text}\n) LIMIT 0"  # noqa: S608  the guard has read it
    with _engine_errors():
        whole = handle.query(text, "ArrowStream", params=dict(query.parameters))
        return bytes(whole.bytes())


def _blocks(stream: "_Stream") -> Iterator[Chunk]:
    while True:
        with _engine_errors():
            chunk = stream.fetch()
            if chunk is None:
                return
            data, rows = chunk.bytes(), chunk.rows_read()
        if data:
            yield Chunk(data, rows)


def _arrow(stream: "_Stream") -> Iterator[Chunk]:
    """An Arrow stream has one schema and many batches; the engine makes whole files of each."""
    with _engine_errors():
        batches = stream.record_batch(rows_per_batch=_ARROW_ROWS)
        schema = batches.schema
    if not schema.names:
        raise _Empty
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, schema) as writer:
        while True:
            with _engine_errors():
                try:
                    batch = batches.read_next_batch()
                except StopIteration:
                    break
            writer.write_batch(batch)
            yield Chunk(_taken(sink), batch.num_rows)
    yield Chunk(_taken(sink))


def _taken(sink: io.BytesIO) -> bytes:
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


class _Result(Protocol):
    """A result, or a part of one; chDB's own types say nothing."""

    def bytes(self) -> bytes: ...
    def rows_read(self) -> int: ...


class _Stream(Protocol):
    def fetch(self) -> _Result | None: ...
    def record_batch(self, rows_per_batch: int) -> pa.RecordBatchReader: ...
    def close(self) -> None: ...


class _Handle(Protocol):
    def query(
        self, text: str, fmt: str = "CSV", /, *, params: Mapping[str, str] | None = None
    ) -> _Result: ...
    def send_query(
        self, text: str, fmt: str = "CSV", /, *, params: Mapping[str, str] | None = None
    ) -> _Stream: ...
    def close(self) -> None: ...


def _connect(path: str) -> _Handle:
    connect = cast("Callable[[str], _Handle]", chdb.connect)
    return connect(path)
