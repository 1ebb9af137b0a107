"""A bundle for this machine, made with the index and installed without it.

Where the index of pip's settings is not within reach there is nothing to make a bundle of: then
these are skipped, and `tests/unit/runtime/test_bundle.py` is what holds.
"""

import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from producers.fields import plain
from runtime.bundle import archive, own_wheel
from runtime.bundle.fetch import WheelsNotFetched, fetch
from runtime.bundle.wheels import PLATFORMS, PYTHONS, this_platform, wheels_for
from runtime.stack import ports
from tests.support import tree
from tests.support.gateway import ticket, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

INSTALLED_BYTES_MAX = 80_000_000


def fetched(platform_name: str, pythons: tuple[str, ...], directory: Path) -> list[str]:
    """Wheels of a platform, checked against the lock."""
    directory.mkdir()
    try:
        return [wheel.file for wheel in fetch(platform_name, pythons, directory)]
    except WheelsNotFetched as error:
        if "the index did not answer" in str(error):
            pytest.skip(f"no index within reach: {error.what}")
        raise


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gateway as a plant has it: installed from a bundle by its script, no index to be had."""
    root = tmp_path_factory.mktemp("plant")
    name = this_platform()
    if not name.startswith("linux"):
        pytest.skip("the script for Windows is not run here")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    fetched(name, (python,), root / "wheels")
    wheels = wheels_for(name, python)
    bundle = archive.write(name, wheels, root / "wheels", root / archive.default_name(name))
    with tarfile.open(bundle.path) as packed:
        packed.extractall(root, filter="data")
    folder = root / bundle.path.name.removesuffix(".tar.gz")
    done = subprocess.run(
        ["sh", str(folder / "install.sh"), str(root / "custody")],
        env={**bare(), "PYTHON": sys.executable, "PIP_INDEX_URL": "http://index.invalid/simple"},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return root / "custody"


def bare() -> Mapping[str, str]:
    """An environment in which nothing of this checkout is found."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def test_it_is_small_and_whole(installed: Path) -> None:
    done = subprocess.run(
        [installed / "bin" / "custody", "gateway", "--help"],
        env=bare(),
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Run the site gateway" in done.stdout
    files = [path for path in installed.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) <= INSTALLED_BYTES_MAX
    assert not [path for path in files if "/site-packages/pip/" in str(path)]


def test_it_takes_an_event_and_tells_it_on_the_command_line(
    installed: Path, tmp_path: Path
) -> None:
    port = ports.any_free()
    environment = {
        **bare(),
        "CUSTODY_DATA_DIR": str(tmp_path),
        "CUSTODY_KAFKA__BOOTSTRAP": "broker.invalid:9092",
        "CUSTODY_REGISTRY__URL": "http://registry.invalid/apis/ccompat/v7",
        "CUSTODY_GATEWAY__PORT": str(port),
    }
    command = str(installed / "bin" / "custody")

    def custody(*arguments: str, given: str | None = None) -> str:
        done = subprocess.run(
            [command, *arguments],
            env=environment,
            cwd=tmp_path,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    process = subprocess.Popen([command, "gateway"], env=environment, cwd=tmp_path)

    def answers() -> bool:
        assert process.poll() is None, "the gateway ended"
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        return False

    try:
        wait_for(answers)
        said = custody("publish", "-", given=json.dumps(plain(ticket(1))) + "\n")
        assert said.startswith("accepted 1")
        assert json.loads(custody("outbox", "status", "--json"))["gateway_seq"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize("platform_name", PLATFORMS)
def test_the_index_has_every_locked_wheel_of_each_platform(
    platform_name: str, tmp_path: Path
) -> None:
    # One version of Python each, for time: the lock itself was made from all of them.
    files = fetched(platform_name, PYTHONS[1:2], tmp_path / "wheels")
    assert set(files) == {p.name for p in (tmp_path / "wheels").glob("*.whl")}


def test_our_wheel_holds_what_the_build_tool_would_put_in_it(tmp_path: Path) -> None:
    built, ours = tmp_path / "built", tmp_path / "ours"
    ours.mkdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=tree.ROOT, capture_output=True, check=True)
    [theirs] = built.glob("*.whl")
    assert theirs.name == own_wheel.write(ours).name
    assert code_in(theirs) == code_in(ours / theirs.name)


def code_in(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as wheel:
        return {n: wheel.read(n) for n in wheel.namelist() if ".dist-info/" not in n}
