/* The lists of a handover: a line of each is one row, or all rows of one cause. */

import { nameOf, sizeText, stakeText } from "./alert_named.js";
import { alertLink, severities } from "./alert_table.js";
import { severityBadge, stateBadge } from "./badges.js";
import { causeOf } from "./cause.js";
import { el } from "./dom.js";
import { holdColumns } from "./held.js";
import { idLink, subjectLink } from "./links.js";
import { count, time } from "./numbers.js";
import { table } from "./table.js";
import { byPerson, shortly } from "./why.js";
import { language, say, sayOr } from "./words.js";

const NAMED = 3;

/* Their columns by name; `causes` are what retractions name, `whole` the address of the whole list. */
const COLUMNS = { standing, held: () => holdColumns().map(ofRow), deeds, changed: changes, opened: changes };

const EMPTY = { standing: "handover.none.standing", held: "held.none" };

/* What a cell says, which paper cuts at two lines; a table puts a dash for nothing. */
function cut(content) {
  return content === null || content === undefined || content === "" ? null : el("div", { class: "cut" }, content);
}

/* A list as a table. lines: [{row} or {rows}]; more: how many rows are in the whole list alone; leftOut: how
   many are not in it either. */
export function listOf(name, { lines, more, leftOut }, { causes, whole, source }) {
  const columns = COLUMNS[name](causes, whole).map((one) => ({ ...one, cell: (line) => cut(one.cell(line)) }));
  const options = { label: say(`handover.${name}`), source, empty: say(EMPTY[name] || "handover.none") };
  return [table(columns, lines, options),
    more ? el("p", { class: "note" }, say("handover.more", { count: count(more) }), " ", el("a", { href: whole }, say("handover.whole"))) : null,
    leftOut ? el("p", { class: "note" }, say("table.left_out", { count: count(leftOut) })) : null];
}

/* A column that tells of one row, where a line is never more. */
function ofRow(column) { return { ...column, cell: (line) => column.cell(line.row) }; }

/* A cell of one row, or of many: what `each` says of them, every answer once. */
function cells(one, many) { return (line) => (line.row ? one(line.row) : many(line.rows)); }

function once(rows, of) { return [...new Set(rows.map(of).filter(Boolean))]; }

function named(name, rows, whole) {
  const instruments = once(rows, (row) => (row.instruments || []).join(", ")).slice(0, NAMED).join("; ");
  return [el("a", { href: whole, class: "what" }, name), instruments ? el("span", { class: "why" }, instruments) : null];
}

/* The first things of many, and of how many they are. */
function subjects(rows) {
  const all = once(rows, (row) => row.subject);
  const shown = all.slice(0, NAMED).flatMap((one) => [subjectLink(one), " "]);
  return all.length > NAMED ? [...shown, say("handover.of", { count: count(all.length) })] : shown;
}

function states(rows) { return once(rows, (row) => row.state).flatMap((one) => [stateBadge(one), " "]); }

function severityColumn() {
  return { title: say("alerts.severity"), cell: cells((row) => severityBadge(row.severity), severities) };
}

function aboutColumn() { return { title: say("alerts.about"), cell: cells((row) => subjectLink(row.subject), subjects) }; }

function whatColumn(whole) {
  return { title: say("alerts.what"), cell: cells(alertLink, (rows) => named(nameOf(rows[0]), rows, whole)) };
}

/* A figure that may break before its uncertainty, and nowhere else. */
function inTwo(text) { return text && text.replace("\u00a0±", " ±"); }

function standing(causes, whole) {
  const until = (row) => (row.until ? el("span", { class: "why" }, say("timeline.until", { until: time(row.until, language()) })) : null);
  const by = (row) => (row.brought_by ? el("span", { class: "why" }, say("handover.brought_by", { who: row.brought_by })) : null);
  return [severityColumn(), whatColumn(whole), aboutColumn(),
    { title: say("alerts.size"), number: true, cell: cells((row) => inTwo(sizeText(row)), () => null) },
    { title: say("alerts.stake"), number: true, cell: cells(stakeText, () => null) },
    { title: say("alerts.state"), cell: cells((row) => [stateBadge(row.state), by(row), until(row)], states) },
    { title: say("act.assignee"), cell: cells((row) => row.assignee, (rows) => once(rows, (row) => row.assignee).join(", ")) },
  ];
}

/* To whom an alert was given by a change, if by it. */
function givenTo(row) {
  if ((row.assignee || "") === (row.assignee_before || "")) return null;
  return el("span", { class: "why" }, row.assignee ? say("timeline.assigned", { who: row.assignee }) : say("timeline.unassigned"));
}

function became(row) {
  return [givenTo(row), row.resolution ? el("span", { class: "why" }, sayOr("resolution.", row.resolution)) : null];
}

function whyOfChange(row, causes) {
  if (row.actor) return byPerson(row);
  return row.state === "retracted" ? causeOf(row, causes) : shortly(row);
}

function changes(causes, whole) {
  const first = (rows) => rows.map((row) => row.said_at).reduce((a, b) => (a < b ? a : b));
  const who = (row) => row.actor || say("timeline.system");
  return [
    { title: say("timeline.at"), cell: cells((row) => time(row.said_at, language()), (rows) => say("alerts.group.since", { since: time(first(rows), language()) })) },
    severityColumn(), whatColumn(whole), aboutColumn(),
    { title: say("alerts.state"), cell: cells((row) => [stateBadge(row.state), became(row)], (rows) => [stateBadge(rows[0].state), became(rows[0])]) },
    { title: say("timeline.who"), cell: cells(who, (rows) => who(rows[0])) },
    { title: say("act.reason"), cell: cells((row) => whyOfChange(row, causes), (rows) => reasonOfMany(rows, causes)) },
  ];
}

/* One reason where all have it; else the page of the whole list says each. */
function reasonOfMany(rows, causes) {
  const same = once(rows, (row) => row.cause || row.reason).length === 1;
  return same ? whyOfChange(rows[0], causes) : say("handover.several");
}

function deeds() {
  // An alert by its name; by its id where nothing is stored of it.
  const alert = (row) => (row.rule ? alertLink(row) : idLink("alert", row.alert_id));
  return [
    { title: say("timeline.at"), cell: (row) => time(row.recorded_at, language()) },
    { title: say("timeline.who"), cell: (row) => row.actor },
    { title: say("timeline.what"), cell: (row) => sayOr("act.", row.action) },
    { title: say("alerts.about"), cell: (row) => [row.alert_id ? [alert(row), " "] : null, subjectLink(row.subject), row.movement_id ? el("span", { class: "why" }, row.movement_id) : null] },
    { title: say("act.reason"), cell: (row) => row.reason },
  ].map(ofRow);
}
