"""What comes without a token: facts, and nothing that changes how facts are read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from producers.config import DropConfig, MqttConfig
from producers.drop import Drop
from producers.judge import OVER_HTTP
from producers.mqtt import Mqtt
from producers.service import Gateway, Options
from tests.support import gateway as support
from tests.support import inlets
from tests.support.gateway import golden, ticket

CONTROL = [golden("reference"), golden("action")]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """One that takes everything, from all three ways in; nothing of it runs by itself."""
    (tmp_path / "drop").mkdir()
    given = replace(
        support.config(tmp_path / "gateway"),
        drop=DropConfig(folder=tmp_path / "drop"),
        mqtt=MqttConfig(url="mqtt://localhost", client_id="t"),
    )
    with support.running(given, publish=False) as opened:
        yield opened


@pytest.mark.parametrize("kind", [Drop, Mqtt])
def test_who_has_shown_no_token_changes_neither_references_nor_holds(
    gateway: Gateway, kind: type[Drop | Mqtt]
) -> None:
    """A file in the share entered a gateway's key, and released a hold."""
    [inlet] = [one for one in gateway._inlets if isinstance(one, kind)]
    refused = inlet._given.take([*CONTROL, ticket(1)], "plant").result(10)
    assert [one.item.get("code") or one.item["result"] for one in refused] == [
        "unknown_type",
        "unknown_type",
        "accepted",
    ]
    assert [one.item["found"] for one in refused[:2]] == ["reference", "action"]
    assert {one.item["allowed"] for one in refused[:2]} == {OVER_HTTP}
    assert len(inlets.event_ids(gateway.outbox.path)) == 1
    over_http = gateway.take(CONTROL, Options(), "operator").result(10)
    assert [one.item["result"] for one in over_http] == ["accepted", "accepted"]


def test_a_dropped_reference_fails_its_file_and_says_the_way_in(
    gateway: Gateway, tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    (folder / "ref.ndjson").write_text(inlets.ndjson([*CONTROL, ticket(1)]))
    [drop] = [one for one in gateway._inlets if isinstance(one, Drop)]
    inlets.looked(drop)
    result = inlets.result_of(folder, "ref.ndjson")
    assert result["outcome"] == "failed"
    assert inlets.codes(result) == ["unknown_type", "unknown_type", "accepted"]


def test_a_gateway_of_facts_names_the_facts_it_takes(tmp_path: Path) -> None:
    """Its operator's token would not be let in either."""
    given = replace(support.config(tmp_path), types=frozenset({"weighing"}))
    with support.running(given, publish=False) as opened:
        options = Options(facts_only=True)
        [answer] = opened.take([golden("reference")], options, "drop:x").result(10)
    assert answer.item["allowed"] == ["weighing"]
