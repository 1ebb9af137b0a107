"""Which packing is chosen, and that parts unpack to what they were."""

import pyarrow as pa
import pytest

from console.packing import Packer, chosen


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip, deflate", "gzip"),
        ("lz4,zstd;q=0.5", "zstd"),
        ("zstd;q=0, lz4", "lz4"),
        ("identity", ""),
        ("", ""),
    ],
)
def test_the_best_that_is_taken_is_chosen(accepted: str, expected: str) -> None:
    assert chosen(accepted) == expected


@pytest.mark.parametrize("codec", ["zstd", "lz4", "gzip"])
def test_parts_unpack_to_what_they_were(codec: str) -> None:
    packer, parts = Packer(codec), [b"a" * 100_000, b"", b"b"]
    packed = b"".join([*(packer.pack(part) for part in parts), packer.end()])
    assert len(packed) < 10_000
    assert pa.CompressedInputStream(pa.BufferReader(packed), codec).read() == b"".join(parts)


def test_without_a_codec_parts_stay() -> None:
    packer = Packer("")
    assert (packer.pack(b"x"), packer.end()) == (b"x", b"")
