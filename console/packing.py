"""Answers packed as the client can unpack them: zstd, lz4 or gzip, part by part."""

import io

import pyarrow as pa
from typing_extensions import override

_CODECS = ("zstd", "lz4", "gzip")
"""Names in ``Accept-Encoding``, best first; pyarrow calls its codecs the same."""


def chosen(accepted: str) -> str:
    """Return the best packing of an ``Accept-Encoding``; empty where none is taken.

    ``q=0`` says that one is not taken.
    """
    taken = set[str]()
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0"}:
            taken.add(name.strip())
    return next((name for name in _CODECS if name in taken), "")


class Packer:
    """Packs parts one after the other.

    Args:
        codec: One that ``chosen`` returned; empty packs nothing.
    """

    def __init__(self, codec: str) -> None:
        self._out = _Out()
        self._stream = (
            pa.CompressedOutputStream(pa.PythonFile(self._out, mode="w"), codec) if codec else None
        )

    def pack(self, part: bytes) -> bytes:
        """Return what can be sent now; it may be nothing yet."""
        if self._stream is None:
            return part
        self._stream.write(part)
        return self._out.taken()

    def end(self) -> bytes:
        """Return the rest; nothing can be packed after it."""
        if self._stream is None:
            return b""
        self._stream.close()
        return self._out.taken()


class _Out(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = list[bytes]()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: object, /) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # any buffer
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data
