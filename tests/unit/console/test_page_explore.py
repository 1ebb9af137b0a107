"""The page Explore: which statement's answer stands there when more than one was asked."""

import pytest

from tests.support.page_engine import Pages

WORLD = """(() => {
  globalThis.sent = [];
  globalThis.fetch = (path, options) => new Promise((resolve, reject) => {
    if (options.signal) sent.push({ ...options, resolve, reject });
  });
  globalThis.AbortController = class {
    constructor() { this.signal = { aborted: false }; }
    abort() { this.signal.aborted = true; }
  };
  globalThis.answer = (text) => ({ ok: true, json: async () => JSON.parse(text),
    headers: { get: (name) => (name === "X-ClickHouse-Format" ? "JSONCompact" : null) } });
  moduleOf("session.js").session.rights = ["ask"];
  return moduleOf("explore.js").show(shown, { query: new URLSearchParams("") });
})()
"""
ASK = """(() => {
  const editor = shown.querySelector("#sql");
  editor.value = sql;
  const pressed = { key: "Enter", ctrlKey: true, preventDefault: () => undefined };
  editor.listeners.keydown.forEach((heard) => heard(pressed));
})()
"""
ANSWER = (
    'sent[no].resolve(answer(JSON.stringify({ meta: [{ name: "n", type: "UInt8" }], data: [[n]],'
    " rows: 1 })))"
)
ENDS = {
    "answered": 'sent[0].resolve(answer(\'{"meta":[],"data":[],"rows":0}\'))',
    "stopped": 'sent[0].reject(Object.assign(new Error("x"), { name: "AbortError" }))',
    "failed": 'sent[0].reject(new Error("gone"))',
}
STOPPED = "sent.map((one) => one.signal.aborted)"
SHOWN = 'shown.querySelectorAll("th").map((one) => one.textContent)'
STOP = "shown.querySelectorAll('button')[1]"


@pytest.mark.parametrize("end", ENDS)
def test_the_last_statement_asked_is_the_one_whose_answer_stands(end: str) -> None:
    """An answer that came late replaced it, under the other one's text and address."""
    pages = Pages("en")
    pages.run(WORLD)
    pages.run(ASK, sql="SELECT slow")
    assert pages.run(STOPPED) == [False]
    pages.run(ASK, sql="SELECT quick")
    assert pages.run(STOPPED) == [True, False], "nobody waits for the first any more"
    assert pages.run("sent.map((one) => one.body)") == ["SELECT slow", "SELECT quick"]
    # Before the second has answered it can still be stopped, whatever becomes of the first.
    pages.run(ENDS[end])
    assert pages.run(f"{STOP}.disabled") is False
    pages.run(ANSWER, no=1, n=42)
    assert pages.run(SHOWN)[-1] == "42"
    assert pages.run(f"{STOP}.disabled") is True


@pytest.mark.parametrize("end", ENDS)
def test_what_comes_of_a_statement_later_than_the_next_is_not_shown(end: str) -> None:
    pages = Pages("en")
    pages.run(WORLD)
    pages.run(ASK, sql="SELECT slow")
    pages.run(ASK, sql="SELECT quick")
    pages.run(ANSWER, no=1, n=42)
    there = pages.run("shown.textContent")
    pages.run(ENDS[end])
    assert pages.run("shown.textContent") == there
    assert pages.run(SHOWN)[-1] == "42"


def test_stop_stops_the_statement_that_runs() -> None:
    pages = Pages("en")
    pages.run(WORLD)
    pages.run(ASK, sql="SELECT slow")
    pages.run(ASK, sql="SELECT slower")
    pages.run(f"{STOP}.listeners.click.forEach((heard) => heard({{}}))")
    assert pages.run(STOPPED) == [True, True]
    pages.run(ENDS["stopped"].replace("sent[0]", "sent[1]"))
    assert "Stopped." in pages.run("shown.textContent")
