/* The tables of a lot: its trips, what travels with it, how far it is traced, what was said. */

import { el } from "./dom.js";
import { idLink } from "./links.js";
import { attributeOf, materialOf, qualityOf, stageOf } from "./named.js";
import { count, duration, number, percent, quantity, time } from "./numbers.js";
import { table } from "./table.js";
import { gapOf } from "./worded.js";
import { language, say, sayOr } from "./words.js";

const when = (text) => time(text, language());
const ROWS_SHOWN = 25;

const kilos = (grams, u) => (grams === null || grams === undefined ? null
  : quantity(grams / 1e3, u === null || u === undefined ? null : u / 1e3, "kg"));

export function movementsPart(found, source) {
  return table([
    { title: say("trip.id"), cell: (row) => el("span", { class: "id" }, row.movement_id) },
    { title: say("trip.from"), cell: (row) => idLink("site", row.from_site) },
    { title: say("trip.left"), cell: (row) => when(row.left_at) },
    { title: say("trip.to"), cell: (row) => idLink("site", row.to_site) || row.counterparty },
    { title: say("trip.arrived"), cell: (row) => when(row.arrived_at) },
    { title: say("trip.vehicle"), cell: (row) => row.vehicle_id },
    { title: say("trip.seals"), cell: (row) => row.seals.join(", ") },
    { title: say("trip.sent"), number: true, cell: (row) => kilos(row.sent_g, row.sent_u_g) },
    { title: say("trip.received"), number: true, cell: (row) => kilos(row.received_g, row.received_u_g) },
    { title: say("trip.difference"), number: true, cell: (row) => kilos(row.difference_g, row.difference_u_g) },
  ], found.movements, { label: say("lot.movements"), source, empty: say("trip.none") });
}

export function attributesPart(found, source) {
  return table([
    { title: say("attribute.name"), cell: (row) => whichOf(row) },
    { title: say("attribute.label"), cell: (row) => labelOf(row) },
    { title: say("attribute.amount"), number: true,
      cell: (row) => (row.kind === "amount" ? quantity(row.amount, null, row.unit) : percent(row.share_fraction)) },
    { title: say("attribute.per"), number: true,
      cell: (row) => (row.per_t_dry === null ? null : quantity(row.per_t_dry, null, `${row.unit}/t`)) },
  ], some(found.attributes.filter((row) => row.kind === "amount" || row.share_fraction)),
  { label: say("lot.attributes"), source, empty: say("attribute.none") });
}

function whichOf(row) {
  if (row.kind === "amount") return attributeOf(row.name);
  return row.kind === "origin" ? say("attribute.origin", { of: materialOf(row.name) }) : say("attribute.stage", { of: stageOf(row.name) });
}

/* How well an amount is known; of an origin where it is, of a stage the country, or how. */
function labelOf(row) {
  if (row.kind === "amount") return row.label && qualityOf(row.label);
  return sayOr("origin.", row.label);
}

const EVIDENCE = ["confirmed", "measured", "declared", "none"];

export function tracedPart(found, source) {
  return table([
    { title: say("traced.element"), cell: (row) => say(`traced.${row.element}`) },
    ...EVIDENCE.map((name) => ({ title: say(`traced.${name}`), number: true, cell: (row) => percent(row.dry_fraction[name]) })),
    { title: say("traced.gap"), cell: (row) => (row.first_gap ? gapOf(row.first_gap) : say("traced.no_gap")) },
  ], found.traceability, { label: say("lot.traced"), source });
}

export function changesPart(found, source) {
  return [table([
    { title: say("change.known"), cell: (row) => when(row.known_at) },
    { title: say("change.effective"), cell: (row) => [when(row.effective_at),
      row.late_s > 3600 ? el("span", { class: "why" }, say("change.late", { late: duration(row.late_s) })) : null] },
    { title: say("change.what"), cell: (row) => [factName(row), row.corrects ? el("span", { class: "why" }, say("change.corrects")) : null,
      row.compensations ? el("span", { class: "why" }, say("change.compensated", { many: row.compensations })) : null] },
    { title: say("fact.document"), cell: (row) => row.document_no },
    { title: say("amount.wet"), number: true, cell: (row) => signed(row.change_wet_g) },
    { title: say("amount.dry"), number: true, cell: (row) => signed(row.change_dry_g) },
    { title: say("amount.metals"), cell: (row) => Object.entries(row.change_metal_mg)
      .map(([analyte, mg]) => `${analyte} ${mg > 0 ? "+" : ""}${number(mg / 1e6, null, 5)}\u00a0kg`).join(", ") },
  ], some(found.changes), { label: say("lot.changes"), source, empty: say("change.none") }), more(found.changes)];
}

/* To the gram, as the books have it. */
function signed(grams) {
  return grams ? `${grams > 0 ? "+" : ""}${number(grams / 1e3, 0.01 + Math.abs(grams) / 1e7)}\u00a0kg` : "0";
}

/* The last ones of many; the files have all. */
function some(rows, most = ROWS_SHOWN) {
  return rows.slice(0, most);
}

function more(rows) {
  return rows.length > ROWS_SHOWN ? el("p", { class: "note" }, say("table.more", { shown: ROWS_SHOWN, all: count(rows.length) })) : null;
}

function factName(row) {
  return row.event_type ? `${sayOr("fact.", row.event_type)}${row.kind ? `, ${sayOr("step.", row.kind)}` : ""}` : say("change.unknown");
}

export function factsPart(found, source) {
  return [table([
    { title: say("fact.occurred"), cell: (row) => when(row.occurred_at) },
    { title: say("fact.what"), cell: (row) => [factName(row),
      row.stands ? null : el("span", { class: "why" }, say(row.void ? "fact.void" : "fact.corrected"))] },
    { title: say("fact.site"), cell: (row) => idLink("site", row.site_id) },
    { title: say("fact.document"), cell: (row) => row.document_no },
    { title: say("fact.device"), cell: (row) => row.device_id },
    { title: say("fact.mass"), number: true, cell: (row) => kilos(row.mass_g, row.mass_u_g) },
    { title: say("fact.recorded"), cell: (row) => when(row.recorded_at) },
    { title: say("fact.event"), cell: (row) => el("span", { class: "id small" }, row.event_id) },
  ], some(found.facts), { label: say("lot.facts"), source, rowClass: (row) => (row.stands ? null : "is-over") }), more(found.facts)];
}
