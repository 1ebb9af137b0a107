/* Alert: what, how much, how sure, since when, why; what it rests on; what became of it. */

import { alertActions, outcomePlace } from "./alert_actions.js";
import { evidencePanels } from "./alert_charts.js";
import { nameOf, priceText, sinceText, sizeText, stakeText } from "./alert_named.js";
import { timeline, versionTable } from "./alert_timeline.js";
import { isEvidence, surenessOf } from "./alerts.js";
import { severityBadge, stateBadge } from "./badges.js";
import { causeOf } from "./cause.js";
import { el, fill, panel } from "./dom.js";
import { gate } from "./gate.js";
import { idLink, subjectLink } from "./links.js";
import { on } from "./live.js";
import { duration, lastDay, percent, quantity, sureness, time } from "./numbers.js";
import { getJson } from "./session.js";
import { trouble } from "./trouble.js";
import { byPerson, whyBlock } from "./why.js";
import { language, say, sayOr } from "./words.js";

const PAUSE_MS = 400;
const AGAIN_MS = 1_000;
const MISSED_MAX = 20;
/* Probability of a cause that is worth a word. */
const CAUSE_LEAST = 0.005;

export async function show(main, { id }) {
  const source = `/api/alerts/${encodeURIComponent(id)}`;
  const places = { head: el("div"), acts: el("div"), hold: el("div"), charts: el("div"), below: el("div") };
  const layout = [places.head, el("div", { class: "grid", id: "acts" }, panel(say("alert.do"), places.acts), places.hold), places.charts, places.below];
  fill(main, layout);
  const outcome = outcomePlace();
  let [version, offered, awaited, drawn, held, missed, answered] = [0, 0, 0, "", null, 0, 0];

  /* Load and draw. `kept`: after an action. */
  async function load(kept) {
    let found;
    try {
      found = await getJson(source);
    } catch (error) {
      fill(main, el("div", { class: "panel" }, trouble(error, () => location.reload())));
      // Who comes from an alert that was raised a moment ago is before the warehouse: look again.
      if (error.status === 404 && (missed += 1) <= MISSED_MAX) setTimeout(load, AGAIN_MS);
      return;
    }
    if (!places.head.isConnected) fill(main, layout);
    const { alert } = found;
    // An answer that a later one has overtaken: drawn, it would have people act on what is past.
    if (alert.version < version) return kept ? load(kept) : undefined;
    alert.causes = found.causes;
    alert.posterior = Object.fromEntries(found.posterior.map((one) => [one.family, one.probability]));
    alert.why = whyFrom(found.versions, alert);
    // What is retracted may say nothing of its evidence: that of the last version that had any stays.
    const { version: restedAt, ...rested } = found.rested || {};
    Object.assign(alert, rested, { restedAt });
    document.title = `${nameOf(alert)} ${alert.subject} – custody`;
    fill(places.head, head(alert, found));
    const form = places.acts.querySelector("form.act:not(:empty)");
    if (form && (!kept || alert.version === offered)) {
      // Whoever is writing goes on; what he sends is on what he saw, and is answered as such. Who
      // has been answered already reads that.
      if (alert.version !== version && !outcome.querySelector(".conflict")) fill(outcome, el("p", { class: "moved" }, say("act.moved")));
    } else if (alert.version !== offered || kept) {
      // Beside the look after an action there may be one that news has begun.
      if (!answered) fill(outcome);
      fill(places.acts, alertActions(alert, acted, outcome));
      offered = alert.version;
    }
    version = alert.version;
    // News is here before the warehouse has it: look again until it does.
    if (version < awaited) setTimeout(soon, AGAIN_MS);
    const rests = JSON.stringify([found.evidence, found.posterior, found.versions.map((one) => one.value)]);
    if (rests !== drawn) fill(places.charts, evidencePanels(found, source));
    drawn = rests;
    fill(places.below, panel(say("timeline.title"), timeline(found)), panel(say("version.title"), versionTable(found, source)), toKnow(found));
    if (alert.lot_id && !held) await showGate(alert.lot_id);
  }

  async function acted() {
    answered += 1;
    await load(true);
    answered -= 1;
  }

  async function showGate(lotId) {
    held = gate(lotId);
    fill(places.hold, panel(say("gate.title", { lot: lotId }), held));
    await held.load();
  }

  let due = null;
  const soon = () => { due = due || setTimeout(() => { due = null; load(); }, PAUSE_MS); };
  on("alert", (alert) => {
    if (alert.alert_id !== id || alert.version < version) return;
    awaited = Math.max(awaited, alert.version);
    soon();
  });
  on("action", (action) => {
    if (action.alert_id !== id) return;
    soon();
    setTimeout(soon, AGAIN_MS);
  });
  on("hello", soon);
  await load();
}

