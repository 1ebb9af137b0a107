"""The chain of a gateway's records, and the tree whose root its heads state.

Chain: ``digest = SHA-256(prev || schema fingerprint || Avro body)``, over raw bytes, so that it
is checked without decoding and survives schema evolution. The first record's ``prev`` is
``GENESIS``.

Tree: RFC 6962's Merkle tree over the chain's digests in order. ``Frontier`` holds the roots of
its complete subtrees, so that adding a record costs two hashes on average and the root some
twenty, whatever the size.
"""

import hashlib
from collections.abc import Iterable, Sequence

DIGEST_BYTES = 32
GENESIS = bytes(DIGEST_BYTES)
"""``prev`` of the first record of a gateway's epoch."""

_LEAF = b"\x00"
_NODE = b"\x01"


def link(prev: bytes, fingerprint: bytes, body: bytes) -> bytes:
    """Return the digest of a record.

    Args:
        prev: Digest of the record before, 32 bytes; ``GENESIS`` for the first.
        fingerprint: SHA-256 of the schema's parsing canonical form, 32 bytes.
        body: Avro body, without the registry's frame.
    """
    assert len(prev) == len(fingerprint) == DIGEST_BYTES, "digest and fingerprint have 32 bytes"
    return hashlib.sha256(prev + fingerprint + body).digest()


def first_break(prev: bytes, records: Iterable[tuple[bytes, bytes, bytes, bytes]]) -> int | None:
    """Return the index of the first record that does not continue the chain, or None.

    Args:
        prev: Digest before the first record.
        records: (prev, fingerprint, body, digest) in order of gateway_seq.
    """
    for index, (claimed_prev, fingerprint, body, digest) in enumerate(records):
        if claimed_prev != prev or link(prev, fingerprint, body) != digest:
            return index
        prev = digest
    return None


class Frontier:
    """The right edge of a Merkle tree: all that is needed to grow it."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        assert len(peaks) == size.bit_count(), "one complete subtree per set bit of the size"
        self.size = size
        # Roots of the complete subtrees, largest first.
        self.peaks = list(peaks)

    def append(self, digest: bytes) -> None:
        """Add a record's digest as the next leaf."""
        node = hashlib.sha256(_LEAF + digest).digest()
        below = self.size
        while below & 1:
            node = hashlib.sha256(_NODE + self.peaks.pop() + node).digest()
            below >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the tree's root; SHA-256 of nothing for an empty tree (RFC 6962)."""
        if not self.peaks:
            return hashlib.sha256().digest()
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = hashlib.sha256(_NODE + peak + node).digest()
        return node

    def packed(self) -> bytes:
        """Return size and peaks as bytes."""
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)


def unpack_frontier(raw: bytes) -> Frontier:
    """Return the frontier ``Frontier.packed`` wrote."""
    peaks = [raw[at : at + DIGEST_BYTES] for at in range(8, len(raw), DIGEST_BYTES)]
    return Frontier(int.from_bytes(raw[:8], "big"), peaks)


def merkle_root(digests: Iterable[bytes]) -> bytes:
    """Return the root over digests in order."""
    frontier = Frontier()
    for digest in digests:
        frontier.append(digest)
    return frontier.root()


def inclusion_path(digests: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root, lowest first (RFC 6962, 2.1.1).

    Args:
        digests: All digests of the tree in order.
        index: Which of them, from 0.
    """
    level = [hashlib.sha256(_LEAF + digest).digest() for digest in digests]
    assert 0 <= index < len(level), "the leaf is in the tree"
    path: list[bytes] = []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        # The last of an odd level has no neighbour and goes up as it is.
        pairs = zip(level[0::2], level[1::2], strict=False)
        above = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs]
        level = above + level[len(above) * 2 :]
        index >>= 1
    return path


def root_by_path(digest: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a leaf and its path make; None where the path does not fit the tree.

    Args:
        digest: The leaf.
        index: Its place, from 0.
        size: Leaves of the tree.
        path: Hashes from the leaf on.

    Source:
        RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return None
    node, at, last = hashlib.sha256(_LEAF + digest).digest(), index, size - 1
    for beside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = hashlib.sha256(_NODE + beside + node).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hashlib.sha256(_NODE + node + beside).digest()
        at, last = at >> 1, last >> 1
    return node if last == 0 else None
