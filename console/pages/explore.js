/* Explore: SQL of one's own over the views, its answer as a table and as files. */

import { el, fill } from "./dom.js";
import { count, duration } from "./numbers.js";
import { resultTable } from "./explore_result.js";
import { viewList } from "./explore_views.js";
import { may, post } from "./session.js";
import { withQuery } from "./table.js";
import { inWords, trouble } from "./trouble.js";
import { isOne, say } from "./words.js";

const SHOWN_MAX = 500;
const FIRST = "SELECT site_id, quantity, lots, amount_kg, u_kg\nFROM v_stock\nORDER BY site_id, quantity";

const FILES = { CSV: ["CSVWithNames", "csv"], JSON: ["JSONEachRow", "json"], Parquet: ["Parquet", "parquet"] };

let running = null;

export async function show(main, { query }) {
  if (!may("ask")) {
    fill(main, el("h1", {}, say("explore.title")), el("p", { class: "panel" }, say("explore.right")));
    return;
  }
  const editor = el("textarea", { id: "sql", class: "mono", rows: 8, spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
  editor.value = query.get("sql") || FIRST;
  const outcome = el("div", { class: "part", "aria-live": "polite" });
  const places = { editor, outcome, run: el("button", { class: "main" }, say("explore.run")),
    stop: el("button", { type: "button", disabled: true, onclick: stop }, say("explore.stop")) };
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); run(places); } },
    el("p", {}, el("label", { for: "sql" }, say("explore.sql")), editor),
    el("p", { class: "row" }, places.run, places.stop, Object.keys(FILES).map((name) =>
      el("button", { type: "button", onclick: () => download(places, name) }, say("explore.file", { format: name })))),
    el("p", { class: "note" }, say("explore.keys")));
  editor.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(places); }
  });
  const views = el("div", {}, el("p", { class: "quiet" }, say("shell.loading")));
  fill(main, el("h1", {}, say("explore.title")),
    el("div", { class: "explore" }, el("div", {}, el("section", { class: "panel" }, form), el("section", { class: "panel" }, outcome)),
      el("section", { class: "panel views" }, el("h2", {}, say("explore.views")), views)));
  viewList((statement) => { editor.value = statement; editor.focus(); }).then((list) => fill(views, list),
    (error) => fill(views, trouble(error)));
  // A link says what was asked; it is asked again only where the link was made by asking.
  if (query.get("run")) await run(places);
  else fill(outcome, el("p", { class: "quiet" }, say("explore.begin")));
}

function stop() {
  if (running) running.abort();
}

/* One statement at a time: what is asked next stops the one before, and what still comes of that is
   not shown. `taken(answer, seconds)` gives what stands there then. */
async function asked(places, format, taken) {
  stop();
  const sql = places.editor.value;
  history.replaceState(null, "", withQuery("/explore", { sql, run: 1 }));
  const mine = new AbortController();
  running = mine;
  places.run.disabled = true;
  places.stop.disabled = false;
  const began = performance.now();
  fill(places.outcome, el("p", { class: "quiet" }, say("explore.running")));
  let shown;
  try {
    const answer = await post(withQuery("/api/sql", { format, exact: 1 }), sql, {}, mine.signal);
    const own = answer.headers.get("X-ClickHouse-Format");
    // The statement named it; text would not be a table here, nor a file of the kind that was pressed.
    if (own !== format) await answer.body.cancel();
    shown = own === format ? await taken(answer, (performance.now() - began) / 1000) : ownFormat(own);
  } catch (error) {
    shown = failed(error);
    if (running === mine) showPlace(places.editor, error.message);
  }
  if (running !== mine) return;
  running = null;
  places.run.disabled = false;
  places.stop.disabled = true;
  fill(places.outcome, shown);
}

function run(places) {
  return asked(places, "JSONCompact", async (answer, seconds) => {
    const found = await answer.json();
    return [el("p", { class: "note" }, say(isOne(found.rows) ? "explore.row" : "explore.rows", {
      rows: count(found.rows), time: seconds < 2 ? `${Math.round(1000 * seconds)} ms` : duration(seconds) }),
    found.rows > SHOWN_MAX ? ` ${say("explore.shown", { shown: SHOWN_MAX })}` : ""),
    resultTable(found, SHOWN_MAX)];
  });
}

function download(places, name) {
  const [format, ending] = FILES[name];
  return asked(places, format, async (answer) => {
    const address = URL.createObjectURL(await answer.blob());
    const link = el("a", { href: address, download: `custody.${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return el("p", {}, say("explore.saved", { file: `custody.${ending}` }));
  });
}

function ownFormat(format) {
  return el("div", { class: "trouble", role: "alert" }, el("strong", {}, say("explore.refused")), el("p", {}, say("explore.format", { format })));
}

/* What the guard says stands beneath as it says it: it names what may be asked instead. */
function failed(error) {
  if (error.name === "AbortError") return el("p", {}, say("explore.stopped"));
  if (error.name !== "not-allowed" && error.name !== "query-failed") return trouble(error);
  return el("div", { class: "trouble", role: "alert" },
    el("strong", {}, say(error.name === "not-allowed" ? "explore.refused" : "explore.failed")), inWords(error));
}

/* Puts the cursor where the guard, or the engine, says that the fault is. */
function showPlace(editor, text) {
  const found = /line (\d+), col(?:umn)?\.? (\d+)/.exec(text);
  if (!found) return;
  const lines = editor.value.split("\n");
  const before = lines.slice(0, Number(found[1]) - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const at = Math.min(before + Number(found[2]) - 1, editor.value.length);
  const rest = /^\w+/.exec(editor.value.slice(at));
  editor.focus();
  editor.setSelectionRange(at, at + (rest ? rest[0].length : 1));
}
