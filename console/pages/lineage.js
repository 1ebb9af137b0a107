/* Where a lot comes from and where it went, both on one screen: as a stream and as a table. */

import { chart } from "./chart.js";
import { el } from "./dom.js";
import { subjectLink } from "./links.js";
import { count, number, percent, quantity } from "./numbers.js";
import { withQuery, table } from "./table.js";
import { say, sayOr } from "./words.js";

/* More than so many and a drawing says nothing any more. */
const DRAWN_MAX = 80;
const ROWS_SHOWN = 15;

/* found: the answer of /api/lots/<id>/lineage. */
export function lineagePart(found, source, id) {
  const self = `lot/${id}`;
  const sides = ["back", "forward"].map((side) =>
    found.lineage.filter((row) => row.direction === side && ownerOf(row) !== self));
  const drawn = found.edges.length && nodes(found.edges).length <= DRAWN_MAX;
  const cut = Object.entries(found.cut).filter(([, many]) => many);
  return [
    drawn ? stream(found.edges, self, withQuery(source, { table: "edges" }))
      : el("p", { class: "note" }, say(found.edges.length ? "lineage.many" : "lineage.none")),
    cut.map(([side, many]) => el("p", { class: "note" }, say(`lineage.cut.${side}`, { many }))),
    found.rings.map((ring) => el("p", { class: "note" }, say("lineage.ring", { ring: ring.map(bare).join(" → ") }))),
    el("div", { class: "grid" }, sideTable(sides[0], "back", source), sideTable(sides[1], "forward", source)),
  ];
}

const ownerOf = (row) => (row.lot_id ? `lot/${row.lot_id}` : `process/${row.process_id}`);
const bare = (owner) => owner.slice(owner.indexOf("/") + 1);
const nodes = (edges) => [...new Set(edges.flatMap((edge) => [edge.parent, edge.child]))];

/* Dry mass as it was handed on; the lot itself in ink, processes quiet. */
function stream(edges, self, source) {
  const every = nodes(edges);
  const at = (owner) => every.indexOf(owner);
  return chart({
    title: say("lineage.stream"), note: say("lineage.note"), height: Math.min(640, 160 + 34 * every.length),
    make: (colours) => ({
      traces: [{
        type: "sankey", arrangement: "snap", valueformat: ".3f", valuesuffix: " t",
        node: {
          label: every.map(bare), pad: 18, thickness: 16, line: { width: 1, color: colours.line },
          color: every.map((owner) => (owner === self ? colours.copper : owner.startsWith("lot/") ? colours.series[0] : colours.quiet)),
        },
        link: {
          source: edges.map((edge) => at(edge.parent)), target: edges.map((edge) => at(edge.child)),
          value: edges.map((edge) => Math.max(edge.mass_dry_g / 1e6, 1e-6)),
          color: edges.map(() => "rgba(128, 144, 158, 0.35)"),
        },
      }],
      layout: { margin: { l: 8, r: 8, t: 8, b: 8 } },
    }),
    columns: [
      { title: say("lineage.from"), cell: (edge) => subjectLink(edge.parent) },
      { title: say("lineage.to"), cell: (edge) => subjectLink(edge.child) },
      { title: say("amount.dry"), number: true, cell: (edge) => quantity(edge.mass_dry_g / 1e6, null, "t") },
      { title: say("amount.wet"), number: true, cell: (edge) => quantity(edge.mass_wet_g / 1e6, null, "t") },
      { title: say("amount.metals"), cell: (edge) => Object.entries(edge.metal_mg)
        .map(([analyte, mg]) => `${analyte} ${number(mg / 1e6)}\u00a0kg`).join(", ") },
    ],
    rows: edges,
    source,
  });
}

function sideTable(rows, side, source) {
  const columns = [
    { title: say("lineage.owner"), cell: (row) => [subjectLink(ownerOf(row)), row.process_id ? el("span", { class: "why" }, say("lineage.process")) : null] },
    { title: say("lineage.steps"), number: true, cell: (row) => count(row.steps) },
    { title: say(`lineage.share.${side}`), number: true, cell: (row) => percent(row.share_dry_fraction) },
    { title: say("amount.metals"), cell: (row) => shares(row.share_metal_fraction) },
    side === "back" ? { title: say("lineage.origins"), cell: (row) => shares(row.origins) }
      : { title: say("lineage.held"), number: true,
        cell: (row) => (row.held_dry_g === null ? null : quantity(row.held_dry_g / 1e6, null, "t")) },
  ];
  return el("div", {}, el("h3", {}, say(`lineage.${side}`)), table(columns, rows.slice(0, ROWS_SHOWN), {
    label: say(`lineage.${side}`), source, empty: say(`lineage.none.${side}`) }),
  rows.length > ROWS_SHOWN ? el("p", { class: "note" }, say("table.more", { shown: ROWS_SHOWN, all: count(rows.length) })) : null);
}

/* The largest ones, and how many more. */
function shares(found, most = 3) {
  const parts = Object.entries(found || {}).filter(([, part]) => part).sort((a, b) => b[1] - a[1]);
  return parts.slice(0, most).map(([name, part]) => `${sayOr("origin.", name)}\u00a0${percent(part)}`)
    .concat(parts.length > most ? [`+${parts.length - most}`] : []).join(", ");
}
