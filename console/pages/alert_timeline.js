/* What happened, in order: facts that the alert names, its versions, what people said. */

import { nameOf } from "./alert_named.js";
import { severityBadge, stateBadge } from "./badges.js";
import { causeOf } from "./cause.js";
import { el } from "./dom.js";
import { idLink } from "./links.js";
import { number, quantity, time } from "./numbers.js";
import { table } from "./table.js";
import { isBare, versionSaid } from "./why.js";
import { language, say, sayOr } from "./words.js";

export function timeline(found) {
  const rows = [
    // Of a chart's many lots those that began it and raised it; the others stand in a table above.
    ...found.facts.filter((fact) => found.alert.lot_id || isNamed(fact, found.alert)).map((fact) => ({ at: fact.occurred_at, kind: "fact", fact })),
    ...found.versions.map((version, index) => ({ at: version.said_at, kind: "version", version, before: found.versions[index - 1] })),
    ...found.comments.map((comment) => ({ at: comment.recorded_at, kind: "comment", comment })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return table([
    { title: say("timeline.at"), cell: (row) => time(row.at, language()) },
    { title: say("timeline.what"), cell: (row) => whatOf(row, found) },
    { title: say("timeline.who"), cell: whoOf },
  ], rows, { label: say("timeline.title") });
}

function isNamed(fact, alert) {
  return fact.event_id === alert.onset_event_id || fact.event_id === alert.raised_by_event_id;
}

function whatOf(row, { alert, retracted_by: causes }) {
  if (row.kind === "comment") return [el("strong", {}, say("timeline.comment")), el("span", { class: "why" }, row.comment.reason)];
  if (row.kind === "fact") {
    const { fact } = row;
    const mark = fact.event_id === alert.onset_event_id ? say("timeline.onset")
      : fact.event_id === alert.raised_by_event_id ? say("timeline.raised") : "";
    return [el("strong", {}, sayOr("fact.", fact.event_type)), ` ${fact.kind ? sayOr("step.", fact.kind) : ""} `,
      fact.mass_kg === null || fact.mass_kg === undefined ? "" : quantity(fact.mass_kg, null, "kg"),
      mark ? el("span", { class: "mark" }, mark) : null,
      el("span", { class: "why" }, `${fact.site_id}${fact.document_no ? ` · ${fact.document_no}` : ""} · `, idLink("event", fact.event_id))];
  }
  return [changeOf(row), el("span", { class: "why" }, versionText(row, alert)),
    row.version.state === "retracted" ? el("span", { class: "why" }, causeOf(row.version, causes)) : null];
}

function changeOf({ version, before }) {
  // Of many versions the first ones are left out.
  if (!before) return el("strong", {}, say(version.version > 1 ? "timeline.changed" : "timeline.opened"));
  if (version.state !== before.state) return el("span", {}, stateBadge(version.state));
  if (version.assignee !== before.assignee) {
    return el("strong", {}, version.assignee ? say("timeline.assigned", { who: version.assignee }) : say("timeline.unassigned"));
  }
  if (version.severity !== before.severity) return severityBadge(version.severity);
  return el("strong", {}, say("timeline.changed"));
}

function versionText({ version }, alert) {
  const parts = [say("version.said", { no: version.version })];
  if (version.resolution) parts.push(sayOr("resolution.", version.resolution));
  if (version.until) parts.push(say("timeline.until", { until: time(version.until, language()) }));
  // Of a bare action the line above says what it was.
  if (version.state !== "retracted" && !isBare(version)) parts.push(versionSaid(version, alert));
  return parts.filter(Boolean).join(" · ");
}

function whoOf(row) {
  if (row.kind === "comment") return row.comment.actor;
  if (row.kind === "version") return row.version.actor || say("timeline.system");
  return null;
}

/* Versions side by side. */
export function versionTable(found, source) {
  return table([
    { title: say("version.no"), number: true, cell: (one) => one.version },
    { title: say("alerts.state"), cell: (one) => stateBadge(one.state) },
    { title: say("alerts.severity"), cell: (one) => severityBadge(one.severity) },
    { title: say("alerts.what"), cell: (one) => nameOf({ ...found.alert, family: one.family }) },
    { title: say("alerts.size"), number: true, cell: (one) => (one.size || one.size_u ? quantity(one.size, one.size_u, one.unit) : null) },
    { title: say("version.statistic"), number: true, cell: (one) => (one.value > 1e5 ? `10^${number(Math.log10(one.value), null, 3)}` : number(one.value, null, 3)) },
    { title: say("timeline.who"), cell: (one) => one.actor || say("timeline.system") },
    { title: say("version.at"), cell: (one) => time(one.said_at, language()) },
  ], found.versions, { label: say("version.title"), source: `${source}?table=versions` });
}
