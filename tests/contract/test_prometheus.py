"""Prometheus's own checker reads the rules, runs their tests and parses what the panels ask."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import health, main
from tests.support import promql, promtool, tree

DEPLOY = tree.ROOT / "deploy"
RUNBOOKS = tree.ROOT / "docs" / "runbooks"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
OF_OTHERS = {"SiteSilent", "TamperFound", "WorkerOrderGap"}
"""Pages of what a custody alert and an exit code say, not Prometheus."""
PARTS = (
    "Meaning", "Impact", "First five minutes", "Diagnosis", "Mitigation", "Do not", "Afterwards",
)  # fmt: skip


@pytest.fixture(scope="module")
def checker() -> str:
    path = promtool.found()
    if path is None:
        pytest.skip("promtool: neither on the PATH nor to be had by apt; it comes with Prometheus")
    return path


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_rules_and_the_settings_that_load_them_are_right(checker: str) -> None:
    assert f"{len(RULES)} rules found" in run(checker, "check", "rules", DEPLOY / "rules.yml")
    assert "1 rule files found" in run(checker, "check", "config", DEPLOY / "prometheus.yml")


@pytest.mark.slow
def test_each_alert_fires_on_what_it_is_for_and_a_healthy_stack_is_quiet(checker: str) -> None:
    run(checker, "test", "rules", DEPLOY / "rules_test.yml")
    tests = yaml.safe_load((DEPLOY / "rules_test.yml").read_text("utf-8"))["tests"]
    fired = {
        one["alertname"] for test in tests for one in test["alert_rule_test"] if "exp_alerts" in one
    }
    assert fired == {rule["alert"] for rule in RULES}


@pytest.mark.slow
def test_what_panels_ask_is_promql(checker: str, tmp_path: Path) -> None:
    asked = [str(query["expr"]) for _, query in main.queries(health.FILE)]
    assert len(asked) > 20
    rules = [
        {"record": f"panel:{no}", "expr": said.replace("$__rate_interval", "1m")}
        for no, said in enumerate(asked)
    ]
    for name, one in (
        ("right", rules),
        ("wrong", [{"record": "a:b", "expr": "sum by topic (up)"}]),
    ):
        (tmp_path / name).write_text(yaml.safe_dump({"groups": [{"name": "p", "rules": one}]}))
    run(checker, "check", "rules", tmp_path / "right")
    with pytest.raises(AssertionError, match="could not parse expression"):
        run(checker, "check", "rules", tmp_path / "wrong")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_asks_for_metrics_that_are_declared_and_has_its_page(rule: dict[str, Any]) -> None:
    assert promql.faults(rule["expr"]) == []
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    assert rule["labels"]["severity"] in {"critical", "high", "medium"}


def test_every_page_is_of_an_alert_and_has_its_parts() -> None:
    pages = {page.stem: page.read_text("utf-8") for page in RUNBOOKS.glob("*.md")}
    assert set(pages) == {str(rule["alert"]) for rule in RULES} | OF_OTHERS
    for name, text in pages.items():
        assert text.startswith(f"# {name}\n")
        at = [text.find(f"**{part}") for part in PARTS]
        assert -1 not in at, name
        assert at == sorted(at), name
