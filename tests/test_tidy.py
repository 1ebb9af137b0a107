"""House style that no linter knows. Limits are ratchets: they may go down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import settings
from runtime.cli.main import COMMANDS
from schemas.routes import ROUTES, Route
from tests.support import tree

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "manager", "misc", "data"}
DATA_ONLY = {"telemetry/metrics.py"}
"""Tables: data may be longer than a module that does something."""

UNITS = {
    "s", "ms", "bytes", "mb", "rows", "records", "events", "requests", "fraction", "port",
    "partitions", "count", "files", "exits", "replication_factor",
}  # fmt: skip
"""Last word of a numeric setting, before a qualifier such as max."""

MODULES = tree.modules()
PAGES = tree.pages()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_functions_and_modules_are_short(path: Path) -> None:
    source = tree.text(path)
    if str(path) not in DATA_ONLY:
        assert len(source.splitlines()) <= MODULE_LINES_MAX
    long = [
        f"{node.name} ({_body_lines(node)})"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _body_lines(node) > FUNCTION_LINES_MAX
    ]
    assert not long, "lines without docstring"


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_named_for_what_it_holds(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES


def test_every_module_is_imported_or_an_entry_point() -> None:
    imported = {name for path in tree.modules(with_tests=True) for name in _imports(path)}
    entry = {place.partition(":")[0] for place in COMMANDS.values()}
    entry |= {tree.dotted(p) for p in MODULES if _is_script(p)}
    dead = [
        name
        for path in MODULES
        if path.name != "__init__.py"
        and path.parts[0] in tree.PACKAGES
        and (name := tree.dotted(path)) not in imported | entry
    ]
    assert not dead


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(tree.text(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_script(path: Path) -> bool:
    return '__name__ == "__main__"' in tree.text(path)


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=str)
def test_nothing_is_left_to_do_without_an_issue(path: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", tree.text(path))


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_document_has_one_title(path: Path) -> None:
    outside_code = re.sub(r"```.*?```", "", tree.text(path), flags=re.DOTALL)
    assert len(re.findall(r"^# \S", outside_code, flags=re.MULTILINE)) == 1


def test_every_metric_is_measured_somewhere() -> None:
    named = re.findall(
        r"^([A-Z_]+) = (?:Counter|Gauge|Histogram)\(",
        tree.text(Path("telemetry/metrics.py")),
        flags=re.MULTILINE,
    )
    others = "".join(tree.text(p) for p in MODULES if p.parts[0] != "telemetry")
    assert named
    assert not [name for name in named if not re.search(rf"\b{name}\b", others)]


def test_a_setting_names_its_unit() -> None:
    bare = []
    for name, path in settings.names().items():
        value: object = settings.Settings(_env_file=None)
        for part in path:
            value = getattr(value, part)
        if isinstance(value, int | float) and not isinstance(value, bool):
            plain = path[-1].removesuffix("_max").removesuffix("_min")
            if not any(plain == unit or plain.endswith(f"_{unit}") for unit in UNITS):
                bare.append(name)
    assert not bare


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: r.stem)
def test_a_route_is_complete(route: Route) -> None:
    assert (tree.ROOT / f"schemas/avsc/{route.stem}.avsc").is_file()
    assert any((tree.ROOT / f"tests/golden/{route.stem}").iterdir())
    migrations = "".join(
        p.read_text("utf-8") for p in sorted((tree.ROOT / "sinks/migrations").glob("*.sql"))
    )
    if route.table is not None:
        assert re.search(rf"CREATE TABLE[^(]*\b{route.table}\b", migrations)
    assert f"`{route.stem}`" in tree.text(Path("docs/walk.md"))
