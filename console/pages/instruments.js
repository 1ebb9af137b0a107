/* Instruments of a site: what each is off by, and the chart its alert comes of. */

import { chart } from "./chart.js";
import { el } from "./dom.js";
import { idLink } from "./links.js";
import { count, number, quantity, time } from "./numbers.js";
import { table, withQuery } from "./table.js";
import { language, say } from "./words.js";

/* A shift in natural logarithms as a share, which is what it is while it is small. */
const share = (value, u) => (value === null || value === undefined ? null : quantity(Math.expm1(value), u, "fraction"));

export function instrumentTable(rows, source) {
  return table([
    { title: say("instrument.device"), cell: (row) => idLink("instrument", row.device_id) },
    { title: say("instrument.quantity"), cell: (row) => named(row.quantity) },
    { title: say("instrument.off"), number: true, cell: (row) => share(row.off_by, row.off_by_u) || (row.lots ? say("instrument.right") : null) },
    { title: say("instrument.sum"), number: true, cell: (row) => (row.sum_of_limit === null ? null : number(row.sum_of_limit, null, 2)) },
    { title: say("instrument.lots"), number: true, cell: (row) => count(row.lots) },
    { title: say("instrument.last"), cell: (row) => time(row.last_at, language()) },
  ], rows, { label: say("site.instruments"), source, empty: say("instrument.none") });
}

/* "WB-HOY-1: mass": what a chart is of. */
export function titleOf(name, quantity) { return say("cause.of", { what: name, of: named(quantity) }); }

function named(quantity) {
  if (quantity === "mass") return say("instrument.mass");
  return quantity === "moisture" ? say("amount.moisture") : quantity;
}

/* Fewer lots than so and there is nothing to see. */
const DRAWN_FROM = 3;

/* A chart per instrument and quantity, those nearest their limit first. */
export function instrumentCharts(rows, source) {
  const by = new Map();
  for (const row of rows) {
    const key = `${row.device_id}|${row.quantity}`;
    if (!by.has(key)) by.set(key, []);
    by.get(key).push(row);
  }
  const worst = (some) => Math.max(...some.map((row) => row.sum_of_limit));
  const ordered = [...by.values()].filter((some) => some.length >= DRAWN_FROM).sort((a, b) => worst(b) - worst(a)).slice(0, 6);
  if (!ordered.length) return el("p", { class: "quiet" }, say("instrument.uncharted"));
  return el("div", { class: "grid" }, ordered.map((some) => one(some, source)));
}

function one(rows, source) {
  return controlChart(rows, titleOf(rows[0].device_id, rows[0].quantity), withQuery(source, {}));
}

/* The chart of one quantity of an instrument or a way: what each lot says, the level that was found,
   and the sum beside the limit at which it is one. */
export function controlChart(rows, title, source) {
  const x = rows.map((row) => row.occurred_at);
  const percent = (value) => 100 * Math.expm1(value);
  return chart({
    title, note: say("instrument.note"), height: 280,
    make: (colours) => ({
      traces: [
        { type: "scatter", mode: "markers", name: say("instrument.residual"), x, y: rows.map((row) => percent(row.residual)),
          error_y: { type: "data", array: rows.map((row) => 100 * row.residual_u), color: colours.quiet, thickness: 1 },
          text: rows.map((row) => row.lot_id), marker: { color: colours.series[0], size: 6 },
          hovertemplate: "%{text}: %{y:.2f} %<extra></extra>" },
        { type: "scatter", mode: "lines+markers", name: say("instrument.level"), x, y: rows.map((row) => (row.off_by === null ? null : percent(row.off_by))),
          line: { color: colours.bad, width: 3, shape: "hv" } },
        { type: "scatter", mode: "lines", name: say("instrument.sum"), x, y: rows.map((row) => row.sum_of_limit), yaxis: "y2",
          line: { color: colours.copper, width: 1.5, dash: "dot" } },
        { type: "scatter", mode: "lines", name: say("chart.threshold"), x: [x[0], x.at(-1)], y: [1, 1], yaxis: "y2",
          line: { color: colours.bad, width: 2, dash: "dash" }, hoverinfo: "skip" },
      ],
      layout: { showlegend: true, yaxis: { title: { text: "%" } },
        yaxis2: { overlaying: "y", side: "right", automargin: true, tickmode: "auto", nticks: 5, rangemode: "tozero", range: [0, Math.max(1.1, ...rows.map((row) => row.sum_of_limit))],
          title: { text: say("instrument.limit") }, showgrid: false, color: colours.copper } },
    }),
    columns: [
      { title: say("site.lot"), cell: (row) => idLink("lot", row.lot_id) },
      { title: say("history.at"), cell: (row) => time(row.occurred_at, language()) },
      { title: say("instrument.residual"), number: true, cell: (row) => share(row.residual, row.residual_u) },
      { title: say("instrument.sum"), number: true, cell: (row) => number(row.sum_of_limit, null, 3) },
    ],
    rows, source,
  });
}
