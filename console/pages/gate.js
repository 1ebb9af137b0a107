/* Whether a lot may go, as the gate is told, and what a person can do about it. */

import { outcomePlace } from "./alert_actions.js";
import { el, fill } from "./dom.js";
import { holdActions } from "./hold_actions.js";
import { on } from "./live.js";
import { time } from "./numbers.js";
import { getJson, may } from "./session.js";
import { whyUnknown } from "./worded.js";
import { language, say, sayOr } from "./words.js";

const PAUSE_MS = 200;

/* The gate of a lot. `load()` asks and draws; `begin(status)` draws what a page has been told with
   all else, unless more is known already. What people do with the lot is heard as it happens. */
export function gate(lotId) {
  const said = el("div"), acts = el("div");
  const made = el("div", { class: "gates" }, said, acts), outcome = outcomePlace();
  let [asked, offered, due] = [0, "", null];

  const show = (status) => {
    fill(said, standing(status));
    const next = JSON.stringify(status.holds.map((one) => one.hold_id));
    // Whoever is writing goes on writing, and what was said of the last action stays.
    if (!may("act") || next === offered || acts.querySelector("form.act:not(:empty)")) return;
    fill(acts, holdActions(lotId, status.holds, made.load, outcome));
    offered = next;
  };
  made.begin = (status) => {
    if (asked) made.load();
    else show(status);
  };
  made.load = async () => {
    const number = (asked += 1);
    const status = await getJson(`/v1/lots/${encodeURIComponent(lotId)}/status`).catch(() => null);
    // An answer that a later question has overtaken may say what is past.
    if (status && number === asked) show(status);
  };
  const soon = () => { due = due || setTimeout(() => { due = null; made.load(); }, PAUSE_MS); };
  on("action", (done) => { if (done.subject === `lot/${lotId}`) soon(); });
  on("hello", soon);
  return made;
}

/* Held or not, why not known, and each hold by whom, since when and why. */
function standing(status) {
  return [el("p", {}, el("strong", { class: `gate ${status.status}` }, sayOr("gate.", status.status)),
    status.why ? el("span", { class: "why" }, whyUnknown(status.why)) : null),
  status.holds.map((hold) => el("p", {}, say("lot.held", {
    actor: hold.actor, since: time(hold.since, language()), reason: hold.reason || "–",
    what: hold.movement_id || say("lot.all") })))];
}
