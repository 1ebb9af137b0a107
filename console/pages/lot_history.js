/* A lot's balance over time, with one sigma as a band. */

import { amount, nameOf, shown, unitOf, unknownU } from "./amounts.js";
import { chart } from "./chart.js";
import { el, fill } from "./dom.js";
import { time } from "./numbers.js";
import { withQuery } from "./table.js";
import { language, say } from "./words.js";

const keyOf = (row) => [row.quantity, row.quality].filter(Boolean).join("|");

/* found: the answer of /api/lots/<id>/history. */
export function historyChart(found, source) {
  const rows = found.history;
  const keys = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
  const place = el("div");
  const draw = (key) => fill(place, ofQuantity(rows.filter((row) => keyOf(row) === key), source));
  // The address keeps the choice: a link shows the same, and so does the chart when it is drawn anew.
  const choose = (key) => {
    history.replaceState(null, "", withQuery(location.pathname + location.search, { quantity: key }));
    draw(key);
  };
  const asked = new URLSearchParams(location.search).get("quantity");
  const first = keys.find((row) => keyOf(row) === asked) || keys.find((row) => row.quantity === "dry") || keys[0];
  const pick = el("select", { id: "history-quantity", onchange: (event) => choose(event.target.value) },
    keys.map((row) => el("option", { value: keyOf(row), selected: row === first }, nameOf(row, say))));
  draw(keyOf(first));
  return [el("p", {}, el("label", { for: "history-quantity" }, say("history.quantity")), pick), place,
    found.moments > found.moments_told
      ? el("p", { class: "note" }, say("history.last", { told: found.moments_told, all: found.moments })) : null];
}

function ofQuantity(rows, source) {
  const places = [...new Set(rows.map((row) => row.place))].sort((a, b) => (a === "total") - (b === "total"));
  const unit = unitOf(rows[0]);
  return chart({
    title: say("history.title", { quantity: nameOf(rows[0], say) }),
    note: say("history.note"),
    height: 300,
    make: (colours) => ({
      traces: places.flatMap((place, number) => {
        const colour = place === "total" ? colours.ink : colours.series[number % 6];
        return lines(rows.filter((row) => row.place === place), place, colour);
      }),
      layout: { showlegend: true, yaxis: { title: { text: unit }, rangemode: "tozero" }, xaxis: { type: "date" } },
    }),
    columns: [
      { title: say("history.at"), cell: (row) => time(row.at, language()) },
      { title: say("amount.place"), cell: (row) => nameOfPlace(row.place) },
      { title: say("amount.amount"), number: true, cell: (row) => amount(row) },
      { title: say("history.standing"), cell: (row) => unknownU(row, placesThen(rows, row), say) || say(`history.standing.${row.u_standing || "sum"}`) },
    ],
    rows,
    source,
  });
}

/* How many places a sum is of. */
function placesThen(rows, sum) {
  return rows.filter((row) => row.at === sum.at && row.place !== "total").length;
}

/* A line in steps, and the band of one sigma about it: a balance holds until something moves it. */
function lines(rows, place, colour) {
  const x = rows.map((row) => row.at);
  const y = rows.map((row) => shown(row.value));
  const u = rows.map((row) => (row.without_u ? 0 : shown(row.u) || 0));
  const step = { shape: "hv", width: 0 };
  const name = nameOfPlace(place);
  const edge = (values) => ({ type: "scatter", mode: "lines", x, y: values, line: step, hoverinfo: "skip", showlegend: false });
  return [
    edge(y.map((value, at) => value - u[at])),
    { ...edge(y.map((value, at) => value + u[at])), fill: "tonexty", fillcolor: faint(colour) },
    { type: "scatter", mode: "lines+markers", name, x, y, line: { shape: "hv", width: place === "total" ? 3 : 2, color: colour },
      marker: { size: 5, color: colour }, customdata: u, hovertemplate: `%{x}: %{y} ± %{customdata:.3g}<extra>${name}</extra>` },
  ];
}

function faint(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, 0.2)`;
}

function nameOfPlace(place) {
  return place === "total" ? say("amount.total") : place === "transit" ? say("amount.transit") : place;
}
