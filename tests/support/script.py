"""The scripts of the gateway's pages that know no browser, run by a JavaScript engine."""

import json
from pathlib import Path
from typing import Any

import quickjs

PAGES = Path(__file__).parents[2] / "producers" / "pages"

PURE = ("numbers", "times", "entries", "answers", "queue", "words", "wording", "health")
"""Those that touch neither a page nor a phone; in the order in which a page loads them."""

_WORLD = """
class Storage {
  constructor() { this.kept = new Map(); this.full = false; }
  get length() { return this.kept.size; }
  key(index) { return [...this.kept.keys()][index]; }
  getItem(name) { return this.kept.has(name) ? this.kept.get(name) : null; }
  setItem(name, text) {
    if (this.full) throw new Error("QuotaExceededError");
    this.kept.set(name, String(text));
  }
  removeItem(name) { this.kept.delete(name); }
}
globalThis.Storage = Storage;
"""
"""What a browser's storage does, for scripts that are given one."""


class Engine:
    """A fresh engine with the pure scripts loaded."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        self._context.eval(_WORLD)
        for name in PURE:
            self._context.eval((PAGES / f"{name}.js").read_text("utf-8"))

    def run(self, script: str, **values: object) -> Any:  # noqa: ANN401  whatever the script says
        """The value of an expression, with some values under their names."""
        given = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
        text = self._context.eval(f"(() => {{ {given} return JSON.stringify({script}); }})()")
        return None if text is None else json.loads(text)

    def do(self, script: str) -> None:
        """Run statements; what they promise is done before this returns."""
        self._context.eval(script)
        while self._context.execute_pending_job():
            pass
