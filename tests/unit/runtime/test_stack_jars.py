"""A download is whole and what was locked, or it never was."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from runtime.stack import jars
from runtime.stack.jars import Advance, Artifact, Bundle, CannotDownload, WrongChecksum

_BYTES = b"class files"


def _artifact(content: bytes = _BYTES, packaging: str = "jar") -> Artifact:
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(f"org.example:thing:1.0:{packaging}", len(content), digest)


def _served(content: bytes) -> jars.Fetch:
    def fetch(artifact: Artifact, directory: Path, advance: Advance) -> Path:
        _, name, version, packaging, *_rest = artifact.coordinate.split(":")
        directory.mkdir(parents=True)
        path = directory / f"{name}-{version}.{packaging}"
        path.write_bytes(content)
        advance(len(content))
        return path

    return fetch


def _unseen(_bytes: int) -> None:
    pass


def _never(artifact: Artifact, directory: Path, advance: Advance) -> Path:
    raise AssertionError(artifact, directory, advance)


def test_bundle_appears_whole_and_is_not_fetched_again(tmp_path: Path) -> None:
    bundle = Bundle("thing-1.0", "Thing 1.0", (_artifact(),))
    seen: list[int] = []
    directory = jars.ensure(bundle, tmp_path, _served(_BYTES), seen.append)
    assert (directory / "thing-1.0.jar").read_bytes() == _BYTES
    assert sum(seen) == bundle.size_bytes
    assert jars.ensure(bundle, tmp_path, _never, seen.append) == directory


def test_file_with_another_checksum_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    bundle = Bundle("thing-1.0", "Thing 1.0", (_artifact(),))
    with pytest.raises(WrongChecksum, match=r"thing:1\.0:jar has another checksum"):
        jars.ensure(bundle, tmp_path, _served(b"something else"), _unseen)
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_clear_error_after_three_tries(tmp_path: Path) -> None:
    tries: list[Path] = []

    def unplugged(artifact: Artifact, directory: Path, advance: Advance) -> Path:
        del artifact, advance
        tries.append(directory)
        raise ConnectionError("Name or service not known")

    bundle = Bundle("thing-1.0", "Thing 1.0", (_artifact(),))
    with pytest.raises(CannotDownload) as refused:
        jars.ensure(bundle, tmp_path, unplugged, _unseen)
    assert len(set(tries)) == 3
    assert "Thing 1.0 (org.example:thing:1.0:jar)" in refused.value.what
    assert "Name or service not known" in refused.value.what
    assert "CUSTODY_STACK__MAVEN_REPOSITORY_URL" in refused.value.next_step
    assert not jars.is_cached(bundle, tmp_path)


def test_archive_is_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("app/run.jar")
        entry.size = len(_BYTES)
        archive.addfile(entry, io.BytesIO(_BYTES))
    content = packed.getvalue()
    bundle = Bundle("thing-1.0", "Thing 1.0", (_artifact(content, "tar.gz"),))
    directory = jars.ensure(bundle, tmp_path, _served(content), _unseen)
    assert (directory / "app/run.jar").read_bytes() == _BYTES


@pytest.mark.parametrize("name", ["kafka", "registry"])
def test_lock_file_names_every_file_with_size_and_checksum_and_no_address(name: str) -> None:
    bundle = jars.locked(name)
    assert bundle.artifacts
    for artifact in bundle.artifacts:
        assert len(artifact.coordinate.split(":")) in (4, 5)
        assert artifact.size_bytes > 0
        assert len(bytes.fromhex(artifact.sha256)) == 32
        assert "/" not in artifact.coordinate
