"""``custody up`` beside a broker: the one the data directory was made with, or none."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient

from runtime.cli.main import cli
from runtime.paths import DataDir
from runtime.stack import cluster
from runtime.stack.cluster import BrokerLost, StrangeBroker

pytestmark = [pytest.mark.integration]

OTHER = "5L6g3nShT-eMCtK--X86sw"


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path)


def at(address: str) -> dict[str, str]:
    return {"bootstrap.servers": address}


def test_the_first_broker_is_kept_and_is_the_one_from_then_on(data: DataDir, kafka: str) -> None:
    cluster.check(data, at(kafka))
    kept = data.cluster.read_text("utf-8")
    cluster.check(data, at(kafka))
    assert data.cluster.read_text("utf-8") == kept
    data.cluster.write_text(f'{{"cluster_id": "{OTHER}"}}', "utf-8")
    with pytest.raises(StrangeBroker, match=OTHER):
        cluster.check(data, at(kafka))


def test_a_directory_with_a_broker_of_its_own_is_of_that_one(data: DataDir, kafka: str) -> None:
    """As one is that was made before the id was kept."""
    log = data.kafka / "log"
    log.mkdir(parents=True)
    (log / "meta.properties").write_text(f"version=1\ncluster.id={OTHER}\nnode.id=1\n", "utf-8")
    with pytest.raises(StrangeBroker, match=OTHER):
        cluster.check(data, at(kafka))
    assert not data.cluster.exists()


def test_the_clusters_id_is_kept_beside_a_broker_of_its_own_too(data: DataDir, kafka: str) -> None:
    found = AdminClient({**at(kafka)}).list_topics(timeout=10).cluster_id
    log = data.kafka / "log"
    log.mkdir(parents=True)
    (log / "meta.properties").write_text(f"version=1\ncluster.id={found}\n", "utf-8")
    cluster.check(data, at(kafka))
    assert str(found) in data.cluster.read_text("utf-8")
    cluster.check_own(data)


@pytest.mark.parametrize("log", [None, "2wcwH5TDQIuk8vSJ7Xn1pA"])
def test_up_whose_own_broker_is_gone_begins_no_cluster_in_its_place(
    data: DataDir, log: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.cluster.write_text(f'{{"cluster_id": "{OTHER}"}}', "utf-8")
    if log is not None:
        (data.kafka / "log").mkdir(parents=True)
        (data.kafka / "log" / "meta.properties").write_text(f"cluster.id={log}\n", "utf-8")
    before = sorted(data.root.rglob("*"))
    monkeypatch.setenv("CUSTODY_DATA_DIR", str(data.root))
    monkeypatch.delenv("CUSTODY_KAFKA__BOOTSTRAP", raising=False)
    with pytest.raises(BrokerLost) as refused:
        CliRunner().invoke(cli, ["up"], catch_exceptions=False)
    for told in (log or "nothing stored", OTHER, str(data.kafka), "CUSTODY_DATA_DIR"):
        assert told in str(refused.value)
    assert sorted(data.root.rglob("*")) == before


def test_up_beside_another_cluster_starts_and_writes_nothing(
    data: DataDir, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.cluster.write_text(f'{{"cluster_id": "{OTHER}"}}', "utf-8")
    monkeypatch.setenv("CUSTODY_DATA_DIR", str(data.root))
    monkeypatch.setenv("CUSTODY_KAFKA__BOOTSTRAP", kafka)
    with pytest.raises(StrangeBroker) as refused:
        CliRunner().invoke(cli, ["up"], catch_exceptions=False)
    said = str(refused.value)
    for told in (kafka, str(data.root), OTHER, "CUSTODY_KAFKA__BOOTSTRAP", str(data.cluster)):
        assert told in said
    assert [path.name for path in data.root.iterdir()] == ["cluster.json"]
