"""MQTT payloads read within the limits of a post, and a gateway that needs no client for them."""

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from producers.config import MqttConfig
from producers.group import Answer
from producers.mqtt_message import answer, read, refused
from producers.outcome import Code, Unread
from runtime.stack import ports
from tests.support import mqtt_line, tree
from tests.support.gateway import wait_for

CONFIG = MqttConfig(url="mqtt://localhost", client_id="t", payload_bytes_max=100, items_max=2)


def code(payload: bytes, config: MqttConfig = CONFIG) -> Code:
    (one,) = read(payload, config).requests
    assert isinstance(one, Unread)
    assert payload.startswith(one.body)
    return one.refusal.code


def test_a_payload_is_one_request_or_a_list_and_keeps_its_digits() -> None:
    one = read(b'{"a": 0.10}', CONFIG)
    assert (one.requests, one.is_list) == ([{"a": Decimal("0.10")}], False)
    many = read(b'[{"a": 1}, 7]', CONFIG)
    assert (many.requests, many.is_list) == ([{"a": 1}, 7], True)
    assert read(b"[]", CONFIG).requests == []


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", Code.BAD_VALUE),
        (b"\x00\xff", Code.BAD_VALUE),
        (b"[NaN]", Code.BAD_VALUE),
        (b"[1, 2, 3]", Code.TOO_MANY_ITEMS),
        (b'"' + b"x" * 99 + b'"', Code.TOO_MANY_ITEMS),
    ],
)
def test_what_is_none_is_refused_as_one_request(payload: bytes, expected: Code) -> None:
    assert code(payload) is expected


def test_a_payload_nested_beyond_reason_is_refused() -> None:
    wide = replace(CONFIG, payload_bytes_max=1 << 20)
    assert code(b"[" * 5_000, wide) is Code.BAD_VALUE
    assert code(b"[" * 50_000, wide) is Code.TOO_MANY_ITEMS, "counted before it is parsed"


def test_an_answer_has_the_form_of_its_request() -> None:
    items = [Answer("lot", 1, None, {"result": "accepted"}), Answer("", 0, None, {"result": "no"})]
    assert json.loads(answer(read(b"[1, 2]", CONFIG), items)) == [dict(one.item) for one in items]
    assert json.loads(answer(read(b"{}", CONFIG), items[:1])) == {"result": "accepted"}
    assert json.loads(answer(refused(b"{}"), items[:1])) == {"result": "accepted"}
    assert json.loads(answer(read(b"[]", CONFIG), [])) == []


WITHOUT_CLIENT = """
import sys
from dataclasses import replace
from pathlib import Path
sys.modules["paho"] = None
from producers.config import MqttConfig
from producers.mqtt import NoMqttClient
from tests.support import gateway
mqtt = MqttConfig(url="mqtt://localhost", client_id="t") if sys.argv[2] == "set" else None
given = replace(gateway.config(Path(sys.argv[1])), mqtt=mqtt)
try:
    with gateway.running(given, publish=False):
        pass
except NoMqttClient as error:
    print(error)
"""


def test_a_gateway_needs_the_client_only_where_a_broker_is_set(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    said = {
        how: subprocess.run(
            [sys.executable, "-c", WITHOUT_CLIENT, str(tmp_path_factory.mktemp(how)), how],
            cwd=tree.ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for how in ("set", "unset")
    }
    assert said["unset"] == ""
    assert "pip install 'custody[gateway]'" in said["set"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_used_are_named_with_their_setting(
    content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, "utf-8")
    given = mqtt_line.config(f"mqtts://127.0.0.1:{ports.any_free()}", "t", ca_file=file)
    with mqtt_line.taking(tmp_path / "gateway", given) as gateway:
        [inlet] = gateway._inlets
        wait_for(lambda: inlet.state()["state"] == "broker_away")
        reason = str(inlet.state()["reason"])
    assert reason.startswith(f"CUSTODY_GATEWAY__MQTT_CA_FILE is {file}: ")
