"""Documents as tests: what is written must be there, and what is there must be written."""

import ast
import re
from pathlib import Path

import pytest

from custody.audit import RULES
from runtime.audit.broker import KINDS
from tests.support import pages, tree

PAGES = tree.pages()
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def _links(path: Path) -> list[tuple[str, str]]:
    return LINK.findall(re.sub(r"```.*?```", "", tree.text(path), flags=re.DOTALL))


def _anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", tree.text(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for _, target in _links(path):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (tree.ROOT / path.parent / name).resolve() if name else tree.ROOT / path
        if not file.exists() or (anchor and anchor not in _anchors(file.relative_to(tree.ROOT))):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_symbol_named_in_a_link_is_in_the_file_it_leads_to(path: Path) -> None:
    missing = []
    for title, target in _links(path):
        symbol = re.fullmatch(r"`([A-Za-z_]\w*(?:\.[a-z_]\w*)?)`", title)
        if symbol is None or not target.endswith(".py"):
            continue
        names = _names((tree.ROOT / path.parent / target).resolve())
        if not set(symbol.group(1).split(".")) <= names:
            missing.append(f"{symbol.group(1)} in {target}")
    assert not missing


def _names(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.add(name)
            case ast.AsyncFunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case _:
                pass
    return names


@pytest.mark.parametrize("name", pages.PAGES)
def test_written_pages_are_up_to_date(name: str) -> None:
    assert tree.text(Path(name)) == pages.PAGES[name](), "python -m tests.support.pages writes it"


@pytest.mark.parametrize("path", sorted((tree.ROOT / "docs/adr").glob("[0-9]*.md")), ids=str)
def test_a_decision_has_its_parts(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(
        r"^\d{4}-\d\d-\d\d · (proposed|accepted(, amended by \d{4})?|superseded by \d{4})"
        r" · owner: .+ · tags: .+$",
        text,
        flags=re.MULTILINE,
    )
    for part in ("Question", "Forces", "Options", "Decision", "Consequences"):
        assert f"**{part}" in text, part
    assert "We " in text
    assert len(text.splitlines()) <= 90, "a page and a half"


def test_the_way_has_seven_hops() -> None:
    hops = re.findall(r"^## (\d)\. ", tree.text(Path("docs/walk.md")), flags=re.MULTILINE)
    assert hops == [str(n) for n in range(1, 8)]


def test_the_readme_is_two_screens() -> None:
    assert len(tree.text(Path("README.md")).splitlines()) <= 120


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/guarantees.md"])
def test_every_test_named_in_a_page_is_there(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tree.text(Path(page)))
    assert named
    for file, function in named:
        assert not function or f"def {function}(" in tree.text(Path(file)), function


FINDINGS = sorted(
    RULES
    | {"record_" + kind.replace(" ", "_") for kind in KINDS}
    | set(re.findall(r'Found\(\s*"(\w+)"', tree.text(Path("runtime/cli/audit.py"))))
    | set(re.findall(r'Finding\(\s*"(\w+)"', tree.text(Path("custody/gateways.py"))))
)
"""What the auditor, ``custody audit`` and the worker say of gateways."""


def test_the_findings_are_found() -> None:
    assert {"unknown_gateway", "record_dropped", "row_edited", "site_silent"} <= set(FINDINGS)


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_of_the_auditor_or_of_a_gateway_has_its_row_in_a_runbook(name: str) -> None:
    rows = [
        line
        for page in (tree.ROOT / "docs/runbooks").glob("*.md")
        for line in page.read_text("utf-8").splitlines()
        if line.startswith(("| ", "**Meaning.**")) and f"`{name}`" in line.strip("| ").split("|")[0]
    ]
    assert rows
