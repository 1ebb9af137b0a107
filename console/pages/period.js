/* A balance over a period: a line per term, a column per quantity; and the form that picks it. */

import { nameOf, shown, unitOf } from "./amounts.js";
import { el } from "./dom.js";
import { number, quantity } from "./numbers.js";
import { table, withQuery } from "./table.js";
import { say } from "./words.js";

const keyOf = (row) => `${row.class}|${row.quantity}|${row.quality || ""}`;

/* rows: one per line and quantity, `value` signed, `u` and `z` where there are any; `called(line)`
   gives a line's name. */
export function periodTable(rows, source, called) {
  const quantities = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
  const lines = [...new Set(rows.map((row) => row.line))];
  const at = new Map(rows.map((row) => [`${row.line}|${keyOf(row)}`, row]));
  const moving = lines.filter((line) => /opening|closing|unaccounted/.test(line)
    || quantities.some((one) => (at.get(`${line}|${keyOf(one)}`) || {}).value));
  return table([
    { title: say("period.line"), cell: (line) => (/^(opening|closing)$/.test(line)
      ? el("strong", {}, called(line)) : called(line)) },
    ...quantities.map((one) => ({
      title: `${nameOf(one, say)}, ${unitOf(one)}`, number: true,
      cell: (line) => figure(at.get(`${line}|${keyOf(one)}`)),
    })),
  ], moving, { label: say("period.title"), source, empty: say("period.none") });
}

/* The unit stands in the heading, u and z below the figure. */
function figure(row) {
  if (!row || (!row.value && !row.u)) return row ? "0" : null;
  const said = quantity(shown(row.value), shown(row.u), "");
  const z = row.z === null || row.z === undefined ? null : el("span", { class: "why" }, `z = ${number(row.z, null, 2)}`);
  return [said, z];
}

/* A year, a month, a day, or FROM/TO, in the page's address. */
export function periodForm(query, fallback) {
  const value = query.get("period") || fallback || "";
  const input = el("input", { id: "period", name: "period", value, placeholder: "2026-11" });
  return el("form", { class: "row", onsubmit: (event) => {
    event.preventDefault();
    location.assign(withQuery(location.pathname + location.search, { period: input.value.trim() || null }));
  } }, el("p", {}, el("label", { for: "period" }, say("period.pick")), input),
  el("p", {}, el("button", {}, say("period.show"))));
}

