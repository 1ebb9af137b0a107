/* What a person can do with an alert, and what came of it. */

import { stateBadge } from "./badges.js";
import { el, fill } from "./dom.js";
import { time } from "./numbers.js";
import { getJson, may, postJson, session } from "./session.js";
import { trouble } from "./trouble.js";
import { byPerson } from "./why.js";
import { language, say, sayOr } from "./words.js";

/* From which states an action leads anywhere: the table of docs/alert-lifecycle.md. */
export const FROM = {
  acknowledge: ["open", "shelved"],
  assign: ["open", "acknowledged", "shelved"],
  comment: ["open", "acknowledged", "shelved", "resolved", "retracted"],
  shelve: ["open", "acknowledged", "shelved"],
  resolve: ["open", "acknowledged", "shelved"],
  reopen: ["acknowledged", "shelved", "resolved"],
};
const RESOLUTIONS = ["confirmed_fraud", "measurement_error", "explained", "false_alarm"];

/* Where it is said what came of an action. A page has one for as long as it is open, however often the
   buttons above it are made anew: an answer that is still on its way finds it. */
export function outcomePlace() { return el("div", { class: "outcome", role: "status" }); }

/* done() is called when something was taken: the page loads anew. */
export function alertActions(alert, done, outcome) {
  if (!may("act")) return el("p", { class: "quiet" }, say("act.not_allowed"));
  const form = el("form", { class: "act" });
  const buttons = Object.keys(FROM).filter((action) => FROM[action].includes(alert.state)).map((action) =>
    el("button", { type: "button", "aria-pressed": "false", "data-action": action,
      onclick: (event) => choose(action, event.currentTarget) }, say(`act.${action}`)));
  function choose(action, button) {
    buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    fill(outcome);
    fill(form, fields(action), el("p", {}, el("button", { class: "main" }, say(`act.${action}.do`))));
    // One key for one action: pressed twice it is done once.
    const key = newKey();
    form.onsubmit = (event) => {
      event.preventDefault();
      send(`/api/alerts/${encodeURIComponent(alert.alert_id)}/actions`, { action, version: alert.version, ...valuesOf(form) }, key, outcome, form, done);
    };
    form.querySelector("input, select, textarea, button").focus();
  }
  return el("div", { class: "actions" }, el("div", { class: "row" }, buttons), form, outcome);
}

export function field(id, word, input, hint) {
  input.id = `act-${id}`;
  input.name = id;
  return el("p", {}, el("label", { for: input.id }, say(word)), input, hint ? el("span", { class: "why" }, hint) : null);
}

function reason(required) {
  return field("reason", required ? "act.reason" : "act.reason.may", el("textarea", { rows: 2, maxlength: 1000, required }));
}

export function fields(action) {
  switch (action) {
    case "assign": return [field("assignee", "act.assignee", people()), reason(false)];
    case "comment": return [reason(true)];
    case "shelve": return [field("until", "act.until", el("input", { type: "datetime-local", required: true, value: inHours(8), min: inHours(0), max: inHours(24 * 90) }), say("act.until.hint")), reason(true)];
    case "resolve": return [field("resolution", "act.resolution", el("select", { required: true },
      el("option", { value: "" }, say("act.resolution.choose")), RESOLUTIONS.map((one) => el("option", { value: one }, sayOr("resolution.", one))))), reason(true)];
    case "hold":
    case "release": return [reason(true)];
    default: return [reason(false)];
  }
}

/* Whoever may act; oneself at first, and at once. */
function people() {
  const option = (name) => el("option", { value: name, selected: name === session.user }, name);
  const nobody = el("option", { value: "" }, say("act.assignee.nobody"));
  const made = el("select", {}, nobody, option(session.user));
  getJson("/api/people").then((found) => {
    const chosen = made.value;
    fill(made, nobody, found.people.map(option));
    made.value = chosen;
  }, (error) => made.after(trouble(error)));
  return made;
}

function inHours(hours) {
  return new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16);
}

/* A reason in one line: what is pasted has breaks, tabs and marks that nobody sees, and the records
   take none of them (producers.fields, plain_text). */
function inOneLine(text) {
  return text.replace(/[\s\p{Cc}\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff]+/gu, " ").trim();
}

export function valuesOf(form) {
  const values = {};
  for (const input of form.querySelectorAll("[name]")) {
    if (input.type === "checkbox") {
      if (input.checked) values[input.name] = true;
      continue;
    }
    const value = input.name === "reason" ? inOneLine(input.value) : input.value.trim();
    if (value) values[input.name] = input.name === "until" ? `${value}:00Z` : value;
  }
  return values;
}

export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function send(path, body, key, outcome, form, done) {
  const button = form.querySelector("button");
  button.disabled = true;
  fill(outcome, el("p", {}, say("act.sending")));
  try {
    const answer = await postJson(path, body, { "Idempotency-Key": key });
    fill(form);
    fill(outcome, el("p", { class: answer.status === 200 ? "good" : "" }, say(answer.status === 200 ? "act.taken" : "act.on_its_way")));
    await done();
  } catch (error) {
    button.disabled = false;
    fill(outcome, error.status === 409 && error.body.present ? conflict(error.body.present, done, form, outcome) : trouble(error));
  }
}

/* Somebody was first: who, what the alert is now, and that nothing was changed. */
function conflict(present, done, form, outcome) {
  const last = present.last_action;
  const who = last ? say("act.conflict.who", { actor: last.actor }) : say("act.conflict.system");
  return el("div", { class: "trouble conflict", role: "alert" }, el("strong", {}, say("act.conflict.title")),
    el("p", {}, who, " ", stateBadge(present.state), present.assignee ? ` · ${present.assignee}` : "",
      present.until ? ` · ${time(present.until, language())}` : ""),
    last && last.reason ? el("p", { class: "why" }, byPerson(last)) : null,
    el("p", {}, say("act.conflict.next")),
    el("p", {}, el("button", { type: "button", onclick: async () => { await done(); fill(form); fill(outcome); } }, say("act.conflict.look"))));
}