function head(alert, found) {
  const sure = surenessOf(alert);
  const figure = (word, ...value) => el("div", {}, el("dt", {}, say(word)), el("dd", {}, ...value));
  return el("section", { class: `panel head is-${alert.severity}`, "aria-labelledby": "alert-name" },
    el("p", { class: "row" }, severityBadge(alert.severity), stateBadge(alert.state),
      alert.assignee ? say("alert.assigned", { who: alert.assignee }) : "",
      alert.state === "shelved" && alert.until ? say("timeline.until", { until: time(alert.until, language()) }) : "",
      alert.resolution ? sayOr("resolution.", alert.resolution) : ""),
    el("h1", { id: "alert-name" }, nameOf(alert), " · ", subjectLink(alert.subject)),
    el("dl", { class: "figures" },
      figure("alerts.size", sizeText(alert) || "–"),
      figure("alerts.sure", sure === null ? (alert.statistic === "rule" ? say("alerts.certain") : "–") : sureness(sure)),
      figure("alert.onset", since(alert)),
      figure("alerts.stake", stakeText(alert) || "–", priceText(alert)),
      alert.movement_id ? figure("alert.movement", idLink("movement", alert.movement_id)) : null),
    el("p", {}, el("strong", {}, say("alert.why")), " ", whyBlock(alert, alert.why, found.evidence, found.facts)),
    alert.restedAt ? el("p", { class: "note" }, say("alert.rested", { version: alert.restedAt })) : null,
    alert.actor ? el("p", { class: "why" }, say("cause.of", { what: alert.actor, of: byPerson(alert) })) : null,
    alert.state === "retracted" ? el("p", { class: "retracted" }, say("alert.retracted"), " ", causeOf(alert, found.retracted_by)) : null);
}

/* What the evidence says is in the last version that it made. */
function whyFrom(versions, alert) {
  const said = versions.filter((one, at) => isEvidence(one, versions[at - 1])).at(-1);
  return said ? said.reason : alert.reason;
}

function since(alert) {
  const at = sinceText(alert);
  return alert.onset_u_s ? `${at}\u00a0±\u00a0${duration(alert.onset_u_s)}` : at;
}

function percentOr(size, unit) {
  return unit === "fraction" ? percent(size, 2) : quantity(size, null, unit);
}

/* What else one should know: what it may be, what would have been seen, what nothing sees, and by what. */
function toKnow(found) {
  const { alert } = found;
  const line = (word, text) => (text ? [el("dt", {}, say(word)), el("dd", {}, text)] : null);
  const list = [
    line("rests.causes", found.causes.filter((one) => one.probability >= CAUSE_LEAST).map((one) => `${sayOr("family.", one.family)} ${percent(one.probability)} (${[one.stations.join(" / "), one.movement_id, one.site_id].filter(Boolean).join(", ")})`).join(" · ")),
    line("rests.detectable", found.detectable.map((one) => `${sayOr("family.", one.family)} ${percentOr(one.size, alert.unit)}`).join(" · ")),
    line("rests.unobserved", alert.unobserved.join(", ")),
    line("rests.calibrations", found.calibrations.map((one) => say("cause.of", { what: one.device_id, of: one.until ? lastDay(one.until) : say("rests.no_calibration") })).join(" · ")),
    line("rests.gated", found.gated.map((one) => `${one.device_id} ${sayOr("gated.", one.why)} (${quantity(one.value, null, "")} > ${quantity(one.threshold, null, "")})`).join(" · ")),
  ].filter(Boolean);
  return list.length ? panel(say("rests.title"), el("dl", { class: "rests" }, list)) : null;
}
