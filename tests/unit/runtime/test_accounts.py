"""The table of accounts: what the page says, what the command prints, what each may not do."""

import json
import re
from pathlib import Path

import pytest

from runtime.cli.main import run
from runtime.stack.accounts import ROLES, UnknownRole, named, rules
from schemas import topics
from streams.config import CHANGELOG
from tests.support import tree


def allowed(role: str, operation: str) -> set[str]:
    return {
        grant.name for grant in ROLES[role] if (grant.kind, grant.operation) == ("topic", operation)
    }


def test_only_a_gateway_writes_facts_and_only_a_worker_what_it_finds() -> None:
    def writers(topic: str) -> set[str]:
        return {role for role in ROLES if topic in allowed(role, "write")}

    assert writers(topics.FACT) == {"gateway"}
    assert writers(topics.CONTROL) == {"operator", "console"}
    assert writers(topics.HEAD) == {"gateway", "operator", "console"}
    assert writers(topics.FLOW) == {"worker", "auditor"}
    assert writers(topics.DEAD_LETTER) == {"sink"}
    for topic in (topics.TRANSFER, topics.BALANCE, topics.ALERT, CHANGELOG):
        assert writers(topic) == {"worker"}


def test_the_page_names_for_each_role_what_it_writes_and_reads() -> None:
    rows = {
        cells[0].strip("`"): cells[1:]
        for line in tree.text(Path("docs/access.md")).splitlines()
        if (cells := [cell.strip() for cell in line.strip("|").split("|")])
        and cells[0].strip("`") in ROLES
        and len(cells) == 4
    }
    assert list(rows) == list(ROLES)
    every = {topic.name for topic in topics.TOPICS}
    for role, (writes, reads, _) in rows.items():
        for said, operation in ((writes, "write"), (reads, "read")):
            shown = set(re.findall(r"`(custody\.[\w.-]+)`", said))
            shown |= {CHANGELOG} if "its changelog" in said else set()
            assert (every if said == "all" else shown) == allowed(role, operation), role


def test_a_role_has_the_account_of_its_name_or_the_one_that_is_given() -> None:
    given = named(("gateway=User:gw-kov", "sink=User:CN=sink,O=x"))
    found = {rule.role: rule.principal for rule in rules(given)}
    assert found["gateway"] == "User:gw-kov"
    assert found["sink"] == "User:CN=sink,O=x"
    assert found["worker"] == "User:custody-worker"


@pytest.mark.parametrize("given", ["gateway", "gateway=", "gateway=gw", "nobody=User:x", "=User:x"])
def test_a_principal_of_another_form_is_refused(given: str) -> None:
    with pytest.raises(UnknownRole, match="gateway=User:gw-kov"):
        named((given,))


def test_a_dry_run_prints_the_rules_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["prepare", "--acls", "--dry-run", "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["role"], r["operation"], r["name"]) for r in printed] == [
        (role, grant.operation, grant.name) for role, grants in ROLES.items() for grant in grants
    ]
    assert run(["prepare", "--acls", "--dry-run"]) == 0
    assert "User:custody-auditor   write" in capsys.readouterr().out
    assert run(["prepare", "--dry-run"]) == 2
