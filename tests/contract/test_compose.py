"""compose.yaml against the Compose specification, against the settings, and against the code."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from runtime.cli.main import COMMANDS
from runtime.settings import PREFIX, Settings, names
from runtime.stack import ports
from tests.support import tree

OURS = {"gateway": "gateway", "worker": "worker", "warehouse": "console"}
"""Service and the settings group that has its port."""


ENDS = {"prepare"}
"""Services that do something once."""


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, object]]:
    loaded = yaml.safe_load(tree.text(Path("compose.yaml")))
    assert isinstance(loaded, dict)
    return loaded


def _service(compose: dict[str, dict[str, object]], name: str) -> Mapping[str, object]:
    service = compose["services"][name]
    assert isinstance(service, dict)
    return service


def _environment(compose: dict[str, dict[str, object]], name: str) -> Iterator[tuple[str, str]]:
    environment = _service(compose, name).get("environment", {})
    assert isinstance(environment, dict)
    yield from environment.items()


def test_it_is_valid_by_the_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", [*OURS, *ENDS])
def test_every_setting_in_it_is_one(
    compose: dict[str, dict[str, object]], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = names()
    for name, value in _environment(compose, service):
        assert name in known
        assert name.startswith(PREFIX)
        monkeypatch.setenv(name, value)
    loaded = Settings(_env_file=None)
    assert loaded.kafka.bootstrap == "kafka:9092"


@pytest.mark.parametrize(("service", "group"), OURS.items())
def test_a_service_is_asked_on_the_port_it_listens_on(
    compose: dict[str, dict[str, object]], service: str, group: str
) -> None:
    port = dict(_environment(compose, service))[f"{PREFIX}{group.upper()}__PORT"]
    assert int(port) == getattr(Settings(_env_file=None), group).port
    health = _service(compose, service)["healthcheck"]
    assert isinstance(health, dict)
    assert health["test"][-1] == port
    published = _service(compose, service).get("ports", [])
    assert isinstance(published, list)
    assert [p.rpartition(":")[2] for p in published] in ([port], [])
    assert f"{service}:{port}" in _targets()


def _targets() -> set[str]:
    found = set()
    for job in yaml.safe_load(tree.text(Path("deploy/prometheus.yml")))["scrape_configs"]:
        for static in job.get("static_configs", []):
            found |= set(static["targets"])
        for dns in job.get("dns_sd_configs", []):
            found |= {f"{name}:{dns['port']}" for name in dns["names"]}
    return found


def test_ports_are_published_on_loopback_only(compose: dict[str, dict[str, object]]) -> None:
    for name in compose["services"]:
        ports = _service(compose, name).get("ports", [])
        assert isinstance(ports, list)
        assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_image_is_pinned_and_every_service_has_a_health_check(
    compose: dict[str, dict[str, object]],
) -> None:
    for name in compose["services"]:
        image = str(_service(compose, name)["image"])
        assert re.search(r":v?\d+\.\d+", image), name
        assert "healthcheck" in _service(compose, name) or name in ENDS, name


def test_two_workers_and_no_state_between_them(compose: dict[str, dict[str, object]]) -> None:
    worker = _service(compose, "worker")
    assert worker["deploy"] == {"replicas": 2}
    data_dir = dict(_environment(compose, "worker"))["CUSTODY_DATA_DIR"]
    assert worker["volumes"] == [data_dir], "a volume with a name would be shared by the replicas"


def test_every_command_is_one_of_ours(compose: dict[str, dict[str, object]]) -> None:
    for name in (*OURS, *ENDS):
        command = _service(compose, name)["command"]
        assert isinstance(command, list)
        assert command[0] in COMMANDS


def test_secrets_are_files(compose: dict[str, dict[str, object]]) -> None:
    assert all(set(s) == {"file"} for s in compose["secrets"].values() if isinstance(s, dict))
    for name in compose["services"]:
        for key, value in _environment(compose, name):
            secret = re.search(r"PASSWORD|TOKEN|SECRET", key)
            assert secret is None or str(value).startswith("/run/secrets/"), key


def test_the_broker_and_registry_are_those_of_the_local_stack(
    compose: dict[str, dict[str, object]],
) -> None:
    from runtime.stack.jars import locked

    for service, bundle in (("kafka", "kafka"), ("registry", "registry")):
        version = str(_service(compose, service)["image"]).rpartition(":")[2]
        assert locked(bundle).name == f"{bundle}-{version}"


def test_the_image_has_the_versions_the_tests_ran_with() -> None:
    ours = set(re.findall(r"^\S+==\S+", tree.text(Path("requirements.lock")), flags=re.MULTILINE))
    image = tree.text(Path("deploy/requirements.lock"))
    assert set(re.findall(r"^\S+==\S+", image, flags=re.MULTILINE)) < ours


def test_the_image_is_given_every_package() -> None:
    dockerfile = tree.text(Path("deploy/Dockerfile"))
    ignored = tree.text(Path(".dockerignore"))
    for package in tree.PACKAGES:
        assert f"COPY {package} {package}" in dockerfile
        assert f"!{package}\n" in ignored


IMPORTS = """
import importlib, sys
from importlib.metadata import packages_distributions
allowed = set(sys.argv[1].split(","))
names = {m: {d.lower().replace("_", "-") for d in ds} for m, ds in packages_distributions().items()}

class Image:
    def find_spec(self, name, path=None, target=None):
        given = names.get(name.partition(".")[0])
        if given and "custody" not in given and not given & allowed:
            raise ImportError(f"not in the image: {name}")

sys.meta_path.insert(0, Image())
for module in sys.argv[2:]:
    importlib.import_module(module)
"""


def test_the_image_can_import_what_it_runs() -> None:
    image = tree.text(Path("deploy/requirements.lock"))
    allowed = re.findall(r"^([\w.-]+)==", image, flags=re.MULTILINE)
    verbs = ("prepare", "gateway", "worker", "warehouse", "publish", "sql", "schema", "trace")
    modules = [COMMANDS[verb].partition(":")[0] for verb in verbs]
    modules += ["producers.http", "streams.worker", "sinks.sink", "console.http", "custody.core"]
    command = [sys.executable, "-c", IMPORTS, ",".join(allowed), *modules]
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_health_check_says_which_file_it_cannot_use_and_what_does_not_answer(
    tmp_path: Path,
) -> None:
    script, port = str(tree.ROOT / "deploy" / "health.py"), str(ports.any_free())
    absent = tmp_path / "ca.pem"
    for more, said in (
        ([str(absent)], f"CA_FILE, the second argument, is {absent}: "),
        ([], f"http://127.0.0.1:{port}/health: "),
    ):
        command = [sys.executable, script, port, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(said)
        assert len(done.stderr.splitlines()) == 1
