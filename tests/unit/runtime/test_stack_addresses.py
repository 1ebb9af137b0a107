"""Which port a process gets: the last one, the default, the next free one, or none."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runtime.settings import (
    KafkaSettings,
    RegistrySettings,
    Settings,
    StackSettings,
    WorkerSettings,
)
from runtime.stack import addresses, plan, ports
from runtime.stack.addresses import Addresses


@pytest.fixture
def busy() -> Iterator[int]:
    """A port somebody else listens on."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def test_default_that_is_taken_gives_way_to_the_next_free_port(busy: int) -> None:
    taken: set[int] = set()
    found = plan.claim("CUSTODY_X", busy, taken, fixed=False)
    assert found > busy
    assert taken == {found}


def test_port_that_is_set_and_taken_is_refused_by_its_name(busy: int) -> None:
    settings = Settings(stack=StackSettings(registry_port=busy))
    with pytest.raises(plan.PortTaken) as refused:
        plan.addresses_of(settings, None)
    assert str(refused.value).splitlines() == [
        f"port {busy} of CUSTODY_STACK__REGISTRY_PORT is taken on 127.0.0.1",
        "  expected: a free port",
        "  next: stop what listens there, or set CUSTODY_STACK__REGISTRY_PORT to another port",
    ]


def test_no_port_is_given_twice() -> None:
    one = f"http://127.0.0.1:{ports.any_free()}"
    before = Addresses(one, one, one, one, one, (one,))
    planned = plan.addresses_of(Settings(worker=WorkerSettings(count=5)), before)
    given = [
        addresses.port_of(address)
        for address in (
            planned.kafka,
            planned.controller,
            planned.registry,
            planned.gateway,
            planned.console,
            *planned.workers,
        )
    ]
    assert len(set(given)) == len(given) == 10


def test_ports_of_the_last_start_are_taken_again(tmp_path: Path) -> None:
    first = plan.addresses_of(Settings(), None)
    moved = Addresses(
        kafka=f"127.0.0.1:{ports.any_free()}",
        controller=first.controller,
        registry=first.registry,
        gateway=f"http://127.0.0.1:{ports.any_free()}",
        console=first.console,
        workers=first.workers,
    )
    addresses.write(tmp_path / "addresses.json", moved)
    again = plan.addresses_of(Settings(), addresses.read(tmp_path / "addresses.json"))
    assert again == moved


def test_addresses_that_cannot_be_read_are_no_addresses(tmp_path: Path) -> None:
    file = tmp_path / "addresses.json"
    assert addresses.read(file) is None
    file.write_text('{"kafka": "127.0.0.1:1"}', "utf-8")
    assert addresses.read(file) is None


def test_broker_and_registry_run_elsewhere_get_no_port() -> None:
    settings = Settings(
        kafka=KafkaSettings(bootstrap="a:1,b:2"), registry=RegistrySettings(url="http://r:8080")
    )
    planned = plan.addresses_of(settings, None)
    assert (planned.kafka, planned.controller, planned.registry) == ("a:1,b:2", "", "http://r:8080")


_RESERVE = "import sys; from runtime.stack import plan; print(plan.reserve(int(sys.argv[1])))"


def test_a_port_that_another_start_has_chosen_is_not_chosen_again() -> None:
    """Nobody listens there yet: two starts at once took one registry for that of both."""
    port = ports.any_free()

    def another_process() -> str:
        command = [sys.executable, "-c", _RESERVE, str(port)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert another_process() == "True", "its reservation ended with it"
    assert plan.reserve(port)
    assert plan.reserve(port), "it is ours"
    assert another_process() == "False"
