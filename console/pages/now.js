/* Now: what is wrong, how the mass flows, how the pipeline is. */

import { alertList } from "./alert_table.js";
import { UNSETTLED, countsOf, newer, ranked } from "./alerts.js";
import { severityBadge, stateBadge } from "./badges.js";
import { el, fill, panel } from "./dom.js";
import { flowChart } from "./flow.js";
import { groupActions, outcome } from "./group_actions.js";
import { afterAction, heldTable } from "./held.js";
import { on, state } from "./live.js";
import { count, time } from "./numbers.js";
import { shownOnce } from "./parts.js";
import { completeTable, pipelineParts } from "./pipeline.js";
import { retracted } from "./retracted.js";
import { getJson, session } from "./session.js";
import { withQuery } from "./table.js";
import { trouble } from "./trouble.js";
import { language, say } from "./words.js";

const ANEW_MS = 30_000;
const SOON_MS = 3_000;
const PAUSE_MS = 250;
const PATIENCE_MS = 2_000;

const alerts = new Map();
const opened = new Set(new URLSearchParams(location.search).getAll("open"));
let holds = [];
let acted = 0;
let leftOut = {};
let loaded = false;
let due = null;

const FLOW = "/api/flow?hours=24";
const HOLDS = "/api/holds";
const HOLDS_SHOWN = 8;

const places = { verdict: el("div", { class: "verdict" }), held: el("div"), list: el("div", { class: "listed" }),
  gone: retracted(), flow: el("div", { class: "flowed" }), parts: el("div"), complete: el("div") };

export async function show(main) {
  fill(main, el("h1", { class: "sr" }, say("title.now")), places.verdict, places.held,
    panel(say("now.alerts"), outcome, places.list, places.gone),
    el("div", { class: "grid" }, panel(say("now.flow"), places.flow),
      panel(say("now.pipeline"), places.parts, places.complete)));
  on("alert", (alert) => {
    take(alert);
    later();
    if (alert.state === "retracted") places.gone.heard();
  });
  on("action", (action) => {
    acted = Date.now();
    showHeld(afterAction(holds, action));
    setTimeout(loadHeld, SOON_MS);
  });
  // What was raised just before the line came up may not be in the warehouse yet: ask twice.
  on("hello", () => {
    [load, loadHeld].forEach((one) => { one(); setTimeout(one, SOON_MS); });
    places.gone.load();
  });
  on("state", () => { fill(places.parts, pipelineParts()); later(); });
  on("health", () => fill(places.parts, pipelineParts()));
  setInterval(load, ANEW_MS);
  setInterval(loadFlow, ANEW_MS);
  setInterval(loadHeld, ANEW_MS);
  fill(places.parts, pipelineParts());
  const first = Promise.all([load(), loadHeld()]);
  await Promise.all([shownOnce(main, Promise.race([first, wait(PATIENCE_MS)])), first, loadFlow(), places.gone.load()]);
}

/* What is wrong is shown with what is held above it, or without it where that is slow. */
const wait = (ms) => new Promise((over) => { setTimeout(over, ms); });

function take(alert) {
  alerts.set(alert.alert_id, { ...newer(alerts.get(alert.alert_id), alert), seen: Date.now() });
}

async function load() {
  try {
    const found = await getJson("/api/alerts");
    const standing = new Set(found.alerts.map((alert) => alert.alert_id));
    // What the warehouse no longer has among them was settled, unless it is newer than its answer.
    for (const [id, alert] of alerts) {
      if (!standing.has(id) && Date.now() - (alert.seen || 0) > SOON_MS) alerts.delete(id);
    }
    found.alerts.forEach(take);
    leftOut = found.left_out;
    loaded = true;
    draw();
  } catch (error) {
    if (!loaded) fill(places.list, trouble(error, load));
  }
}

async function loadFlow() {
  try {
    const found = await getJson(FLOW);
    fill(places.flow, flowChart(found, FLOW));
    fill(places.complete, completeTable(found.complete_to));
  } catch (error) {
    fill(places.flow, trouble(error, loadFlow));
  }
}

async function loadHeld() {
  const before = acted;
  const found = await getJson(HOLDS).catch(() => null);
  // What was done a moment ago may not be in the warehouse yet; the page asks again by then.
  if (found && acted === before && Date.now() - acted > SOON_MS / 2) showHeld(found.holds);
}

/* Only where something is held: an empty list would take the room of what is wrong. */
function showHeld(rows) {
  if (JSON.stringify(rows) === JSON.stringify(holds)) return;
  holds = rows;
  fill(places.held, rows.length ? panel(say("held.title"), heldTable(rows, HOLDS, HOLDS_SHOWN)) : null);
}

function later() {
  // Many in a moment are drawn once.
  due = due || setTimeout(() => { due = null; draw(); }, PAUSE_MS);
}

function draw() {
  if (!loaded) return;
  const standing = ranked([...alerts.values()].filter((alert) => UNSETTLED.has(alert.state)));
  fill(places.verdict, verdict(standing, leftOut));
  const behind = Object.values(leftOut).reduce((sum, many) => sum + many, 0);
  const focused = places.list.contains(document.activeElement) ? document.activeElement : null;
  fill(places.list, alertList(standing, el("span", {}, none()), { opened, toggled, acts: (group) => groupActions(group, settled) }),
    behind ? el("p", { class: "note" }, say("table.left_out", { count: count(behind) })) : null);
  if (focused) again(focused).focus();
}

/* What had the focus, or what is in its place now: who goes by the keyboard stays where he is. */
function again(focused) {
  if (focused.isConnected) return focused;
  const same = ["href", "data-key"].find((name) => focused.hasAttribute(name));
  const at = same && focused.getAttribute(same);
  return [...places.list.querySelectorAll("a, summary")].find((one) => at && one.getAttribute(same) === at) || document.body;
}

/* What was done to many is seen at once; of each the stream says so, too. */
function settled() { load(); }

function none() {
  return session.completeTo
    ? say("now.none", { time: time(session.completeTo, language()) })
    : say("now.none.unknown");
}

/* What is to be settled now; what is shelved stands in the list and is somebody's for later. Of those
   that the list leaves out the console says how many of each severity are to be settled. */
export function verdict(standing, { shelved: shelvedToo = 0, ...dueToo }) {
  const due = standing.filter((alert) => alert.state !== "shelved");
  const counts = Object.entries(countsOf(due)).map(([severity, many]) => [severity, many + (dueToo[severity] || 0)])
    .filter(([, many]) => many);
  const toSettle = counts.reduce((sum, [, many]) => sum + many, 0);
  const shelved = standing.length - due.length + shelvedToo;
  // Nothing open is good news only as far as it is known.
  const quiet = !toSettle && !(state.ok && session.completeTo);
  const many = say(toSettle === 1 ? "now.one" : "now.many", { count: count(toSettle) });
  return [el("p", { class: quiet ? "huge quiet" : "huge" }, toSettle ? many : none()),
    el("ul", { class: "counts" }, counts.map(([severity, of]) => el("li", {}, el("strong", {}, count(of)), " ", severityBadge(severity))),
      shelved ? el("li", {}, el("strong", {}, count(shelved)), " ", stateBadge("shelved")) : null)];
}

function toggled(key, isOpen) {
  if (isOpen) opened.add(key);
  else opened.delete(key);
  const address = new URL(withQuery(location.pathname, {}), location.origin);
  for (const one of opened) address.searchParams.append("open", one);
  history.replaceState(null, "", address.pathname + address.search);
}
