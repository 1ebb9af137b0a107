/* What tests say of a thing: its alerts, each with what was expected and what was seen. */

import { nameOf, sinceText } from "./alert_named.js";
import { severityBadge, stateBadge } from "./badges.js";
import { el } from "./dom.js";
import { evidenceTable } from "./evidence_table.js";
import { pageOf } from "./links.js";
import { whyBlock } from "./why.js";
import { say } from "./words.js";

/* alerts: rows with `evidence`, open ones first. */
export function evidenceList(alerts) {
  if (!alerts.length) return el("p", { class: "quiet" }, say("findings.none"));
  return alerts.map((alert) => el("details", { class: `group is-${alert.severity}`, open: alert.state === "open" },
    el("summary", {}, severityBadge(alert.severity), el("span", { class: "what" }, nameOf(alert)),
      stateBadge(alert.state), el("span", { class: "why" }, sinceText(alert))),
    el("p", {}, whyBlock(alert, alert.reason, alert.evidence), " ", el("a", { href: pageOf("alert", alert.alert_id) }, say("findings.open"))),
    alert.evidence.length ? evidenceTable(alert.evidence, { label: nameOf(alert) }) : null));
}
