/* Charts: drawn by Plotly in the page's colours, each with its numbers in a table beside it. */

import { el } from "./dom.js";
import { decimalSign } from "./numbers.js";
import { table } from "./table.js";
import { language, say } from "./words.js";

const drawn = new Set();

/* The page's colours by name: ink, quiet, line, panel, accent, copper, bad, good, and series 1 to 6. */
export function colours() {
  const styles = getComputedStyle(document.documentElement);
  const of = (name) => styles.getPropertyValue(`--${name}`).trim();
  const names = ["ink", "quiet", "line", "panel", "accent", "copper", "bad", "good"];
  const found = Object.fromEntries(names.map((name) => [name, of(name)]));
  found.series = [1, 2, 3, 4, 5, 6].map((no) => of(`series-${no}`));
  return found;
}

/* A figure: chart and table.

   options: {title, note, height, make(colours) -> {traces, layout}, columns, rows, source} */
export function chart(options) {
  const place = el("div", { class: "plot", role: "img", "aria-label": `${options.title}. ${say("chart.beside")}` });
  place.style.height = `${options.height || 280}px`;
  const made = el("figure", { class: "chart" },
    el("figcaption", {}, el("h3", {}, options.title), options.note ? el("p", { class: "note" }, options.note) : null),
    place,
    el("details", { class: "numbers" }, el("summary", {}, say("chart.numbers")),
      table(options.columns, options.rows, { label: options.title, source: options.source })));
  const draw = () => redraw(place, options);
  drawn.add({ place, draw });
  // Plotly measures its place: it has to be in the document first.
  requestAnimationFrame(draw);
  return made;
}

/* Names of days and months in the reader's language; the library brings English alone. */
function teachDates(name) {
  const named = (options, dates) => dates.map((at) => new Intl.DateTimeFormat(name, { ...options, timeZone: "UTC" }).format(at));
  const days = [4, 5, 6, 7, 8, 9, 10].map((day) => new Date(Date.UTC(2026, 0, day)));
  const months = Array.from({ length: 12 }, (_, month) => new Date(Date.UTC(2026, month, 1)));
  globalThis.Plotly.register({ moduleType: "locale", name, dictionary: {}, format: {
    days: named({ weekday: "long" }, days), shortDays: named({ weekday: "short" }, days),
    months: named({ month: "long" }, months), shortMonths: named({ month: "short" }, months),
    date: "%d/%m/%Y", decimal: decimalSign(), thousands: "\u202f", year: "%Y", month: "%b %Y", dayMonth: "%-d %b", dayMonthYear: "%-d %b %Y" } });
}

let taught = "en";

function redraw(place, options) {
  if (!place.isConnected || !globalThis.Plotly) return;
  if (taught !== language()) teachDates(taught = language());
  const found = colours();
  const { traces, layout } = options.make(found);
  const axis = { gridcolor: found.line, zerolinecolor: found.quiet, linecolor: found.line, automargin: true };
  const whole = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    font: { color: found.ink, size: 13, family: "system-ui, sans-serif" },
    margin: { l: 8, r: 12, t: 8, b: 36 }, colorway: found.series, showlegend: false, separators: `${decimalSign()}\u202f`,
    legend: { orientation: "h", y: -0.2 }, dragmode: false,
    ...layout,
    xaxis: { ...axis, ...(layout || {}).xaxis },
    yaxis: { ...axis, ...(layout || {}).yaxis },
  };
  globalThis.Plotly.react(place, traces, whole, { displayModeBar: false, responsive: true, locale: language() });
}

/* Of another theme the colours are others. */
export function redrawAll() {
  for (const one of [...drawn]) {
    if (one.place.isConnected) one.draw();
    else drawn.delete(one);
  }
}
addEventListener("custody:theme", redrawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
