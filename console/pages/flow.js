/* The flow of mass by site: what came and what left, as bars to both sides of a line. */

import { chart } from "./chart.js";
import { el } from "./dom.js";
import { idLink } from "./links.js";
import { count, duration, number, time } from "./numbers.js";
import { withQuery } from "./table.js";
import { language, say } from "./words.js";

const CAME = ["mined", "bought", "produced", "received"];
const LEFT = ["consumed", "shipped", "sold"];

/* found: the answer of /api/flow. */
export function flowChart(found, source) {
  const rows = found.flow;
  if (!rows.length) {
    return el("p", { class: "quiet" }, say("flow.none", { since: time(found.since, language()) }), " ", lastSaid(found));
  }
  const sites = [...new Set(rows.map((row) => row.site_id))].sort().reverse();
  const flows = [...CAME, ...LEFT].filter((flow) => rows.some((row) => row.flow === flow));
  return chart({
    title: say("flow.title"),
    note: say("flow.note"),
    height: 110 + 40 * sites.length,
    make: (colours) => ({
      traces: flows.map((flow) => ({
        type: "bar", orientation: "h", name: say(`flow.${flow}`), y: sites,
        x: sites.map((site) => tonnes(rows, site, flow) * (LEFT.includes(flow) ? -1 : 1)),
        marker: { color: colours.series[[...CAME, ...LEFT].indexOf(flow) % 6], line: { width: 1, color: colours.panel } },
        hovertemplate: `%{y}: %{x:.1f} t<extra>${say(`flow.${flow}`)}</extra>`,
      })),
      layout: { barmode: "relative", showlegend: true, xaxis: { title: { text: say("flow.axis") }, zerolinewidth: 2 },
        yaxis: { type: "category" }, margin: { l: 8, r: 12, t: 34, b: 44 }, bargap: 0.35,
        legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 } },
    }),
    columns: [
      { title: say("flow.site"), cell: (row) => idLink("site", row.site_id) },
      { title: say("flow.flow"), cell: (row) => say(`flow.${row.flow}`) },
      { title: say("flow.dry"), number: true, cell: (row) => `${number(row.mass_dry_kg / 1000, null, 5)}\u00a0t` },
      { title: say("flow.wet"), number: true, cell: (row) => `${number(row.mass_wet_kg / 1000, null, 5)}\u00a0t` },
      { title: say("flow.transfers"), number: true, cell: (row) => count(row.transfers) },
    ],
    rows,
    source: withQuery(source, {}),
  });
}

/* When mass moved last: a day that was sent later lies long ago, and is no plant that stands. */
function lastSaid(found) {
  if (!found.last_at) return say("flow.never");
  const ago = (new Date(found.until) - new Date(found.last_at)) / 1000;
  return say("flow.last", { at: time(found.last_at, language()), ago: duration(ago) });
}

function tonnes(rows, site, flow) {
  return rows.filter((row) => row.site_id === site && row.flow === flow)
    .reduce((sum, row) => sum + row.mass_dry_kg / 1000, 0);
}
