/* The charts an alert is judged by. */

import { chart } from "./chart.js";
import { el, panel } from "./dom.js";
import { evidenceTable, isOfLots } from "./evidence_table.js";
import { controlChart, titleOf } from "./instruments.js";
import { idOf } from "./links.js";
import { differenceOf, inUnits, labelOf } from "./measured.js";
import { number, percent, time } from "./numbers.js";
import { part } from "./parts.js";
import { basisOf } from "./worded.js";
import { language, say, sayOr } from "./words.js";

const LN10 = Math.log(10);
const NORMAL_95 = 1.96;
const ROW_PX = 26;
const SHOWN_MAX = 40;

/* found: the answer of /api/alerts/{id}. */
export function evidencePanels(found, source) {
  const of = (name) => `${source}?table=${name}`;
  const evidence = found.evidence.filter((one) => one.u > 0);
  if (isOfLots(evidence)) return [then(found), ...ofLots(found.alert, evidence, of("evidence"))];
  const parts = [];
  if (evidence.length) parts.push(panel(say("chart.measured"), measured(evidence, of("evidence"))));
  if (evidence.some((one) => one.ln_ratio)) parts.push(panel(say("chart.contribution"), contribution(evidence, of("evidence"))));
  // Of a rule that is certain there is nothing else that it may be.
  if (found.posterior.length && found.alert.statistic !== "rule") parts.push(panel(say("chart.posterior"), posterior(found.posterior, of("posterior"))));
  if (found.alert.statistic === "e_value") parts.push(panel(say("chart.evidence"), evidencePath(found, of("versions"))));
  if (!parts.length) return null;
  return [then(found), el("div", { class: "columns" }, parts)];
}

function then(found) {
  return found.rested ? el("p", { class: "note" }, say("alert.rested", { version: found.rested.version })) : null;
}

/* Of an instrument or a way: its chart, which says how the evidence grew and where the limit is, and
   the lots that speak of it, each by name, time and place. */
function ofLots(alert, evidence, source) {
  const quantity = evidence[0].analyte || "mass";
  const title = titleOf(idOf(alert.subject), quantity);
  const control = part(say("chart.evidence"), `/api/charts/${encodeURIComponent(alert.subject)}`, (found, address) => {
    const rows = found.chart.filter((row) => row.quantity === quantity);
    return [rows.length ? controlChart(rows, title, address) : el("p", { class: "quiet" }, say("instrument.uncharted")),
      el("p", { class: "note" }, say("chart.limit"), " ", basisOf(alert.threshold_basis))];
  }, { height: 380 });
  control.load();
  return [control, panel(say("chart.lots"), el("p", { class: "note" }, say("chart.lots.note")),
    evidenceTable(evidence, { label: say("chart.lots"), source }))];
}

/* Expected against observed: each measurement by how many u it is off, with the band in which 19 of
   20 of honest ones lie. Their own units are in the table: a mass and a trace share no axis. */
function measured(evidence, source) {
  const rows = [...evidence].sort((a, b) => Math.abs(b.z) - Math.abs(a.z)).slice(0, SHOWN_MAX);
  const shown = [...rows].reverse();
  return chart({
    title: say("chart.measured.title"), note: say("chart.measured.note"),
    height: 70 + ROW_PX * shown.length,
    make: (colours) => ({
      traces: [
        { type: "scatter", mode: "markers", name: say("chart.expected"), y: shown.map((_, at) => at), x: shown.map(() => 0),
          error_x: { type: "constant", value: NORMAL_95, color: colours.quiet, thickness: 8, width: 0 },
          marker: { color: colours.quiet, symbol: "line-ns-open", size: 12, line: { width: 2 } },
          text: shown.map((one) => inUnits(one).expected), hovertemplate: `%{text}<extra>${say("chart.expected")}</extra>`, opacity: 0.45 },
        { type: "scatter", mode: "markers", name: say("chart.observed"), y: shown.map((_, at) => at), x: shown.map((one) => one.z),
          marker: { size: 11, color: shown.map((one) => (Math.abs(one.z) > 3 ? colours.bad : colours.accent)),
            symbol: shown.map((one) => (Math.abs(one.z) > 3 ? "diamond" : "circle")) },
          text: shown.map((one) => say("cause.of", { what: labelOf(one), of: inUnits(one).observed })), hovertemplate: `%{text}<extra>${say("chart.observed")}</extra>` },
      ],
      layout: {
        xaxis: { title: { text: say("chart.measured.axis") }, zeroline: true },
        yaxis: { tickvals: shown.map((_, at) => at), ticktext: shown.map(labelOf), range: [-0.7, shown.length - 0.3] },
      },
    }),
    columns: [
      { title: say("measured.what"), cell: labelOf },
      { title: say("chart.expected"), number: true, cell: (one) => inUnits(one).expected },
      { title: say("chart.observed"), number: true, cell: (one) => inUnits(one).observed },
      { title: say("measured.difference"), number: true, cell: differenceOf },
      { title: say("measured.z"), number: true, cell: (one) => number(one.z, null, 3) },
    ],
    rows, source,
  });
}

