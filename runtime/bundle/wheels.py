"""The wheels of a gateway, for each platform it is installed on: names, sizes, hashes.

``gateway.lock.json`` is written by ``python -m tests.support.gateway_lock`` from what the index
gave for the pins of ``requirements.lock``, and holds the hashes that lock holds. So what a bundle
needs is known without asking anybody, and what is downloaded for it is what was locked.
"""

import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from custody.errors import Refused

LOCK = Path(__file__).with_name("gateway.lock.json")

PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python a bundle installs into: a plant's PC has one of them, and nobody knows which
until he stands before it."""


def _manylinux(machine: str) -> tuple[str, ...]:
    # glibc 2.28 is of 2018: Debian 10, Ubuntu 18.10, RHEL 8 and what came after.
    newer = tuple(f"manylinux_2_{minor}_{machine}" for minor in range(28, 16, -1))
    return (*newer, f"manylinux2014_{machine}")


PLATFORMS = {
    "linux-x86_64": _manylinux("x86_64"),
    "linux-aarch64": _manylinux("aarch64"),
    "windows-amd64": ("win_amd64",),
}
"""Platforms and the tags of wheels that run there."""


class UnknownPlatform(Refused):
    """No bundle is made for this machine's platform."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"no bundle is made for {found}",
            expected=", ".join(PLATFORMS),
            next_step="name the platform of the plant's machine with --platform",
        )


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the set.

    Attributes:
        name: Package, normalised.
        version: Its version.
        file: File name.
        sha256: Of the file, hexadecimal.
        size_bytes: Of the file.
        fits: Where it is for: ``any``, a platform, or ``platform/python``.
    """

    name: str
    version: str
    file: str
    sha256: str
    size_bytes: int
    fits: tuple[str, ...]

    def is_for(self, platform_name: str, python: str) -> bool:
        """Tell whether it is the one to install there."""
        places = {"any", platform_name, f"{platform_name}/{python}"}
        return not places.isdisjoint(self.fits)


def locked() -> list[Wheel]:
    """Return every wheel of the lock, in order of their files."""
    found = json.loads(LOCK.read_text("utf-8"))
    return [Wheel(**{**row, "fits": tuple(row["fits"])}) for row in found]


def wheels_for(platform_name: str, python: str) -> list[Wheel]:
    """Return the wheels to install on a platform with a version of Python, one per package."""
    return [wheel for wheel in locked() if wheel.is_for(platform_name, python)]


def this_platform() -> str:
    """Return the platform this runs on.

    Raises:
        UnknownPlatform: No bundle is made for it.
    """
    system = {"linux": "linux", "win32": "windows"}.get(sys.platform, sys.platform)
    name = f"{system}-{platform.machine().lower()}"
    if name not in PLATFORMS:
        raise UnknownPlatform(name)
    return name
