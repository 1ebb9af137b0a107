/* What a person can do with a group of alerts at once, and what came of each of them. */

import { FROM, fields, newKey, valuesOf } from "./alert_actions.js";
import { nameOf } from "./alert_named.js";
import { stateBadge } from "./badges.js";
import { el, fill } from "./dom.js";
import { idOf, pageOf } from "./links.js";
import { count } from "./numbers.js";
import { may, postJson } from "./session.js";
import { trouble } from "./trouble.js";
import { byPerson } from "./why.js";
import { inEnglish } from "./worded.js";
import { say } from "./words.js";

/* So many in one request; console/group_actions.py takes no more. */
const AT_ONCE = 500;
const ACTIONS = ["acknowledge", "shelve"];

/* Where it is said what came of it: the group may be gone from the list by then. */
export const outcome = el("div", { class: "outcome", role: "status" });

const kept = new Map();

/* The actions on a group; one element as long as the page is there, so that whoever is writing goes
   on while the list is drawn anew. done() is called when something was taken. */
export function groupActions(group, done) {
  if (!may("act")) return null;
  if (!kept.has(group.key)) kept.set(group.key, made(done));
  const actions = kept.get(group.key);
  actions.hold(group.alerts);
  return actions;
}

function made(done) {
  const form = el("form", { class: "act" });
  const buttons = ACTIONS.map((action) => el("button", { type: "button", "aria-pressed": "false",
    "data-group-action": action, onclick: () => choose(action) }));
  const element = el("div", { class: "actions" }, el("div", { class: "row" }, buttons), form);
  let [alerts, chosen] = [[], ""];
  const those = (action) => alerts.filter((alert) => FROM[action].includes(alert.state));
  element.hold = (now) => {
    alerts = now;
    ACTIONS.forEach((action, at) => {
      const many = those(action).length;
      buttons[at].textContent = say(`act.${action}.many`, { count: count(many) });
      buttons[at].hidden = !many;
    });
    const sends = form.querySelector("button:not(:disabled)");
    if (sends) sends.textContent = say(`act.${chosen}.many`, { count: count(those(chosen).length) });
  };
  function choose(action) {
    chosen = action;
    buttons.forEach((one, at) => one.setAttribute("aria-pressed", String(ACTIONS[at] === action)));
    const send = el("button", { class: "main" }, say(`act.${action}.many`, { count: count(those(action).length) }));
    fill(form, fields(action), el("p", {}, send));
    const gone = new Set();
    let key = newKey();
    form.onsubmit = async (event) => {
      event.preventDefault();
      send.disabled = true;
      const wanted = those(action).filter((alert) => !gone.has(alert.alert_id));
      const results = await sendAll(wanted, { action, ...valuesOf(form) }, key);
      send.disabled = false;
      if (!results) return;
      // What was refused can be mended and sent again, as something else than what was taken.
      results.filter(isSent).forEach((one) => gone.add(one.alert_id));
      key = newKey();
      if (!results.some(isRefused)) {
        fill(form);
        buttons.forEach((one) => one.setAttribute("aria-pressed", "false"));
      }
      done();
    };
    form.querySelector("input, select, textarea, button").focus();
  }
  return element;
}

/* Send one part after the other; what came of each, or null where one part did not go through: the
   same form sends it again, and what was taken already is not taken twice. */
async function sendAll(alerts, body, key) {
  const results = [];
  for (let from = 0; from < alerts.length; from += AT_ONCE) {
    fill(outcome, el("p", {}, say("act.many.sending", { done: count(from), all: count(alerts.length) })));
    const part = alerts.slice(from, from + AT_ONCE).map(({ alert_id, version }) => ({ alert_id, version }));
    try {
      const answer = await postJson("/api/alerts/actions", { ...body, alerts: part }, { "Idempotency-Key": key });
      results.push(...answer.results);
    } catch (error) {
      fill(outcome, told(results, alerts), trouble(error));
      return null;
    }
  }
  fill(outcome, told(results, alerts));
  return results;
}

const isSent = (one) => one.result === "taken" || one.result === "on its way";
const isRefused = (one) => one.result === "refused";

/* How many were taken, and each that was not, by name. */
function told(results, alerts) {
  const of = new Map(alerts.map((alert) => [alert.alert_id, alert]));
  const those = (result) => results.filter((one) => one.result === result);
  const away = results.filter((one) => !isSent(one));
  return [
    those("taken").length ? el("p", { class: "good" }, say("act.many.taken", { count: count(those("taken").length) })) : null,
    those("on its way").length ? el("p", {}, say("act.many.on_its_way", { count: count(those("on its way").length) })) : null,
    away.length ? el("div", { class: "trouble", role: "alert" },
      el("strong", {}, say("act.many.not_taken", { count: count(away.length) })),
      isOfAll(results) ? refusal(results[0].detail) : el("ul", {}, away.map((one) => el("li", {}, notTaken(one, of.get(one.alert_id)))))) : null,
  ];
}

/* Whether all were refused for the same: it is the form that is wrong, and none of them. */
function isOfAll(results) { return results.every((one) => isRefused(one) && one.detail === results[0].detail); }

function refusal(detail) { return el("p", {}, say("problem.refused"), " ", say("trouble.server"), " ", inEnglish(detail)); }

function notTaken(one, alert) {
  const link = el("a", { href: pageOf("alert", one.alert_id) }, `${nameOf(alert)} · ${idOf(alert.subject)}`);
  if (!one.present) return [link, " ", one.detail ? inEnglish(one.detail) : say(`act.many.${one.result}`)];
  const last = one.present.last_action;
  return [link, " ", stateBadge(one.present.state), " ",
    last ? say("act.conflict.who", { actor: last.actor }) : say("act.conflict.system"),
    last && last.reason ? el("span", { class: "why" }, byPerson(last)) : null];
}