/* What each measurement adds to the evidence for what is named, in powers of ten. */
function contribution(evidence, source) {
  const rows = evidence.filter((one) => one.ln_ratio).sort((a, b) => Math.abs(b.ln_ratio) - Math.abs(a.ln_ratio)).slice(0, SHOWN_MAX);
  const shown = [...rows].reverse();
  return chart({
    title: say("chart.contribution.title"), note: say("chart.contribution.note"),
    height: 70 + ROW_PX * shown.length,
    make: (colours) => ({
      traces: [{
        type: "bar", orientation: "h", name: say("chart.contribution.axis"), y: shown.map((_, at) => at), x: shown.map((one) => one.ln_ratio / LN10),
        marker: { color: shown.map((one) => (one.ln_ratio > 0 ? colours.copper : colours.quiet)) },
        text: shown.map(labelOf), textposition: "none", hovertemplate: "%{text}: %{x:.2f}<extra></extra>",
      }],
      layout: {
        xaxis: { title: { text: say("chart.contribution.axis") } },
        yaxis: { tickvals: shown.map((_, at) => at), ticktext: shown.map(labelOf) },
      },
    }),
    columns: [
      { title: say("measured.what"), cell: labelOf },
      { title: say("chart.contribution.axis"), number: true, cell: (one) => number(one.ln_ratio / LN10, null, 3) },
      { title: say("measured.z"), number: true, cell: (one) => number(one.z, null, 3) },
    ],
    rows, source,
  });
}

/* How probable each thing is that may have happened. */
function posterior(families, source) {
  const rows = [...families].sort((a, b) => b.probability - a.probability);
  const shown = [...rows].reverse();
  return chart({
    title: say("chart.posterior.title"), note: say("chart.posterior.note"),
    height: 70 + 30 * shown.length,
    make: (colours) => ({
      traces: [{
        type: "bar", orientation: "h", name: say("chart.posterior.axis"), y: shown.map((one) => sayOr("family.", one.family)),
        x: shown.map((one) => 100 * one.probability),
        marker: { color: shown.map((one, at) => (at === shown.length - 1 ? colours.copper : colours.quiet)) },
        hovertemplate: "%{y}: %{x:.3g} %<extra></extra>",
      }],
      layout: { xaxis: { range: [0, 100], title: { text: say("chart.posterior.axis") } }, yaxis: { type: "category" } },
    }),
    columns: [
      { title: say("chart.family"), cell: (one) => sayOr("family.", one.family) },
      { title: say("chart.posterior.axis"), number: true, cell: (one) => tiny(one.probability) },
    ],
    rows, source,
  });
}

function tiny(probability) {
  return probability > 0 && probability < 1e-5 ? `<\u00a0${percent(1e-5, 1)}` : percent(probability);
}

/* The e-value over the facts that moved it, with the limit above which an alert is open. */
function evidencePath(found, source) {
  // What people do makes versions, too; only those that changed the evidence are steps of it.
  const rows = found.versions.filter((one, at, all) => one.value > 0 && one.value !== (all[at - 1] || {}).value);
  const threshold = Math.log10(found.alert.threshold);
  const texts = rows.map((one) => factText(found.facts, one));
  const ticks = rows.map((_, at) => at + 1);
  return chart({
    title: say("chart.evidence.title"), note: [say("chart.evidence.note"), " ", basisOf(found.alert.threshold_basis)],
    height: 300,
    make: (colours) => ({
      traces: [
        // Before any fact nothing speaks for or against: E is one.
        { type: "scatter", mode: "lines+markers", name: "E", x: [0, ...ticks], y: [0, ...rows.map((one) => Math.log10(one.value))],
          line: { shape: "hv", color: colours.accent, width: 3 }, marker: { size: 9 },
          text: [say("chart.evidence.before"), ...texts], hovertemplate: "%{text}: 10^%{y:.1f}<extra></extra>" },
        { type: "scatter", mode: "lines", name: say("chart.threshold"), x: [0, Math.max(1, rows.length) + 0.4], y: [threshold, threshold],
          line: { color: colours.bad, width: 2, dash: "dash" }, hovertemplate: `${say("chart.threshold")}: 10^%{y:.1f}<extra></extra>` },
      ],
      layout: {
        showlegend: true, margin: { l: 8, r: 12, t: 34, b: 40 },
        legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 },
        xaxis: { tickvals: [0, ...ticks], ticktext: [say("chart.evidence.before"), ...rows.map((one) => time(one.raised_at, language()))] },
        yaxis: { title: { text: say("chart.evidence.axis") } },
      },
    }),
    columns: [
      { title: say("version.no"), number: true, cell: (one) => one.version },
      { title: say("chart.evidence.fact"), cell: (one) => factText(found.facts, one) },
      { title: say("chart.evidence.known"), cell: (one) => time(one.raised_at, language()) },
      { title: say("chart.evidence.axis"), number: true, cell: (one) => number(Math.log10(one.value), null, 3) },
      { title: say("chart.threshold"), number: true, cell: (one) => number(Math.log10(one.threshold), null, 3) },
    ],
    rows, source,
  });
}

function factText(facts, version) {
  const fact = facts.find((one) => one.event_id === version.raised_by_event_id);
  return fact ? `${sayOr("fact.", fact.event_type)}${fact.document_no ? ` ${fact.document_no}` : ""}, ${fact.site_id}` : version.raised_by_event_id;
}
