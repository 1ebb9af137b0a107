"""The console's pages run by a JavaScript engine: their modules, an empty browser, and a console.

Nothing is laid out and no time passes; for what a person sees and presses there is a real browser
(``tests/support/chromium.py``). A page takes some ten milliseconds here.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import quickjs

from console.wording import catalogue

PAGES = Path(__file__).parents[2] / "console" / "pages"
_WORLD = Path(__file__).with_name("page_world.js")

Asked = Callable[[str, str, str | None], tuple[int, dict[str, str], str]]
"""Answers a request: method, path and body to status, headers in small letters and text."""

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
_LATER = re.compile(r'\bimport\("\./([\w.]+)"\)')

_LOADER = """
const loaded = {};
globalThis.moduleOf = (name) => {
  if (!(name in loaded)) { loaded[name] = {}; modules[name](loaded[name]); }
  return loaded[name];
};
"""


def _module(path: Path) -> str:
    """Return a module as a function that fills in what it exports; functions before all else."""
    text = path.read_text("utf-8")
    found = _EXPORT.findall(text)
    names = {kind: [name for of, name in found if of.endswith(kind)] for kind in ("function",)}
    early = ", ".join(names["function"])
    late = ", ".join(name for _, name in found if name not in names["function"])
    text = _IMPORT.sub(
        lambda m: f'const {{{m[1].replace(" as ", ": ")}}} = moduleOf("{m[2]}");', text
    )
    text = _LATER.sub(r'Promise.resolve(moduleOf("\1"))', _EXPORT.sub(r"\1 \2", text))
    return (
        f"modules['{path.name}'] = (exported) => {{ Object.assign(exported, {{ {early} }});\n"
        f"{text}\nObject.assign(exported, {{ {late} }}); }};"
    )


def _nothing(method: str, path: str, body: str | None) -> tuple[int, dict[str, str], str]:
    del body
    raise AssertionError(f"{method} {path}: this page is to ask nothing")


class Pages:
    """A fresh browser of somebody who reads a language.

    Args:
        language: One of ``console.wording.LANGUAGES``.
        asked: The console behind the pages; none where pages ask nothing.
    """

    def __init__(self, language: str, asked: Asked = _nothing) -> None:
        self._asked = asked
        self._language = language
        self._context = quickjs.Context()
        self._context.add_callable("askedPlain", self._answer)
        self._context.eval(
            "globalThis.asked = (method, path, body) => JSON.parse(askedPlain(method, path, body));"
        )
        self._context.eval(_WORLD.read_text("utf-8"))
        self._context.eval(f"globalThis.modules = {{}};{_LOADER}")
        for path in sorted(PAGES.glob("*.js")):
            if path.name not in {"shell.js", "theme.js"}:
                self._context.eval(_module(path))
        self.run(f'moduleOf("words.js").loadWords("{language}")')

    def _answer(self, method: str, path: str, body: str | None) -> str:
        words = f"/pages/words/{self._language}.json"
        if path == words:
            return json.dumps([200, "{}", json.dumps(dict(catalogue(self._language)))])
        status, headers, text = self._asked(method, path, body)
        return json.dumps([status, json.dumps(headers), text])

    def run(self, script: str, **values: object) -> Any:  # noqa: ANN401  whatever the script says
        """Return the value of an expression, awaited, with some values under their names."""
        given = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
        self._context.eval(
            f"globalThis.outcome = undefined; (async () => {{ {given} return {script}; }})().then("
            "(value) => { outcome = JSON.stringify({ value }); },"
            "(error) => { outcome = JSON.stringify({ error: `${error}\\n${error.stack}` }); });"
        )
        while self._context.execute_pending_job():
            pass
        told: dict[str, Any] = json.loads(self._context.eval("outcome"))
        assert "error" not in told, told["error"]
        return told.get("value")

    def show(self, page: str, identity: str = "", query: str = "") -> list[str]:
        """Show a page and return the texts of it that are the console's own.

        Args:
            page: Its module, such as ``lot``.
            identity: Of what it is.
            query: Of its address, without the question mark.
        """
        self.run(
            "(location.search = query && `?${query}`, Promise.resolve(moduleOf(`${page}.js`)"
            ".show(shown, { id: identity, query: new URLSearchParams(query) })))",
            page=page,
            identity=identity,
            query=query,
        )
        # A part may load after the page has been shown, and a chart is drawn in the frame after.
        told: list[str] = self.run("(frames(), toldTexts())")
        return told
