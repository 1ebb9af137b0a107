"""The gateway's key and what it signs; what it has seen of others."""

import os
from pathlib import Path
from random import Random

import pytest

from custody import heads
from custody.events import Micros
from custody.heads import Head, SeenHead
from producers import signing
from producers.signing import KeyUnreadable
from producers.witness import Seen


def head(gateway: str, at: int, size: int) -> Head:
    return Head(
        gateway_id=gateway,
        gateway_epoch=1,
        at=Micros(at),
        size=size,
        last_seq=size,
        digest=bytes(32),
        merkle_root=size.to_bytes(32, "big"),
        signature=None,
        key_id=None,
    )


def seen(gateway: str, size: int) -> SeenHead:
    return SeenHead(
        gateway_id=gateway, gateway_epoch=1, size=size, merkle_root=size.to_bytes(32, "big")
    )


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = signing.load_or_make(tmp_path, "GW-A")

    assert signing.load_or_make(tmp_path, "GW-A").public == first.public
    if os.name == "posix":
        assert (tmp_path / signing.FILE).stat().st_mode & 0o777 == 0o600
        (tmp_path / signing.FILE).chmod(0o644)
        signing.load_or_make(tmp_path, "GW-A")
        assert (tmp_path / signing.FILE).stat().st_mode & 0o777 == 0o600


def test_a_rotated_key_is_another_and_the_old_one_is_kept(tmp_path: Path) -> None:
    first = signing.load_or_make(tmp_path, "GW-A")
    second = signing.rotate(tmp_path, "GW-A")

    assert second.public != first.public
    assert signing.load_or_make(tmp_path, "GW-A").public == second.public
    assert (tmp_path / f"{signing.FILE}.{first.key_id}").exists()


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / signing.FILE).write_text(text)
    with pytest.raises(KeyUnreadable, match=r"signing\.key"):
        signing.load_or_make(tmp_path, "GW-A")


def test_the_newest_head_of_each_other_gateway_is_stated_once() -> None:
    found = Seen("GW-A")
    for one in (head("GW-B", 2, 20), head("GW-C", 1, 5), head("GW-B", 1, 10), head("GW-A", 3, 9)):
        found.note(one)

    assert found.take() == (seen("GW-B", 20), seen("GW-C", 5))
    found.note(head("GW-B", 3, 20))  # a minute later, and nothing has been added
    assert found.take() == ()
    found.note(head("GW-B", 4, 21))
    assert found.take() == (seen("GW-B", 21),)


def test_what_was_taken_for_a_head_that_was_not_written_is_stated_with_the_next() -> None:
    found = Seen("GW-A")
    found.note(head("GW-B", 1, 10))
    taken = found.take()
    found.note(head("GW-C", 1, 5))
    found.put_back(taken)

    assert found.take() == (seen("GW-B", 10), seen("GW-C", 5))


def test_more_gateways_than_fit_take_turns() -> None:
    found, names = Seen("GW-A"), [f"GW-{no:03d}" for no in range(150)]
    Random(1).shuffle(names)
    for name in names:
        found.note(head(name, 1, 1))

    stated = [[one.gateway_id for one in found.take()] for _ in range(4)]
    assert [len(one) for one in stated] == [heads.SEEN_MAX, heads.SEEN_MAX, 22, 0]
    assert [name for one in stated for name in one] == names
