"""Download what Java runs, once, against locked checksums.

``artifacts.lock.json`` names every file by its Maven coordinate, size and SHA-256. A bundle is
downloaded into a staging directory, checked file by file, and appears in the cache by one rename:
a directory that is there is complete, so later starts neither resolve nor use the network.
jgo fetches; the repository is its own default, the one of the user's jgo configuration, or the
one of the settings. The checksums hold whichever it is.
"""

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from custody.errors import Unavailable

Advance = Callable[[int], None]
"""Told how many bytes have just arrived."""

_TIMEOUT_S = 60
_ATTEMPTS_MAX = 3
_PARALLEL_DOWNLOADS = 4
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a bundle.

    Attributes:
        coordinate: ``group:name:version:packaging`` with ``:classifier`` behind it where it has
            one.
        size_bytes: Size, bytes.
        sha256: Lower-case hexadecimal digest of the file.
    """

    coordinate: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A set of files one process is started from.

    Attributes:
        name: Directory name in the cache, with the version, so that versions live side by side.
        title: What a person calls it.
        artifacts: Its files.
    """

    name: str
    title: str
    artifacts: tuple[Artifact, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes to download."""
        return sum(a.size_bytes for a in self.artifacts)


Fetch = Callable[[Artifact, Path, Advance], Path]
"""Download one artifact below a directory and return where it is."""


class WrongChecksum(Unavailable):
    """What the repository sent is not what was locked."""

    def __init__(self, artifact: Artifact, found: str) -> None:
        super().__init__(
            f"{artifact.coordinate} has another checksum than the locked one: sha256 {found}",
            expected=f"sha256 {artifact.sha256}, {artifact.size_bytes} bytes",
            next_step="check the Maven repository in use; nothing of this download was kept",
        )


class CannotDownload(Unavailable):
    """The repository cannot be reached or does not have the file."""

    def __init__(self, title: str, artifact: Artifact, error: Exception) -> None:
        super().__init__(
            f"cannot download {title} ({artifact.coordinate}): {_reason(error)}",
            expected="the Maven repository to be reachable at the first start",
            next_step="connect and run again, or set CUSTODY_STACK__MAVEN_REPOSITORY_URL",
        )


def locked(bundle: str) -> Bundle:
    """Return a bundle (``kafka`` or ``registry``) as the lock file has it."""
    text = resources.files("runtime.stack").joinpath("artifacts.lock.json").read_text("utf-8")
    entry = json.loads(text)[bundle]
    artifacts = tuple(
        Artifact(a["coordinate"], a["size_bytes"], a["sha256"]) for a in entry["artifacts"]
    )
    return Bundle(f"{bundle}-{entry['version']}", f"{entry['title']} {entry['version']}", artifacts)


def is_cached(bundle: Bundle, cache: Path) -> bool:
    """Return whether the bundle is complete in the cache."""
    return (cache / bundle.name).is_dir()


def ensure(bundle: Bundle, cache: Path, fetch: Fetch, advance: Advance) -> Path:
    """Return the bundle's directory in the cache, downloading it where it is not there.

    Blocks until all is downloaded and checked. Safe to call twice, and by two processes at once:
    the second rename finds the directory and drops its own copy.

    Raises:
        CannotDownload: No network, or a file is not to be had.
        WrongChecksum: A file is not what was locked.
    """
    target = cache / bundle.name
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{bundle.name}-", dir=cache) as scratch:
        staged = Path(scratch) / "staged"
        staged.mkdir()
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            work = [
                pool.submit(_fetch_checked, a, Path(scratch) / str(n), fetch, advance, bundle.title)
                for n, a in enumerate(bundle.artifacts)
            ]
        for done in work:
            _place(done.result(), staged)
        _publish(staged, target)
    return target


def jgo_fetch(repository_url: str | None) -> Fetch:
    """Return a fetch through jgo.

    Args:
        repository_url: Maven repository to use; None for the user's jgo configuration and then
            jgo's default.
    """
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    if repository_url is not None:
        repositories = {"configured": repository_url}

    def fetch(artifact: Artifact, directory: Path, advance: Advance) -> Path:
        @contextmanager
        def progress(_filename: str, _size_bytes: int) -> Iterator[Advance]:
            yield advance

        group, name, version, packaging, *classifier = artifact.coordinate.split(":")
        context = MavenContext(
            resolver=PythonResolver(progress_callback=progress),
            repo_cache=directory,
            remote_repos=repositories,
            timeout=_TIMEOUT_S,
        )
        component = context.project(group, name).at_version(version)
        return component.artifact("".join(classifier), packaging).resolve()

    return fetch


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, lower-case hexadecimal. Blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch_checked(
    artifact: Artifact, directory: Path, fetch: Fetch, advance: Advance, title: str
) -> Path:
    path = _fetch_with_retries(artifact, directory, fetch, advance, title)
    found = sha256_of(path)
    if found != artifact.sha256:
        raise WrongChecksum(artifact, found)
    return path


def _fetch_with_retries(
    artifact: Artifact, directory: Path, fetch: Fetch, advance: Advance, title: str
) -> Path:
    attempt = 0
    while True:
        attempt += 1
        try:
            # A directory per attempt: jgo takes a half-written file of an earlier one for whole.
            return fetch(artifact, directory / str(attempt), advance)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            if attempt == _ATTEMPTS_MAX:
                raise CannotDownload(title, artifact, error) from error


def _reason(error: Exception) -> str:
    """Return the innermost reason: requests wraps the system's in three layers of its own."""
    text = str(error).partition(" in remote repositories")[0].partition("\n")[0]
    if isinstance(error, OSError):
        text = text.rpartition(": ")[2].strip("()\"' ")
    return text or type(error).__name__


def _place(path: Path, staged: Path) -> None:
    """Move a jar into the bundle, or unpack an archive into it."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as archive:
            archive.extractall(staged, filter="data")
        path.unlink()
    else:
        path.rename(staged / path.name)


def _publish(staged: Path, target: Path) -> None:
    try:
        staged.rename(target)
    except OSError:
        # Another process was quicker; a rename onto a full directory fails on every platform.
        if not target.is_dir():
            raise
        shutil.rmtree(staged)
