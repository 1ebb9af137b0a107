"""Heads as checkpoints: what is signed, by which key, and that others' tools can read it."""

from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from custody import heads
from custody.digest import inclusion_path, merkle_root, root_by_path
from custody.events import Micros
from custody.heads import Head, SeenHead
from producers.signing import Signer

SEED = bytes(range(32))
SEEN = SeenHead(gateway_id="GW B", gateway_epoch=2, size=7, merkle_root=b"\3" * 32)
HEAD = Head(
    gateway_id="GW-A",
    gateway_epoch=1,
    at=Micros(1_793_862_720_000_000),
    size=5,
    last_seq=5,
    digest=b"\1" * 32,
    merkle_root=b"\2" * 32,
    signature=None,
    key_id=None,
    seen=(SEEN,),
)


def test_the_signed_text_is_a_checkpoint() -> None:
    assert heads.checkpoint(HEAD).decode().splitlines() == [
        "custody/GW-A/1",
        "5",
        "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        "at 1793862720000000",
        "last AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "seen GW%20B 2 7 AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
    ]


def test_a_signature_holds_for_another_implementation() -> None:
    signer = Signer("GW-A", SEED)
    signed = signer.signed(HEAD)
    key = load_der_public_key(b64decode(heads.key_text(signer.public)))

    assert isinstance(key, Ed25519PublicKey)
    assert signed.signature is not None
    key.verify(signed.signature, heads.checkpoint(signed))


@pytest.mark.parametrize(
    "change",
    [
        {"gateway_id": "GW-B"},
        {"gateway_epoch": 2},
        {"at": Micros(1)},
        {"size": 6},
        {"digest": b"\4" * 32},
        {"merkle_root": b"\4" * 32},
        {"seen": ()},
        {"seen": (replace(SEEN, size=8),)},
        {"signature": None},
        {"signature": b"\0" * 64},
        {"signature": b"short"},
    ],
    ids=str,
)
def test_whatever_is_changed_the_signature_does_not_hold(change: dict[str, object]) -> None:
    signer = Signer("GW-A", SEED)
    signed = signer.signed(HEAD)

    assert heads.is_signed(signed, signer.public)
    assert not heads.is_signed(replace(signed, **change), signer.public)  # type: ignore[arg-type]


def test_a_key_is_read_back_and_anything_else_is_none() -> None:
    public = Signer("GW-A", SEED).public

    assert heads.key_of(heads.key_text(public)) == public
    assert [heads.key_of(x) for x in (None, 7, "", "ä", "AAAA", heads.key_text(public)[:-4])] == [
        None
    ] * 6


def test_a_note_names_its_key_as_notes_do() -> None:
    signer = Signer("GW-A", SEED)
    signed = signer.signed(HEAD)
    text, _, last = heads.note(signed, signer.public).rpartition("\n\n")

    assert text.encode() + b"\n" == heads.checkpoint(signed)
    dash, name, raw = last.split()
    assert (dash, name) == ("—", "GW-A")
    assert b64decode(raw) == bytes.fromhex(signer.key_id) + (signed.signature or b"")


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=80), st.data())
def test_a_path_leads_to_the_root_and_to_no_other(
    digests: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(digests) - 1))
    path = inclusion_path(digests, index)
    root = merkle_root(digests)

    assert root_by_path(digests[index], index, len(digests), path) == root
    assert root_by_path(b"\xff" * 31 + b"\0", index, len(digests), path) != root
    for at in range(len(path)):
        wrong = [*path[:at], bytes(32), *path[at + 1 :]]
        assert root_by_path(digests[index], index, len(digests), wrong) != root
        assert root_by_path(digests[index], index, len(digests), path[:at]) != root
    assert root_by_path(digests[index], index, len(digests), [*path, bytes(32)]) != root
