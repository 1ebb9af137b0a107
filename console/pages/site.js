/* Site: what lies there, how its period balances, whether its instruments read right. */

import { amount, amountOf, nameOf } from "./amounts.js";
import { asOf } from "./asof.js";
import { el, fill } from "./dom.js";
import { evidenceList } from "./findings.js";
import { instrumentCharts, instrumentTable } from "./instruments.js";
import { idLink } from "./links.js";
import { count } from "./numbers.js";
import { loadPage, part, partAddress } from "./parts.js";
import { periodForm, periodTable } from "./period.js";
import { table, withQuery } from "./table.js";
import { say } from "./words.js";

const LOTS_SHOWN = 30;
const ROWS_ASKED = 600;

export async function show(main, { id, query }) {
  document.title = `${id} – custody`;
  const of = (name) => partAddress("sites", id, name, query);
  const parts = [
    part(say("site.stock"), of(""), stock, { height: 260 }),
    part(say("site.period"), of("period"), (found, source) =>
      [periodForm(query, found.over), periodTable(found.period, source, lineName)], { height: 260 }),
    part(say("site.lots"), withQuery(of("lots"), { limit: ROWS_ASKED }), lots, { height: 160 }),
    part(say("site.instruments"), of("instruments"), (found, source) =>
      [instrumentTable(found.instruments, source), evidenceList(found.alerts)], { height: 200 }),
    part(say("site.charts"), of("charts"), (found, source) => instrumentCharts(found.charts, source), { height: 200 }),
  ];
  const [stocked, period, held, instruments, charts] = parts;
  fill(main, el("h1", {}, say("site.title"), " ", el("span", { class: "id" }, id)), asOf(query),
    stocked, period, instruments, charts, held);
  await loadPage(main, stocked, parts.slice(1));
}

function stock(found, source) {
  const rows = found.stock;
  const masses = rows.filter((row) => row.class !== "attribute");
  return [
    el("dl", { class: "figures" }, masses.map((row) => el("div", {}, el("dt", {}, nameOf(row, say)), el("dd", {}, amountOf(row, count(row.lots + row.processes), say))))),
    table([
      { title: say("amount.quantity"), cell: (row) => nameOf(row, say) },
      { title: say("amount.amount"), number: true, cell: (row) => amountOf(row, count(row.lots + row.processes), say) },
      { title: say("site.averages"), number: true, cell: (row) => (row.u_random === null || row.without_u ? null : amount(row, row.u_random, null)) },
      { title: say("site.lots.count"), number: true, cell: (row) => count(row.lots) },
      { title: say("site.processes.count"), number: true, cell: (row) => count(row.processes) },
    ], rows, { label: say("site.stock"), source, empty: say("site.nothing") }),
    el("p", { class: "note" }, say("site.note")),
  ];
}

/* What of the closing processes hold is a line for each of their kinds. */
const lineName = (line) => (line.startsWith("closing_")
  ? say("period.closing_in", { kind: line.slice("closing_".length) }) : say(`period.${line}`));

/* The lots and processes with the most dry mass, which come first; the files have all. */
function lots(found, source) {
  const holders = new Map();
  for (const row of found.lots) {
    const [kind, id] = row.process_id ? ["process", row.process_id] : ["lot", row.lot_id];
    const key = `${kind}/${id}`;
    if (!holders.has(key)) holders.set(key, { kind, id, rows: [] });
    holders.get(key).rows.push(row);
  }
  const ordered = [...holders.values()];
  const cut = ordered.length > LOTS_SHOWN || found.rows_count > found.lots.length;
  const pick = (one, name) => one.rows.find((row) => row.quantity === name);
  const mass = (name) => (one) => { const row = pick(one, name); return row ? amount(row) : null; };
  return [
    table([
      { title: say("site.holder"), cell: (one) => idLink(one.kind, one.id) },
      { title: say("amount.wet"), number: true, cell: mass("wet") },
      { title: say("amount.dry"), number: true, cell: mass("dry") },
      { title: say("amount.metals"), cell: (one) => one.rows.filter((row) => row.class === "metal")
        .map((row) => `${row.quantity} ${amount(row)}`).join(", ") },
    ], ordered.slice(0, LOTS_SHOWN), { label: say("site.lots"), source: withQuery(source, { limit: null }), empty: say("site.nothing") }),
    cut ? el("p", { class: "note" }, say("site.lots.more", { shown: Math.min(LOTS_SHOWN, ordered.length) })) : null,
  ];
}
