"""A wheel of custody itself, from the code that runs, whether installed or a checkout.

A build tool would need its own packages, and is not there where custody was installed from a
bundle. A wheel is a zip of the packages and of three files about them (PEP 427), and the names and
pins in those stand where custody was installed.
"""

import base64
import hashlib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

PACKAGES = (
    "console",
    "custody",
    "producers",
    "runtime",
    "schemas",
    "sinks",
    "streams",
    "telemetry",
    "web",
)
"""What the distribution consists of; the same as in ``pyproject.toml``."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every file in a zip of ours: the earliest there is, so that bytes repeat."""

_ABOUT = ("METADATA", "entry_points.txt")
_WHEEL = "Wheel-Version: 1.0\nGenerator: custody\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write(directory: Path) -> Path:
    """Write the wheel into a directory and return its path; the same bytes for the same code.

    Raises:
        OSError: It cannot be written.
    """
    about = distribution("custody")
    path = directory / f"custody-{about.version}-py3-none-any.whl"
    files = _code() | _about(about)
    record = f"custody-{about.version}.dist-info/RECORD"
    lines = [_record_line(name, content) for name, content in sorted(files.items())]
    files[record] = "".join([*lines, f"{record},,\n"]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        # RECORD last, as the format wants it.
        for name in sorted(files, key=lambda name: (name == record, name)):
            put(wheel, name, files[name])
    return path


def put(archive: zipfile.ZipFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add a file to a zip with nothing of this machine in it.

    Args:
        archive: Where to.
        name: Path in it, with slashes.
        content: Its bytes.
        mode: Its permissions.
    """
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100000 | mode) << 16
    info.create_system = 3  # what made it would say otherwise on which system it was made
    archive.writestr(info, content)


def _code() -> dict[str, bytes]:
    root = Path(__file__).resolve().parents[2]
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _about(found: Distribution) -> dict[str, bytes]:
    folder = f"custody-{found.version}.dist-info"
    files = {f"{folder}/WHEEL": _WHEEL.encode()}
    for name in _ABOUT:
        text = found.read_text(name)
        assert text is not None, f"an installed custody has {name}"
        files[f"{folder}/{name}"] = text.encode()
    return files


def _record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"
