/* Handover: what opened, changed and stays open between two times, by whom; one printable page. */

import { sizeText, stakeText } from "./alert_named.js";
import { alertLink } from "./alert_table.js";
import { ranked } from "./alerts.js";
import { severityBadge, stateBadge } from "./badges.js";
import { causeOf } from "./cause.js";
import { el, fill, panel } from "./dom.js";
import { heldTable } from "./held.js";
import { idLink, subjectLink } from "./links.js";
import { count, time } from "./numbers.js";
import { getJson, session } from "./session.js";
import { table, withQuery } from "./table.js";
import { trouble } from "./trouble.js";
import { byPerson, shortly } from "./why.js";
import { language, say, sayOr } from "./words.js";

const SHIFT_MS = 8 * 3_600_000;

export async function show(main, { query }) {
  const until = query.get("until") || minute(Date.now());
  const since = query.get("since") || minute(new Date(until).getTime() - SHIFT_MS);
  // The address says the times, so that it shows the same to whoever gets it.
  const address = withQuery("/handover", { since, until });
  history.replaceState(null, "", address);
  const source = withQuery("/api/handover", { since, until });
  const place = el("div");
  fill(main, el("h1", {}, say("title.handover")), form(since, until), place);
  try {
    fill(place, page(await getJson(source), source));
  } catch (error) {
    fill(place, el("div", { class: "panel" }, trouble(error, () => location.reload())));
  }
}

function minute(at) {
  return `${new Date(at).toISOString().slice(0, 16)}:00Z`;
}

function form(since, until) {
  const field = (name, word, value) => el("div", {}, el("label", { for: name }, say(word)),
    el("input", { id: name, type: "datetime-local", value: value.slice(0, 16), required: true }));
  const made = el("form", { class: "panel row actions" }, field("since", "handover.since", since), field("until", "handover.until", until),
    el("button", { class: "main" }, say("handover.show")), el("button", { type: "button", onclick: () => print() }, say("handover.print")));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(withQuery("/handover", {
      since: `${made.querySelector("#since").value}:00Z`, until: `${made.querySelector("#until").value}:00Z` }));
  });
  return made;
}

function page(found, source) {
  // Raised, or open again: by a person, by the end of shelving, by new evidence.
  const opened = found.changes.filter((one) => one.state === "open" && one.before !== "open");
  const changed = found.changes.filter((one) => !opened.includes(one));
  const standing = ranked(found.standing);
  const of = (name) => withQuery(source, { table: name });
  return [
    el("p", {}, say("handover.span", { since: time(found.since, language()), until: time(found.until, language()) }), " ",
      say("handover.by", { user: session.user, complete: time(session.completeTo, language()) })),
    el("dl", { class: "figures panel" }, [["handover.opened", opened], ["handover.changed", changed], ["handover.standing", standing], ["handover.held", found.holds]].map(([word, rows]) =>
      el("div", {}, el("dt", {}, say(word)), el("dd", {}, count(rows.length))))),
    panel(say("handover.standing"), standingTable(standing, of("standing"))),
    panel(say("handover.held"), heldTable(found.holds, of("holds"))),
    panel(say("handover.opened"), changeTable(opened, found.retracted_by, of("changes"))),
    panel(say("handover.changed"), changeTable(changed, found.retracted_by, of("changes"))),
    panel(say("handover.deeds"), deedTable(found.deeds, of("deeds"))),
  ];
}

/* An alert by its name; by its id where nothing is stored of it. */
function named(row) {
  return row.rule ? alertLink(row) : idLink("alert", row.alert_id);
}

/* To whom an alert was given by a change, if by it. */
function givenTo(row) {
  if ((row.assignee || "") === (row.assignee_before || "")) return null;
  return el("span", { class: "why" }, row.assignee ? say("timeline.assigned", { who: row.assignee }) : say("timeline.unassigned"));
}

function standingTable(rows, source) {
  return table([
    { title: say("alerts.severity"), cell: (row) => severityBadge(row.severity) },
    { title: say("alerts.what"), cell: alertLink },
    { title: say("alerts.about"), cell: (row) => subjectLink(row.subject) },
    { title: say("alerts.size"), number: true, cell: sizeText },
    { title: say("alerts.stake"), number: true, cell: stakeText },
    { title: say("alerts.state"), cell: (row) => [stateBadge(row.state), row.until ? el("span", { class: "why" }, say("timeline.until", { until: time(row.until, language()) })) : null] },
    { title: say("act.assignee"), cell: (row) => row.assignee },
  ], rows, { label: say("handover.standing"), source, empty: say("handover.none.standing") });
}

function whyOfChange(row, causes) {
  if (row.actor) return byPerson(row);
  return row.state === "retracted" ? causeOf(row, causes) : shortly(row);
}

function changeTable(rows, causes, source) {
  return table([
    { title: say("timeline.at"), cell: (row) => time(row.said_at, language()) },
    { title: say("alerts.severity"), cell: (row) => severityBadge(row.severity) },
    { title: say("alerts.what"), cell: alertLink },
    { title: say("alerts.about"), cell: (row) => subjectLink(row.subject) },
    { title: say("alerts.state"), cell: (row) => [stateBadge(row.state), givenTo(row), row.resolution ? el("span", { class: "why" }, sayOr("resolution.", row.resolution)) : null] },
    { title: say("timeline.who"), cell: (row) => row.actor || say("timeline.system") },
    { title: say("act.reason"), cell: (row) => whyOfChange(row, causes) },
  ], rows, { label: say("handover.changed"), source, empty: say("handover.none") });
}

function deedTable(rows, source) {
  return table([
    { title: say("timeline.at"), cell: (row) => time(row.recorded_at, language()) },
    { title: say("timeline.who"), cell: (row) => row.actor },
    { title: say("timeline.what"), cell: (row) => sayOr("act.", row.action) },
    { title: say("alerts.about"), cell: (row) => [row.alert_id ? [named(row), " "] : null, subjectLink(row.subject), row.movement_id ? el("span", { class: "why" }, row.movement_id) : null] },
    { title: say("act.reason"), cell: (row) => row.reason },
  ], rows, { label: say("handover.deeds"), source, empty: say("handover.none") });
}
