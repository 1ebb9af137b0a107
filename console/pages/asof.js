/* The time a page is about: now, or any other, by what was known at another. */

import { el } from "./dom.js";
import { withQuery } from "./table.js";
import { time } from "./numbers.js";
import { language, say } from "./words.js";

/* What is typed into a field of a time, UTC, as RFC 3339. */
export function typed(field) {
  return field.value ? `${field.value.length === 16 ? `${field.value}:00` : field.value}Z` : null;
}

/* A time as the console takes it, UTC where it says no offset, as the value of such a field; empty where
   it is none. */
export function inField(text) {
  const at = new Date(/^\d{4}-\d\d-\d\d$|Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 19);
}

function field(name, query) {
  const id = `asof-${name}`;
  const made = el("input", { id, name, type: "datetime-local", step: 1, value: inField(query.get(name) || "") });
  return [el("p", {}, el("label", { for: id }, say(`asof.${name}`)), made), made];
}

/* A form that goes to the same page as of another time; unfolded where there is one. */
export function asOf(query) {
  const [at, atField] = field("at", query);
  const [known, knownField] = field("known", query);
  const named = query.get("at") || query.get("known");
  // The address at that moment: what was chosen on the page is in it.
  const go = (values) => location.assign(withQuery(location.pathname + location.search, values));
  const form = el("form", { class: "row", onsubmit: (event) => {
    event.preventDefault();
    go({ at: typed(atField), known: typed(knownField) });
  } }, at, known, el("p", {}, el("button", { class: "main" }, say("asof.show"))),
  named ? el("p", {}, el("button", { type: "button", onclick: () => go({ at: null, known: null }) }, say("asof.now"))) : null);
  return el("details", { class: "asof", open: Boolean(named) },
    el("summary", {}, named ? said(query) : say("asof.title")), form);
}

function said(query) {
  const [at, known] = ["at", "known"].map((name) => query.get(name));
  const parts = [at ? say("asof.said.at", { time: time(at, language()) }) : say("asof.said.now")];
  if (known) parts.push(say("asof.said.known", { time: time(known, language()) }));
  return parts.join(", ");
}

export function isNow(query) { return !query.get("at") && !query.get("known"); }
