/* Lot: all of one lot on one page. */

import { amountOf, nameOf, partsOf, totals } from "./amounts.js";
import { nameOf as nameOfAlert } from "./alert_named.js";
import { asOf, isNow } from "./asof.js";
import { stateBadge, severityBadge } from "./badges.js";
import { el, fill } from "./dom.js";
import { gate } from "./gate.js";
import { idLink, pageOf } from "./links.js";
import { on } from "./live.js";
import { attributesPart, changesPart, factsPart, movementsPart, tracedPart } from "./lot_tables.js";
import { historyChart } from "./lot_history.js";
import { lineagePart } from "./lineage.js";
import { commodityOf } from "./named.js";
import { percent, quantity } from "./numbers.js";
import { loadAll, loadPage, part, partAddress } from "./parts.js";
import { table } from "./table.js";
import { say, sayOr } from "./words.js";

const SOON_MS = 800;

export async function show(main, { id, query }) {
  document.title = `${id} – custody`;
  const of = (name) => partAddress("lots", id, name, query);
  const head = el("div", { class: "lead" });
  // Whether it may go, and what is open, is of now: on a page of another time it would be believed.
  const held = isNow(query) ? gate(id) : null;
  const parts = [
    part(say("lot.holds"), of(""), (found, source) => {
      fill(head, lead(found, held));
      if (held) held.begin(found.gate);
      return holds(found, source);
    }, { height: 260 }),
    part(say("lot.history"), of("history"), historyChart, { height: 380 }),
    part(say("lot.lineage"), of("lineage"), (found, source) => lineagePart(found, source, id), { height: 240 }),
    part(say("lot.movements"), of("movements"), movementsPart),
    part(say("lot.attributes"), of("attributes"), attributesPart),
    part(say("lot.traced"), of("traceability"), tracedPart),
    part(say("lot.changes"), of("changes"), changesPart),
    part(say("lot.facts"), of("facts"), factsPart),
  ];
  const [holding, history, lineage, ...others] = parts;
  fill(main, el("h1", {}, say("lot.title"), " ", el("span", { class: "id" }, id)), head, asOf(query),
    el("div", { class: "grid" }, holding, history), lineage,
    el("div", { class: "grid" }, others.slice(1, 3)), others[0], others.slice(3));
  if (isNow(query)) anew(id, parts);
  await loadPage(main, holding, parts.slice(1));
}

/* What comes of the lot while somebody looks is shown, a moment later and all at once. */
function anew(id, parts) {
  let due = null;
  const later = (said) => {
    if (said.lot_id !== id || due) return;
    due = setTimeout(() => { due = null; loadAll(parts.slice(0, 2)); }, SOON_MS);
  };
  on("balance", later);
  on("alert", later);
  // What was said while the page had no line.
  on("hello", () => later({ lot_id: id }));
}

/* Whether it may go, what it is, what is open of it. */
function lead(found, held) {
  const { declared } = found;
  const said = declared
    ? [commodityOf(declared.commodity), sayOr("step.", declared.form), declared.owner && say("lot.owner", { owner: declared.owner }),
      declared.custodian && say("lot.custodian", { custodian: declared.custodian })].filter(Boolean).join(" · ")
    : say("lot.undeclared");
  const open = held ? found.gate.open_alerts : [];
  return [held || el("p", { class: "quiet" }, say("lot.past")), el("p", {}, said),
    open.length ? el("ul", { class: "standing" }, open.map((alert) => el("li", {},
      severityBadge(alert.severity), " ", el("a", { href: pageOf("alert", alert.alert_id) },
        nameOfAlert(alert)), " ", stateBadge(alert.state)))) : null];
}

export function holds(found, source) {
  const rows = found.balance;
  const named = totals(rows).filter((row) => row.class !== "attribute");
  const moisture = (found.moisture || [])[0];
  const figures = named.map((row) => el("div", {}, el("dt", {}, nameOf(row, say)), el("dd", {}, amountIn(row, rows))));
  if (moisture && found.moisture.length === 1) {
    figures.push(el("div", {}, el("dt", {}, say("amount.moisture")), el("dd", {},
      quantity(moisture.moisture_fraction, moisture.moisture_u_fraction, "fraction"))));
  }
  // Of places that it has left there is nothing to say; the files and the chart have them.
  return [el("dl", { class: "figures" }, figures), balanceTable(rows.filter((row) => row.value), rows, source)];
}

/* An amount; where it is a sum it is one over places. */
function amountIn(row, all) {
  const places = all.filter((one) => one.place !== "total" && nameOf(one, say) === nameOf(row, say));
  return amountOf(row, places.length, say);
}

/* Per place and quantity, with the parts of u. */
function balanceTable(rows, all, source) {
  return table([
    { title: say("amount.place"), cell: (row) => placeOf(row.place) },
    { title: say("amount.quantity"), cell: (row) => nameOf(row, say) },
    { title: say("amount.amount"), number: true, cell: (row) => amountIn(row, all) },
    { title: say("amount.relative"), number: true,
      cell: (row) => (row.u && row.value && !row.without_u ? percent(Math.abs(row.u / row.value), 2) : null) },
    { title: say("amount.parts"), cell: (row) => partsOf(row) },
  ], rows, { label: say("lot.holds"), source, empty: say("lot.nothing") });
}

function placeOf(place) {
  if (place === "total") return el("strong", {}, say("amount.total"));
  return place === "transit" ? say("amount.transit") : idLink("site", place);
}
