/* Why an alert stands, in the reader's language: from its figures, not from the worker's sentence. */

import { nameOf, sizeText } from "./alert_named.js";
import { furthestOf, surenessOf, whereOf } from "./alerts.js";
import { el } from "./dom.js";
import { labelOf } from "./measured.js";
import { number, percent, quantity } from "./numbers.js";
import { has, language, say, sayOr } from "./words.js";

const MOST = 3;
const CONFLICT = "conflict:";
/* What the worker writes where a clock, and nobody, ends shelving (custody.alerts, SHELVING_OVER). */
const SHELVING_OVER = "the time of shelving is over";
const ACTIONS = new Set(["acknowledge", "assign", "shelve", "resolve", "reopen"]);

/* In whole sentences; null where the figures lack. evidence and facts: as /api/alerts/{id} has them. */
export function fully(alert, evidence, facts = []) {
  const said = ofStatistic(alert, evidence);
  if (said === null || alert.statistic === "rule" || alert.statistic === "cusum") return said;
  const by = most(evidence);
  const onset = facts.find((one) => one.event_id === alert.onset_event_id);
  return [said, onset && say("why.after", { site: onset.site_id }), by && say("why.most", { by })].filter(Boolean).join(" ");
}

function ofStatistic(alert, evidence) {
  const what = nameOf(alert);
  switch (alert.statistic) {
    case "rule": return has(`rule.${alert.rule}`) ? say(`rule.${alert.rule}`) : null;
    case "cusum": return ofChart(alert, evidence);
    case "e_value": {
      const sure = surenessOf(alert);
      if (sure === null || !(alert.value > 0) || !(alert.threshold > 0)) return null;
      return say("why.e_value", { what, size: sizeText(alert), p: percent(sure), value: powers(alert.value), limit: powers(alert.threshold) });
    }
    case "minus_log10_p":
      return say("why.minus_log10_p", { what, size: sizeText(alert), value: number(alert.value, null, 3), limit: number(alert.threshold, null, 2) });
    default: return null;
  }
}

const powers = (value) => number(Math.log10(value), null, 3);

/* A chart's size is a logarithm, and its sign the direction. */
function ofChart(alert, evidence) {
  const size = quantity(Math.abs(Math.expm1(alert.size)), alert.size_u * Math.exp(alert.size), "fraction");
  if (alert.rule === "route_loss") return say("why.route", { size });
  const one = evidence[0] || furthestOf(alert);
  if (!one || alert.rule !== "instrument_bias") return null;
  const of = one.analyte || say("instrument.mass");
  return alert.size > 0 ? say("why.bias.high", { of, size }) : say("why.bias.low", { of, size });
}

/* What speaks for it most, by whom it was measured. */
function most(evidence) {
  const added = evidence.filter((one) => one.ln_ratio > 0).sort((a, b) => b.ln_ratio - a.ln_ratio);
  const told = added.length ? added : [...evidence].sort((a, b) => Math.abs(b.z) - Math.abs(a.z)).slice(0, 1);
  return [...new Set(told.map(labelOf))].slice(0, MOST).join("; ");
}

/* In a list, under the name, where size and probability have columns of their own. The worker writes
   English: to whoever reads that, its sentence says the places, too. */
export function shortly(alert) {
  const inWords = language() === "en" ? null : briefly(alert);
  return el("span", { class: "why", lang: inWords ? null : "en" }, inWords || whereOf(alert));
}

function briefly(alert) {
  if (alert.statistic === "rule" || alert.statistic === "cusum") return ofStatistic(alert, []);
  const one = furthestOf(alert);
  return one && one.quantity ? say("why.most", { by: labelOf(one) }) : null;
}

/* The whole of it: in words, and beneath it what the worker wrote, which has names that are no
   figures of the alert. */
export function whyBlock(alert, sentence, evidence, facts) {
  const inWords = fully(alert, evidence, facts);
  if (inWords === null) return el("span", { lang: "en" }, sentence);
  return [inWords, sentence ? el("span", { class: "why" }, say("why.worker"), " ", el("span", { lang: "en" }, sentence)) : null];
}

/* What is said of a version in the course of things, of whoever made it. */
export function versionSaid(version, alert) {
  if (version.actor) return byPerson(version);
  if (version.reason === SHELVING_OVER) return say("timeline.shelving_over");
  if (language() === "en") return version.reason;
  const rule = `rule.${alert.rule}`;
  if (alert.statistic === "rule") return has(rule) ? say(rule) : version.reason;
  return say("cause.of", { what: nameOf({ ...alert, family: version.family }), of: sizeText({ ...alert, ...version }) || "–" });
}

/* What a person said; who gave no reason has the name of the action there. */
export function byPerson(version) {
  if (version.reason.startsWith(CONFLICT)) return say("timeline.conflict");
  return ACTIONS.has(version.reason) ? sayOr("act.", version.reason) : version.reason;
}
