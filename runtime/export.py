"""An answer of the warehouse as a file: streamed, in a few megabytes of memory, whole or not there.

The rows travel as an Arrow stream and are written batch by batch. The file has a name of its own
beside the wanted one until all is in it, so that nobody reads half an answer.
"""

import io
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from typing_extensions import override

from custody.errors import Refused, Unavailable
from runtime.too_many_rows import TOO_MANY_ROWS, TooManyRows

_MARK = b"__exception__\r\n"
_TAIL_BYTES = 1 << 15
_NO_END = "it has no end"


class Broken(Unavailable):
    """The answer ended before it was whole."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the answer broke off: {why}",
            expected="an answer that is whole; the file was not written",
            next_step="ask for less, or again",
        )


class NotAFile(Refused):
    """The file cannot be written there."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} cannot be written: {why}",
            expected="a file in a directory that is there and may be written",
            next_step="choose another --out",
        )


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...


def export(
    parts: Iterator[bytes],
    format_name: str,
    path: Path,
    told: Callable[[int], None],
    rows_max: int,
) -> int:
    """Write an Arrow stream to a file and return its rows.

    Args:
        parts: The stream as it comes.
        format_name: parquet, arrow or csv.
        path: Where to; what is there is replaced at the end.
        told: Called with the rows so far.
        rows_max: As it was asked with, for the error where there are more.

    Raises:
        TooManyRows: There are more rows.
        Broken: The stream ended early; the warehouse's words where it said any.
        NotAFile: The file cannot be written.
    """
    source, rows = _Parts(parts, rows_max), 0
    with _whole_file(path) as file:
        with source.broken():
            # Buffered, because pyarrow takes a short read for the end.
            reader = pa.ipc.open_stream(io.BufferedReader(source))
        with _writer(format_name, file, _storable(reader.schema, format_name)) as writer:
            for batch in _batches(reader, source):
                writer.write_batch(_plain(batch, format_name))
                rows += batch.num_rows
                told(rows)
        if not source.ended():
            raise source.error(_NO_END)
    return rows


def _batches(reader: pa.RecordBatchStreamReader, source: "_Parts") -> Iterator[pa.RecordBatch]:
    while True:
        with source.broken():
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
        yield batch


@contextmanager
def _whole_file(path: Path) -> Iterator[io.BufferedWriter]:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise NotAFile(path, error.strerror or str(error)) from error
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _writer(format_name: str, file: io.BufferedWriter, schema: pa.Schema) -> Iterator[_Writer]:
    match format_name:
        case "parquet":
            made = pyarrow.parquet.ParquetWriter(file, schema, compression="zstd")
        case "arrow":
            made = pa.ipc.new_file(file, schema)
        case _:
            made = pyarrow.csv.CSVWriter(file, schema)
    with made:
        yield cast("_Writer", made)


def _storable(schema: pa.Schema, format_name: str) -> pa.Schema:
    """Return the schema of the file.

    UUIDs are the bytes they are, for not every reader knows the extension; in a CSV lists and maps
    are JSON.
    """
    fields = []
    for field in schema:
        found = field.type
        if isinstance(found, pa.BaseExtensionType):
            found = found.storage_type
        if format_name == "csv" and pa.types.is_nested(found):
            found = pa.string()
        fields.append(field.with_type(found))
    return pa.schema(fields, schema.metadata)


def _plain(batch: pa.RecordBatch, format_name: str) -> pa.RecordBatch:
    columns = []
    for column in batch.columns:
        found = column.storage if isinstance(column, pa.ExtensionArray) else column
        if format_name == "csv" and pa.types.is_nested(found.type):
            found = pa.array([_as_json(value) for value in found.to_pylist()], pa.string())
        columns.append(found)
    return pa.RecordBatch.from_arrays(columns, schema=_storable(batch.schema, format_name))


def _as_json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


class _Parts(io.RawIOBase):
    """Reads parts as a file; keeps the last of them, where an error of the warehouse stands."""

    def __init__(self, parts: Iterator[bytes], rows_max: int) -> None:
        super().__init__()
        self._parts = parts
        self._rows_max = rows_max
        self._left = b""
        self._tail = b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = part
            self._tail = (self._tail + part)[-_TAIL_BYTES:]
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Name what made the stream unreadable; pyarrow says some of it with OSError."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise self.error(str(error)) from error

    def error(self, otherwise: str) -> Broken | TooManyRows:
        """Return what broke the stream, in the warehouse's words where it said any."""
        said = self.said()
        if f"Code: {TOO_MANY_ROWS}." in said:
            return TooManyRows(self._rows_max)
        return Broken(said or otherwise)

    def ended(self) -> bool:
        """Return whether the stream said that it is whole."""
        return self._tail.endswith(b"\xff\xff\xff\xff\x00\x00\x00\x00") and not self._left

    def said(self) -> str:
        """Return the error that stands at the end; empty where there is none."""
        for part in self._parts:
            self._tail = (self._tail + part)[-_TAIL_BYTES:]
        begin = self._tail.find(_MARK)
        if begin < 0:
            return ""
        text = self._tail[begin + len(_MARK) :].decode(errors="replace")
        return text.partition("\r\n")[2].partition("\r\n")[0].rpartition("\n")[0]
