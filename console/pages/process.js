/* Process: what went in and came out, whether that fits, and what tests of the node say. */

import { amount, nameOf } from "./amounts.js";
import { asOf } from "./asof.js";
import { el, fill } from "./dom.js";
import { evidenceList } from "./findings.js";
import { idLink, subjectLink } from "./links.js";
import { percent, quantity, time } from "./numbers.js";
import { loadPage, part, partAddress } from "./parts.js";
import { periodForm, periodTable } from "./period.js";
import { table } from "./table.js";
import { language, say, sayOr } from "./words.js";

export async function show(main, { id, query }) {
  document.title = `${id} – custody`;
  const of = (name) => partAddress("processes", id, name, query);
  const head = el("p", { class: "lead" });
  const parts = [
    part(say("process.period"), of("period"), (found, source) =>
      [periodForm(query), periodTable(found.period, source, (line) => say(`node.${line}`)), el("p", { class: "note" }, say("process.note"))], { height: 300 }),
    part(say("process.tests"), of("tests"), (found) => evidenceList(found.tests)),
    part(say("process.handed"), of(""), (found, source) => { fill(head, kind(found.process)); return handed(found.handed, source); }, { height: 240 }),
    part(say("process.sides"), of("sides"), sides),
  ];
  const [period, tests, given, stated] = parts;
  fill(main, el("h1", {}, say("process.title"), " ", el("span", { class: "id" }, id)), head, asOf(query),
    el("div", { class: "grid" }, period, tests), given, stated);
  await loadPage(main, given, [period, tests, stated]);
}

function kind(found) {
  if (!found) return say("process.unknown");
  return [el("strong", {}, sayOr("step.", found.kind)), ` · ${say(found.separating ? "process.separates" : "process.mixes")}`,
    found.continuous ? ` · ${say("process.continuous")}` : "",
    found.key_analyte ? ` · ${say("process.key", { analyte: found.key_analyte })}` : "",
    ` · ${say("process.allocation", { key: sayOr("allocation.", found.allocation) })}`];
}

function handed(rows, source) {
  return table([
    { title: say("process.direction"), cell: (row) => [say(row.direction === "in" ? "process.in" : "process.out"),
      row.measured_later ? el("span", { class: "why" }, say("process.measured")) : null] },
    { title: say("process.owner"), cell: (row) => subjectLink(row.owner) },
    { title: say("amount.quantity"), cell: (row) => nameOf(row, say) },
    { title: say("amount.amount"), number: true, cell: (row) => amount(row) },
    { title: say("change.effective"), cell: (row) => time(row.effective_at, language()) },
  ], rows, { label: say("process.handed"), source, empty: say("process.none") });
}

function sides(found, source) {
  return table([
    { title: say("fact.occurred"), cell: (row) => time(row.occurred_at, language()) },
    { title: say("process.side"), cell: (row) => say(`side.${row.part}`) + (row.loss_kind ? ` (${sayOr("loss.", row.loss_kind)})` : "") },
    { title: say("site.lot"), cell: (row) => idLink("lot", row.lot_id) },
    { title: say("fact.site"), cell: (row) => idLink("site", row.site_id) },
    { title: say("amount.wet"), number: true, cell: (row) => kilos(row.mass_wet_kg, row) },
    { title: say("amount.dry"), number: true, cell: (row) => kilos(row.mass_dry_kg, row) },
    { title: say("amount.moisture"), number: true, cell: (row) => (row.moisture_fraction === null ? null : percent(row.moisture_fraction)) },
  ], found.sides, { label: say("process.sides"), source, empty: say("process.none") });
}

function kilos(value, row) {
  return value === null ? null : quantity(value, row.u_mass_kg, "kg");
}
