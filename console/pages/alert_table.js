/* The list of alerts, and groups of them where there are many. */

import { nameOf, sinceText, sizeText, stakeText } from "./alert_named.js";
import { FOLD_FROM, countsOf, folded, sinceOf, surenessOf } from "./alerts.js";
import { severityBadge, stateBadge } from "./badges.js";
import { el } from "./dom.js";
import { idLink, pageOf, subjectLink } from "./links.js";
import { count, sureness } from "./numbers.js";
import { downloads, table } from "./table.js";
import { shortly } from "./why.js";
import { say } from "./words.js";

export function alertLink(alert) {
  return el("a", { href: pageOf("alert", alert.alert_id), class: "what" }, nameOf(alert));
}

function what(alert) {
  return [alertLink(alert), shortly(alert)];
}

function about(alert) {
  return [subjectLink(alert.subject), alert.movement_id ? el("span", { class: "why" }, idLink("movement", alert.movement_id)) : null];
}

function who(alert) {
  return [stateBadge(alert.state), alert.assignee ? el("span", { class: "why" }, alert.assignee) : null];
}

export function columns() {
  return [
    { title: say("alerts.severity"), cell: (alert) => severityBadge(alert.severity) },
    { title: say("alerts.what"), cell: what },
    { title: say("alerts.about"), cell: about },
    { title: say("alerts.size"), cell: sizeText, number: true },
    { title: say("alerts.stake"), cell: stakeText, number: true },
    { title: say("alerts.sure"), cell: (alert) => percentOrCertain(alert), number: true },
    { title: say("alerts.since"), cell: sinceText },
    { title: say("alerts.state"), cell: who },
  ];
}

function percentOrCertain(alert) {
  const sure = surenessOf(alert);
  if (sure === null) return alert.statistic === "rule" ? say("alerts.certain") : null;
  return sureness(sure);
}

const SOURCE = "/api/alerts";

/* The list; folded by cause where it is long. `opened` holds the keys of groups that are unfolded,
   `toggled(key)` is told of a change, and `acts(group)` gives what can be done with all of one. */
export function alertList(alerts, empty, { opened = new Set(), toggled = () => {}, acts = () => null } = {}) {
  const rows = (some, options) => table(columns(), some, {
    label: say("alerts.list"), cards: true, rowClass: (alert) => `is-${alert.severity}`, ...options });
  if (alerts.length < FOLD_FROM) return el("div", { class: "alerts" }, rows(alerts, { source: SOURCE, empty }));
  return el("div", { class: "alerts" },
    folded(alerts).map((level) => [level.alerts.length ? rows(level.alerts) : null,
      level.groups.map((group) => groupOf(group, { opened, toggled, acts }))]),
    downloads(SOURCE, say("alerts.list")));
}

const SHOWN_MAX = 100;

/* How many of each severity: one critical among hundreds is not to be overlooked. */
export function severities(alerts) {
  const counts = Object.entries(countsOf(alerts)).filter(([, many]) => many);
  return counts.map(([severity, many]) => [severityBadge(severity), el("strong", { class: "count" }, count(many))]);
}

function groupOf(group, { opened, toggled, acts }) {
  const open = opened.has(group.key);
  const worst = group.alerts[0];
  const made = el("details", { class: `group is-${worst.severity}`, open },
    el("summary", { "data-key": group.key }, severities(group.alerts),
      el("span", { class: "what" }, nameOf(worst)),
      group.instruments ? el("span", { class: "why" }, group.instruments) : null,
      el("span", { class: "why" }, say("alerts.group.since", { since: sinceText(oldest(group.alerts)) }))));
  const unfold = () => made.append(acts(group) || "", table(columns(), group.alerts.slice(0, SHOWN_MAX), {
    label: nameOf(worst), cards: true, rowClass: (alert) => `is-${alert.severity}` }),
  group.alerts.length > SHOWN_MAX ? el("p", { class: "note" },
    say("alerts.group.more", { shown: SHOWN_MAX, all: group.alerts.length })) : "");
  // The rows of a folded group are not made: a thousand of them would hold up who types.
  if (open) unfold();
  made.addEventListener("toggle", () => {
    if (made.open === opened.has(group.key)) return;
    if (made.open && made.childElementCount === 1) unfold();
    toggled(group.key, made.open);
  });
  return made;
}

function oldest(alerts) {
  return alerts.reduce((first, one) => (new Date(sinceOf(one)) < new Date(sinceOf(first)) ? one : first));
}
