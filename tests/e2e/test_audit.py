"""Tampering as a person meets it: alerts of the auditor, the audit of everything, and a proof."""

import json
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from custody import heads
from custody.digest import GENESIS, merkle_root
from custody.heads import Head
from producers.signing import Signer
from schemas import topics
from schemas.codec import encode, frame
from schemas.partition import partition_of
from schemas.registry import RegistryCatalog
from tests.support.gateway import wait_for, wall_clock
from tests.support.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

GHOST = "GW-GHOST"


def send(system: System, head: Head) -> None:
    """Write a head as whoever has a way to Kafka may."""
    key = head.gateway_id.encode()
    addresses = json.loads((system.data_dir / "addresses.json").read_text())
    with RegistryCatalog(addresses["registry"]) as catalog:
        value = frame(catalog.schema_id("head"), encode(head))
    producer = Producer({"bootstrap.servers": addresses["kafka"], "acks": "all"})
    producer.produce(topics.HEAD, value, key, partition_of(key, 4))
    assert producer.flush(30) == 0


def empty_head(signer: Signer | None) -> Head:
    head = Head(
        gateway_id=GHOST, gateway_epoch=1, at=wall_clock(), size=0, last_seq=0, digest=GENESIS,
        merkle_root=merkle_root([]), signature=None, key_id=None,
    )  # fmt: skip
    return head if signer is None else signer.signed(head)


def standing(system: System) -> dict[str, str]:
    """Rules and states of the ghost's alerts."""
    found = system.sql(
        "SELECT rule, argMax(state, version) AS state FROM alert"
        " WHERE subject = 'gateway/GW-GHOST' GROUP BY rule"
    )
    return {str(row["rule"]): str(row["state"]) for row in found}


def test_a_gateway_nobody_knows_is_named_until_it_is_known_and_signs(system: System) -> None:
    honest, thief = Signer(GHOST, bytes([1] * 32)), Signer(GHOST, bytes([2] * 32))
    send(system, empty_head(honest))
    addresses = json.loads((system.data_dir / "addresses.json").read_text())
    told = httpx.get(f"{addresses['console']}/health", timeout=30).json()
    assert {name: one["state"] for name, one in told["passes"].items()} == {
        "audit": "ok",
        "watermark": "ok",
    }
    wait_for(lambda: standing(system) == {"unknown_gateway": "open"}, 90)
    told = httpx.get(f"{addresses['console']}/health", timeout=30).json()
    assert told["integrity"][GHOST] == {"unknown_gateway": 1}

    record = {
        "type": "reference", "kind": "gateway", "id": GHOST,
        "valid_from": "2020-01-01T00:00:00Z", "body": {"public_key": heads.key_text(honest.public)},
    }  # fmt: skip
    system.custody("reference", "load", "-", stdin=json.dumps(record) + "\n")
    wait_for(lambda: standing(system).get("unknown_gateway") == "retracted", 90)

    send(system, empty_head(thief))
    wait_for(lambda: standing(system).get("signature_invalid") == "open", 90)
    said = system.lines("audit", check=False)
    found = [one["rule"] for one in said if one.get("rule")]
    # What other tests have sent and nobody could read is named, and is no fault.
    assert [rule for rule in found if rule != "record_dead_letter"] == ["signature_invalid"]
    assert said[-1]["faults"] == 1
    assert system.custody("audit", check=False).returncode == 1


def test_the_local_gateway_is_known_and_a_proof_of_its_event_holds_offline(
    system: System, tmp_path: Path
) -> None:
    lot = {
        "type": "lot", "site_id": "MINE-AUD", "lot_id": "L-AUD", "commodity": "copper",
        "occurred_at": "2026-10-01T00:00:00Z", "form": "ore", "custodian": "M",
        "custody_model": "mass_balance",
    }  # fmt: skip
    [event_id] = system.publish([lot])
    file = tmp_path / "lot.proof.json"

    def proved() -> bool:
        done = system.custody("prove", event_id, "--out", str(file), check=False)
        return done.returncode == 0

    wait_for(proved, 120)
    key = json.loads(system.custody("gateway-key", "show", "--json").stdout)
    said = system.custody("verify-proof", str(file), "--key", key["public_key"], "--json")
    told = json.loads(said.stdout)
    assert (told["proved"], told["key_given"], told["record"]["lot_id"]) == (True, True, "L-AUD")

    proof = json.loads(file.read_text())
    proof["gateway_seq"] += 1
    file.write_text(json.dumps(proof))
    assert system.custody("verify-proof", str(file), check=False).returncode == 1
    file.write_text("no json")
    assert "not proved" in system.custody("verify-proof", str(file), check=False).stdout
