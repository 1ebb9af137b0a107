"""One archive of a gateway: wheels, how to install them, how to run it; the same bytes each time.

A tar for Linux and a zip for Windows: what each of them opens without anything being installed.
"""

import codecs
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from runtime.bundle import own_wheel
from runtime.bundle.fetch import requirements
from runtime.bundle.wheels import PYTHONS, Wheel
from runtime.settings import KafkaSettings

_FILES = Path(__file__).with_name("gateway")
_LINUX = ("README-linux.txt", "custody-gateway.service", "gateway.env", "install.sh")
_WINDOWS = ("README-windows.txt", "custody-gateway.xml", "gateway.env", "install.ps1")
_EXAMPLES = ("lot.ndjson", "pont-bascule.csv", "pont-bascule.toml")
"""Copies of the project's own examples: an installed package has no others."""
_DATA_LINUX, _DATA_WINDOWS = "/var/lib/custody", r"C:\ProgramData\custody"
_SCRIPT_MODE, _FILE_MODE = 0o755, 0o644


@dataclass(frozen=True, slots=True)
class Bundle:
    """An archive that was written.

    Attributes:
        path: Where it is.
        sha256: Of the whole of it, hexadecimal.
        size_bytes: Of the whole of it.
        files: How many are in it.
    """

    path: Path
    sha256: str
    size_bytes: int
    files: int


def default_name(platform_name: str) -> str:
    """Return what the archive for a platform is called."""
    return f"custody-gateway-{version('custody')}-{platform_name}{suffixes(platform_name)[0]}"


def suffixes(platform_name: str) -> tuple[str, ...]:
    """Return how the name of an archive for a platform may end, the usual one first."""
    return (".zip",) if _is_windows(platform_name) else (".tar.gz", ".tgz")


def write(
    platform_name: str,
    wheels: Sequence[Wheel],
    directory: Path,
    out: Path,
    pythons: Sequence[str] = PYTHONS,
) -> Bundle:
    """Write the archive. Blocks.

    Args:
        platform_name: For which platform.
        wheels: Of its packages.
        directory: Where their files are, and where custody's own is made.
        out: The archive; one of this name is replaced.
        pythons: Versions of Python that the wheels are for.

    Raises:
        OSError: It cannot be written.
    """
    own = _own(own_wheel.write(directory))
    files = {f"wheels/{w.file}": (directory / w.file).read_bytes() for w in (*wheels, own)}
    files["requirements.txt"] = requirements([*wheels, own]).encode()
    for name in _WINDOWS if _is_windows(platform_name) else _LINUX:
        called = "README.txt" if name.startswith("README") else name
        files[called] = _as_there(name, platform_name, pythons)
    for name in _EXAMPLES:
        files[f"examples/{name}"] = (_FILES / "examples" / name).read_bytes()
    sums = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    files["SHA256SUMS"] = "".join(sums).encode()
    folder = f"custody-gateway-{version('custody')}-{platform_name}"
    placed = {f"{folder}/{name}": files[name] for name in sorted(files)}
    content = _zip(placed) if _is_windows(platform_name) else _tar(placed)
    fresh = out.with_name(out.name + ".part")
    fresh.write_bytes(content)
    fresh.replace(out)
    return Bundle(out, hashlib.sha256(content).hexdigest(), len(content), len(files))


def _own(path: Path) -> Wheel:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Wheel("custody", version("custody"), path.name, digest, len(content), ("any",))


def _is_windows(platform_name: str) -> bool:
    return platform_name.startswith("windows")


def _as_there(name: str, platform_name: str, pythons: Sequence[str]) -> bytes:
    """Return a text as the system it is for reads it."""
    windows = _is_windows(platform_name)
    values = {
        "@VERSION@": version("custody"),
        "@PYTHONS@": ", ".join(pythons),
        # Newest first, as a shell and PowerShell have lists.
        "@PYTHON_LIST@": " ".join(reversed(pythons)),
        "@PYTHON_NAMES@": ", ".join(f'"{one}"' for one in reversed(pythons)),
        # What topics are made with where nothing is set.
        "@PARTITIONS@": str(KafkaSettings().partitions),
        "@DATA@": _DATA_WINDOWS if windows else _DATA_LINUX,
    }
    text = (_FILES / name).read_text("utf-8")
    for mark, value in values.items():
        text = text.replace(mark, value)
    if not windows:
        return text.encode()
    ended = text.replace("\n", "\r\n")
    if name.endswith(".xml"):
        # Little-endian with its mark, as the Task Scheduler writes its own.
        return codecs.BOM_UTF16_LE + ended.encode("utf-16-le")
    return ended.encode()


def _mode(name: str) -> int:
    return _SCRIPT_MODE if name.endswith(".sh") else _FILE_MODE


def _zip(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            own_wheel.put(archive, name, content, _mode(name))
    return written.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 9, written, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), _mode(name)
            archive.addfile(info, io.BytesIO(content))
    return written.getvalue()
