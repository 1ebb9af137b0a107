"""A gateway is small: what its packages take on the disk of this environment."""

from importlib.metadata import distribution
from pathlib import Path

from runtime.bundle.own_wheel import PACKAGES
from runtime.bundle.wheels import PLATFORMS, PYTHONS
from tests.support import gateway_lock, tree

INSTALLED_BYTES_MAX = 80_000_000


def installed_bytes(name: str) -> int:
    """Bytes of a package's files, compiled modules included."""
    found = distribution(name)
    paths = [found.locate_file(file) for file in found.files or ()]
    return sum(Path(str(path)).stat().st_size for path in paths if Path(str(path)).exists())


def test_the_set_of_a_gateway_and_custody_itself_fit_in_80_megabytes() -> None:
    """Measured where it is installed; on Linux librdkafka and the Avro codec are the largest."""
    names = gateway_lock.names_for("linux-x86_64", "3.11")
    sizes = {name: installed_bytes(name) for name in names}
    ours = sum(
        path.stat().st_size
        for package in PACKAGES
        for path in (tree.ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    # Compiled modules of ours are about as large as their source.
    assert sum(sizes.values()) + 2 * ours <= INSTALLED_BYTES_MAX, sorted(
        sizes.items(), key=lambda item: -item[1]
    )


def test_each_platform_has_a_set_and_they_differ_only_by_what_systems_need() -> None:
    sets = {name: gateway_lock.names_for(name, PYTHONS[0]) for name in PLATFORMS}
    assert sets["linux-x86_64"] == sets["linux-aarch64"]
    assert sets["windows-amd64"] - sets["linux-x86_64"] == {"colorama", "tzdata"}
    assert sets["linux-x86_64"] <= sets["windows-amd64"]
