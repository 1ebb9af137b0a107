/* What tests say of a thing: its alerts, each with what was expected and what was seen. */

import { nameOf } from "./alert_named.js";
import { sinceOf } from "./alerts.js";
import { severityBadge, stateBadge } from "./badges.js";
import { el } from "./dom.js";
import { pageOf } from "./links.js";
import { number, quantity, time } from "./numbers.js";
import { table } from "./table.js";
import { whyBlock } from "./why.js";
import { language, say } from "./words.js";

/* alerts: rows with `evidence`, open ones first. */
export function evidenceList(alerts) {
  if (!alerts.length) return el("p", { class: "quiet" }, say("findings.none"));
  return alerts.map((alert) => el("details", { class: `group is-${alert.severity}`, open: alert.state === "open" },
    el("summary", {}, severityBadge(alert.severity), el("span", { class: "what" }, nameOf(alert)),
      stateBadge(alert.state), el("span", { class: "why" }, time(sinceOf(alert), language()))),
    el("p", {}, whyBlock(alert, alert.reason, alert.evidence), " ", el("a", { href: pageOf("alert", alert.alert_id) }, say("findings.open"))),
    alert.evidence.length ? evidence(alert) : null));
}

const unitOf = (row) => (row.unit === "1" ? "" : row.unit);

function evidence(alert) {
  return table([
    { title: say("findings.of"), cell: (row) => [row.quantity, row.analyte].filter(Boolean).join(" ").replaceAll("_", " ") },
    { title: say("findings.expected"), number: true, cell: (row) => `${number(row.expected, row.u)} ${unitOf(row)}` },
    { title: say("findings.observed"), number: true, cell: (row) => quantity(row.observed, row.u, unitOf(row)) },
    { title: "z", number: true, cell: (row) => number(row.z, null, 3) },
  ], alert.evidence.slice(0, 40), { label: nameOf(alert) });
}
