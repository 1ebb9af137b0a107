"""The set of packages a gateway needs, and the lock of their wheels.

``python -m tests.support.gateway_lock`` asks the index for the wheels of every platform and writes
``runtime/bundle/gateway.lock.json``; after a change of ``requirements.lock``, by a maintainer.
"""

import hashlib
import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from runtime.bundle.fetch import pip
from runtime.bundle.wheels import LOCK, PLATFORMS, PYTHONS
from tests.support import tree

_MARKERS = {
    "linux-x86_64": ("linux", "Linux", "posix", "x86_64"),
    "linux-aarch64": ("linux", "Linux", "posix", "aarch64"),
    "windows-amd64": ("win32", "Windows", "nt", "AMD64"),
}


def environment(platform_name: str, python: str) -> dict[str, str]:
    """Markers as they are on a platform (PEP 508)."""
    system, title, name, machine = _MARKERS[platform_name]
    return {
        "sys_platform": system,
        "platform_system": title,
        "os_name": name,
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
        "implementation_version": f"{python}.0",
    }


def locked_hashes() -> dict[str, tuple[str, frozenset[str]]]:
    """Version and SHA-256 of every file of each package, as ``requirements.lock`` has them."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for block in re.split(r"\n(?=\S)", tree.text(Path("requirements.lock"))):
        head = re.match(r"([\w.\-]+)(?:\[[\w,\-]+\])?==(\S+)", block)
        if head is not None:
            hashes = frozenset(re.findall(r"sha256:([0-9a-f]{64})", block))
            found[canonicalize_name(head.group(1))] = (head.group(2), hashes)
    return found


def roots() -> list[Requirement]:
    """What the base and the extra ``gateway`` ask for."""
    project = tomllib.loads(tree.text(Path("pyproject.toml")))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["gateway"]]
    return [Requirement(line) for line in lines]


def names_for(platform_name: str, python: str) -> set[str]:
    """Names of all packages a gateway needs there: what asks for what is read where installed."""
    markers = environment(platform_name, python)
    seen: dict[str, set[str]] = {}
    todo = [one for one in roots() if one.marker is None or one.marker.evaluate(markers)]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if name in seen and wanted.extras <= seen[name]:
            continue
        extras = seen.setdefault(name, set())
        extras |= wanted.extras
        todo += _needed_by(name, extras, markers)
    return set(seen)


def _needed_by(name: str, extras: set[str], markers: Mapping[str, str]) -> Iterator[Requirement]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return  # not for this machine; none of these asks for another
    for line in lines:
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({**markers, "extra": e}) for e in ("", *extras)):
            yield wanted


def _download(platform_name: str, python: str, directory: Path) -> list[Path]:
    """Download the set as pip chooses it among the locked files."""
    hashes = locked_hashes()
    lines = []
    for name in sorted(names_for(platform_name, python)):
        version, digests = hashes[name]
        lines.append(" ".join([f"{name}=={version}", *(f"--hash=sha256:{d}" for d in digests)]))
    wanted = directory / "requirements.txt"
    wanted.write_text("\n".join(lines))
    tags = [f"--platform={tag}" for tag in PLATFORMS[platform_name]]
    said = pip(
        [
            *("download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"),
            *(f"--dest={directory}", *tags, f"--python-version={python}", "--implementation=cp"),
            *(f"--abi=cp{python.replace('.', '')}", "--abi=abi3", "--abi=none", f"-r{wanted}"),
        ]
    )
    if said.returncode != 0:
        raise SystemExit(said.stderr)
    return sorted(directory.glob("*.whl"))


def short(places: Sequence[str]) -> list[str]:
    """Say where a wheel is for in as few words as there are."""
    every = {f"{name}/{python}" for name in PLATFORMS for python in PYTHONS}
    found = set(places)
    if found == every:
        return ["any"]
    said = []
    for name in PLATFORMS:
        mine = [f"{name}/{python}" for python in PYTHONS]
        here = [place for place in mine if place in found]
        said += [name] if here == mine else here
    return said


def main() -> int:
    """Ask the index and write the lock. Blocks for some minutes; needs the network."""
    rows: dict[str, dict[str, object]] = {}
    places: dict[str, list[str]] = {}
    for platform_name in PLATFORMS:
        for python in PYTHONS:
            with tempfile.TemporaryDirectory() as scratch:
                for path in _download(platform_name, python, Path(scratch)):
                    name, version, _, _ = parse_wheel_filename(path.name)
                    content = path.read_bytes()
                    rows[path.name] = {
                        "name": name,
                        "version": str(version),
                        "file": path.name,
                        "sha256": hashlib.sha256(content).hexdigest(),
                        "size_bytes": len(content),
                    }
                    places.setdefault(path.name, []).append(f"{platform_name}/{python}")
    lock = [{**rows[file], "fits": short(places[file])} for file in sorted(rows)]
    LOCK.write_text(json.dumps(lock, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
