/* What happens, as it happens, and whether the page may still be believed. */

import { begin, join, leave } from "./line.js";
import { loadSession, session, toLogin } from "./session.js";

const SILENT_MS = 4000;

/* How things are: `ok`, why not (parts by name), and since when nobody has said. */
export const state = { ok: null, parts: {}, heardAt: 0, sinceRecordS: null };

const listeners = {};
let startedAt = 0;

/* on("alert" | "balance" | "action" | "hello" | "health" | "state", f): f gets the event's data. */
export function on(name, listener) {
  (listeners[name] = listeners[name] || []).push(listener);
}

function tell(name, data) {
  for (const listener of listeners[name] || []) listener(data);
}

export function watch() {
  begin(take);
  document.addEventListener("visibilitychange", turn);
  if (!document.hidden) turn();
  setInterval(look, 500);
}

/* A page that nobody sees has no line. What it knew of how things are is old when somebody comes back,
   and so may be who is logged in. */
function turn() {
  if (document.hidden) {
    leave();
    return;
  }
  if (startedAt) refresh();
  Object.assign(state, { ok: null, bad: [], heardAt: 0 });
  startedAt = performance.now();
  join();
  tell("state", state);
}

function refresh() {
  const before = session.user;
  loadSession().then(() => { if (session.user !== before) location.reload(); }, () => undefined);
}

function take(name, data) {
  if (name === "health") heard(data);
  else if (name === "reset") location.reload();
  else if (name === "over") over(data.why);
  else tell(name, data);
}

/* Another tab may have begun a new session meanwhile, by the login or with a new password. */
function over(why) {
  leave();
  loadSession().then(() => location.reload(), () => toLogin(why));
}

function heard(health) {
  state.heardAt = performance.now();
  state.sinceRecordS = health.since_record_s;
  state.parts = Object.fromEntries(["worker", "sink", "stream"].map((name) => [name, health[name]]));
  look();
  tell("health", health);
}

/* Parts that do not get on; "console" where nobody says how they are. None before anybody looks:
   who has to choose a password sees nothing that could be out of date. */
export function failing() {
  if (!startedAt) return [];
  const since = performance.now() - (state.heardAt || startedAt);
  if (since > SILENT_MS) return [{ name: "console", since_s: since / 1000, reason: "" }];
  return Object.entries(state.parts)
    .filter(([, part]) => part && !part.ok)
    .map(([name, part]) => ({ name, ...part }));
}

function look() {
  if (document.hidden) return;
  const bad = failing();
  const ok = bad.length ? false : state.heardAt ? true : null;
  const before = JSON.stringify([state.ok, state.bad]);
  state.ok = ok;
  state.bad = bad.map((one) => one.name);
  if (before !== JSON.stringify([state.ok, state.bad]) || !ok) tell("state", state);
}
