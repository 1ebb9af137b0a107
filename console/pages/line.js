/* One line to the server for all pages of a browser.

   A browser has six connections to a host, and a line takes one of them as long as it lasts. So of the
   pages that are seen one listens, by a lock, and tells the others; what it has is given up by itself
   when it is closed or dies. One that holds the lock and does nothing, as before a dialogue of the
   printer, loses it. A page that nobody sees leaves, and is back with the last id it heard. Where there
   are no locks, which is where there is no https, each page that is seen has its own line. */

import { loadSession } from "./session.js";

const NAME = "custody-live";
const EVENTS = ["alert", "balance", "action", "hello", "health", "reset", "over"];
const AGAIN_MS = 1500;
const TURN_MS = 500;
/* Below the silence after which a page is stale: another listens by then. */
const IDLE_MS = 2500;

let told = () => undefined;
let channel = null;
let source = null;
/* What stands for this page's wish to listen; null while nobody sees it. */
let turn = null;
let lastId = "";
let aliveAt = 0;
let begun = false;

/* listener(name, data) gets each event; what a page has to load comes after "hello". */
export function begin(listener) {
  told = listener;
  if (!navigator.locks) return;
  channel = new BroadcastChannel(NAME);
  channel.onmessage = (event) => overheard(event.data);
  setInterval(look, TURN_MS);
}

export function join() {
  if (turn) return;
  turn = new AbortController();
  aliveAt = performance.now();
  begun = false;
  if (navigator.locks) wait(turn, { signal: turn.signal });
  else open();
}

export function leave() {
  if (turn) turn.abort();
  turn = null;
  close();
}

/* Listens as soon as nobody else does. A lock that is not given up is lost only to who takes it away. */
function wait(mine, options) {
  navigator.locks.request(NAME, options, () => (mine === turn ? listen(mine) : undefined)).catch(() => {
    if (mine !== turn) return;
    leave();
    join();
  });
}

function listen(mine) {
  open();
  return new Promise((done) => mine.signal.addEventListener("abort", done));
}

/* Who listens says that it is there; where nobody says so another takes the lock. */
function look() {
  if (source) channel.postMessage({ name: "alive" });
  else if (turn && performance.now() - aliveAt > IDLE_MS) {
    turn.abort();
    turn = new AbortController();
    aliveAt = performance.now();
    wait(turn, { steal: true });
  }
}

function overheard(message) {
  aliveAt = performance.now();
  // The end of a session is for everybody, seen or not.
  if (message.name === "over" || (message.name !== "alive" && turn && !source)) take(message);
}

function take({ name, data, id }) {
  lastId = id || lastId;
  // Who comes to a line that is open already has its own beginning.
  if (!begun && name !== "hello" && !source) told("hello", null);
  begun = true;
  told(name, data);
}

function open() {
  // The browser comes back by itself with its last id; what was refused is tried anew here.
  source = new EventSource(lastId ? `/api/live?last_id=${encodeURIComponent(lastId)}` : "/api/live");
  const mine = source;
  for (const name of EVENTS) {
    mine.addEventListener(name, (event) => {
      if (mine !== source) return;
      const message = { name, data: JSON.parse(event.data), id: event.lastEventId };
      if (channel) channel.postMessage(message);
      take(message);
    });
  }
  mine.onerror = () => {
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => openAgain(mine), AGAIN_MS);
  };
}

/* A session that ended while the line was lost is known by the first answer, which leads to the login. */
function openAgain(lost) {
  const again = () => { if (lost === source) open(); };
  if (lost === source) loadSession().then(again, again);
}

function close() {
  if (source) source.close();
  source = null;
}
