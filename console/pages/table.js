/* Tables: one way to show rows, and to take them along as CSV and JSON. */

import { el } from "./dom.js";
import { say } from "./words.js";

/* A table.

   columns: [{key, title, cell(row) -> text or element, number: true for figures, narrow: false}]
   rows: what is shown.
   options: {caption, cards: on a phone each row is a card, source: the endpoint that gives the rows, empty: text for no rows, rowClass(row)} */
export function table(columns, rows, options = {}) {
  const body = el("tbody", {}, rows.map((row) => line(columns, row, options)));
  if (!rows.length) {
    body.append(el("tr", {}, el("td", { colspan: columns.length, class: "empty" }, options.empty || say("table.empty"))));
  }
  const head = el("tr", {}, columns.map((one) =>
    el("th", { scope: "col", class: one.number ? "number" : null }, one.title)));
  const made = el("table", { class: options.cards ? "cards" : null }, options.caption ? el("caption", {}, options.caption) : null,
    el("thead", {}, head), body);
  // Wider than a phone it scrolls by itself; a keyboard has to reach it.
  const around = el("div", { class: "scroll", tabindex: 0, role: "group",
    "aria-label": options.caption || options.label || columns[0].title }, made);
  return el("div", { class: "tabled" }, around, options.source ? downloads(options.source, options.caption || options.label) : null);
}

export function line(columns, row, options = {}) {
  const cells = columns.map((one, index) => {
    const shown = one.cell ? one.cell(row) : row[one.key];
    const content = shown === null || shown === undefined || shown === "" ? "–" : shown;
    return el(index ? "td" : "th", { scope: index ? null : "row", class: one.number ? "number" : null,
      "data-title": options.cards && one.number ? one.title : null }, content);
  });
  return el("tr", { class: options.rowClass ? options.rowClass(row) : null }, cells);
}

/* Links to the same rows as files. `source` is an address under /api that takes `format`. */
export function downloads(source, caption) {
  const link = (format) => el("a", {
    href: withQuery(source, { format }), download: "", class: "download",
    "aria-label": say("table.download", { what: caption || "", format: format.toUpperCase() }),
  }, format.toUpperCase());
  return el("p", { class: "downloads" }, link("csv"), link("json"));
}

/* An address with some parameters set, and those left out that are null or empty. */
export function withQuery(address, values) {
  const made = new URL(address, location.origin);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") made.searchParams.delete(name);
    else made.searchParams.set(name, value);
  }
  return made.pathname + made.search;
}
