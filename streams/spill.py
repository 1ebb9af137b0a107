"""Where the outputs of a step stand: in its owner's row, or beside it where they are too many.

Only the last chunk's outputs are ever sent again, so rows that carry another's outputs are few and
the next chunk writes over them.
"""

from collections.abc import Callable, Sequence

from streams.rows import ChunkRecord, Envelope, Output, RowCodec, UnreadableRow

OUTPUTS_BYTES_MAX = 64 * 1024
"""Outputs that a row carries itself; more of them stand in rows beside it."""

SPILL_BYTES_MAX = 192 * 1024
"""Outputs of such a row: with the largest record it stays below ``ROW_BYTES_MAX``."""

OUTPUT_BYTES = 64
"""More than an output needs in a row beside its key and value."""


def spill_key(number: int) -> str:
    """Return the key of a row that carries outputs of another."""
    return f"said/{number}"


def spilled(outputs: Sequence[Output]) -> list[tuple[Output, ...]]:
    """Return outputs in parts that one row each can carry; none where the owner's row can."""
    if sum([len(output.value) for output in outputs]) <= OUTPUTS_BYTES_MAX:
        return []
    parts: list[list[Output]] = [[]]
    room = SPILL_BYTES_MAX
    for output in outputs:
        size = len(output.value) + len(output.key) + OUTPUT_BYTES
        if size > room and parts[-1]:
            parts.append([])
            room = SPILL_BYTES_MAX
        parts[-1].append(output)
        room -= size
    return [tuple(part) for part in parts]


def _of_chunk(codec: RowCodec, record: ChunkRecord, data: bytes | None) -> Envelope | None:
    envelope = None if data is None else codec.envelope(data)
    return envelope if envelope is not None and envelope.chunk == record.chunk else None


def surviving(
    codec: RowCodec, record: ChunkRecord, row: Callable[[bytes], bytes | None]
) -> tuple[list[Output], int]:
    """Return what the rows of the last chunk carry, and the number to count on from.

    Nothing of a row that did not survive was sent: its numbers are given anew.

    Args:
        codec: Bytes to rows.
        record: The last chunk's record.
        row: Reads the partition's local store.
    """
    outputs: list[Output] = []
    for owner in record.owners:
        envelope = _of_chunk(codec, record, row(owner.encode()))
        if envelope is None:
            continue
        outputs.extend(envelope.outputs)
        first, count = envelope.spill
        for number in range(first, first + count):
            spilled = _of_chunk(codec, record, row(spill_key(number).encode()))
            if spilled is None:
                raise UnreadableRow(spill_key(number), f"what {owner} said is not there")
            outputs.extend(spilled.outputs)
    return outputs, max([record.n_before, *(output.n for output in outputs)])
