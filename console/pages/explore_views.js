/* The views, with what each column means. */

import { el } from "./dom.js";
import { post } from "./session.js";
import { inEnglish } from "./worded.js";
import { say } from "./words.js";

const COLUMNS = "SELECT view, name, type, meaning FROM v_columns ORDER BY view, position";

/* Views that are asked with values, as a function is. */
const CALLED = {
  v_lot_balance_at: "(at = now64(6), known_at = now64(6))",
  v_stock_at: "(at = now64(6), known_at = now64(6))",
  v_metal_balance: "(period_start = toStartOfMonth(now()), period_end = now64(6), known_at = now64(6))",
  v_unaccounted: "(period_start = toStartOfMonth(now()), period_end = now64(6), known_at = now64(6))",
  v_lineage: "(lot = 'LOT')",
};

/* A list to unfold; `chosen(statement)` is told of a view that somebody wants to ask. */
export async function viewList(chosen) {
  const answer = await post("/api/sql?format=JSONEachRow", COLUMNS);
  const rows = (await answer.text()).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const views = new Map();
  for (const row of rows) {
    if (!views.has(row.view)) views.set(row.view, []);
    views.get(row.view).push(row);
  }
  return [el("p", { class: "note" }, say("explore.views.note")), ...[...views].map(([name, columns]) => el("details", { class: "view" },
    el("summary", {}, el("span", { class: "id" }, name)),
    el("p", {}, el("button", { type: "button", onclick: () => chosen(`SELECT *\nFROM ${name}${CALLED[name] || ""}\nLIMIT 100`) },
      say("explore.ask"))),
    el("dl", {}, columns.flatMap((one) => [el("dt", { class: "id" }, one.name, el("span", { class: "unit" }, ` ${one.type}`)),
      el("dd", {}, inEnglish(one.meaning))]))))];
}
