/* What happens, as it happens, and whether the page may still be believed. */

import { loadSession, toLogin } from "./session.js";

const SILENT_MS = 4000;
const AGAIN_MS = 1500;

/* How things are: `ok`, why not (parts by name), and since when nobody has said. */
export const state = { ok: null, parts: {}, heardAt: 0, sinceRecordS: null };

const listeners = {};
let source = null;
let startedAt = 0;

/* on("alert" | "balance" | "action" | "hello" | "health" | "state", f): f gets the event's data. */
export function on(name, listener) {
  (listeners[name] = listeners[name] || []).push(listener);
}

function tell(name, data) {
  for (const listener of listeners[name] || []) listener(data);
}

export function watch() {
  startedAt = performance.now();
  open();
  setInterval(look, 500);
}

function open() {
  // The browser comes back by itself with its last id; what was refused is tried anew here.
  source = new EventSource("/api/live");
  for (const name of ["alert", "balance", "action"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
  source.addEventListener("hello", () => tell("hello", null));
  source.addEventListener("health", (event) => heard(JSON.parse(event.data)));
  source.addEventListener("reset", () => location.reload());
  source.addEventListener("over", (event) => over(JSON.parse(event.data).why));
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(openAgain, AGAIN_MS);
  };
}

/* Another tab may have begun a new session meanwhile, by the login or with a new password. */
function over(why) {
  source.close();
  loadSession().then(() => location.reload(), () => toLogin(why));
}

/* A session that ended while the line was lost is known by the first answer, which leads to the login. */
function openAgain() {
  loadSession().then(open, open);
}

function heard(health) {
  state.heardAt = performance.now();
  state.sinceRecordS = health.since_record_s;
  state.parts = Object.fromEntries(["worker", "sink", "stream"].map((name) => [name, health[name]]));
  look();
  tell("health", health);
}

/* Parts that do not get on; "console" where nobody says how they are. None before anybody listens:
   who has to choose a password sees nothing that could be out of date. */
export function failing() {
  if (source === null) return [];
  const since = performance.now() - (state.heardAt || startedAt);
  if (since > SILENT_MS) return [{ name: "console", since_s: since / 1000, reason: "" }];
  return Object.entries(state.parts)
    .filter(([, part]) => part && !part.ok)
    .map(([name, part]) => ({ name, ...part }));
}

function look() {
  const bad = failing();
  const ok = bad.length ? false : state.heardAt ? true : null;
  const before = JSON.stringify([state.ok, state.bad]);
  state.ok = ok;
  state.bad = bad.map((one) => one.name);
  if (before !== JSON.stringify([state.ok, state.bad]) || !ok) tell("state", state);
}
