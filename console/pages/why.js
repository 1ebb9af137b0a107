/* Why an alert stands, in the reader's language: from its figures, not from the worker's sentence. */

import { nameOf, sizeText } from "./alert_named.js";
import { eitherOf, furthestOf, surenessOf, whyOf, workersWhere } from "./alerts.js";
import { el } from "./dom.js";
import { idOf } from "./links.js";
import { labelOf, saidOf } from "./measured.js";
import { count, number, quantity, sureness } from "./numbers.js";
import { ruled } from "./ruled.js";
import { whereOf } from "./where.js";
import { has, language, say, sayOr } from "./words.js";

const MOST = 3;
/* So many lots a chart's alert names; there may be more of them (custody.charts, LOTS_MAX). */
const LOTS_NAMED = 64;
/* Begins what the worker answers an action that it did not take, and nothing that a person says (custody.alerts). */
const CONFLICT = "conflict:";
/* What the worker writes where a clock, and nobody, ends shelving (custody.alerts, SHELVING_OVER). */
const SHELVING_OVER = "the time of shelving is over";
/* Begins who else explains of a chart's shift: names, which are no figures of the alert (custody.chart_lots). */
const RIVALS = "; of all they are off by ";
const ACTIONS = new Set(["acknowledge", "assign", "shelve", "resolve", "reopen"]);

/* In whole sentences; null where the figures lack. evidence and facts: as /api/alerts/{id} has them. */
export function fully(alert, evidence, facts = []) {
  const said = ofStatistic(alert, evidence);
  if (said === null || alert.statistic === "rule" || alert.statistic === "cusum") return said;
  const onset = whereOf(alert) ? null : facts.find((one) => one.event_id === alert.onset_event_id);
  return [said, onset && say("why.after", { site: onset.site_id }), most(evidence), reach(alert)].filter(Boolean).join(" ");
}

function ofStatistic(alert, evidence) {
  const what = nameOf(alert);
  switch (alert.statistic) {
    case "rule": return has(`rule.${alert.rule}`) ? say(`rule.${alert.rule}`) : null;
    case "cusum": return ofChart(alert, evidence);
    case "e_value": {
      const sure = surenessOf(alert);
      if (sure === null || !(alert.value > 0) || !(alert.threshold > 0)) return null;
      const size = [sizeText(alert), whereOf(alert)].filter(Boolean).join(" ");
      const said = say("why.e_value", { what, size, p: sureness(sure), value: powers(alert.value), limit: powers(alert.threshold) });
      return [said, undecided(alert)].filter(Boolean).join(" ");
    }
    case "minus_log10_p":
      return say("why.minus_log10_p", { what, size: sizeText(alert), value: number(alert.value, null, 3), limit: number(alert.threshold, null, 2) });
    default: return null;
  }
}

/* What to measure where nothing does tell water from barren material. */
function undecided(alert) {
  const either = eitherOf(alert);
  return either && say("why.water_or_waste", { water: sureness(either[0]), waste: sureness(either[1]) });
}

/* What a version says by its figures; where and by what the alert's last one does, above. */
function ofEvidence(alert) {
  return say("version.e_value", { what: nameOf(alert), size: sizeText(alert), value: powers(alert.value), limit: powers(alert.threshold) });
}

const powers = (value) => number(Math.log10(value), null, 3);

/* A chart's size is a logarithm, and its sign the direction. */
function ofChart(alert, evidence) {
  const size = quantity(Math.abs(Math.expm1(alert.size)), alert.size_u * Math.exp(alert.size), "fraction");
  const lots = lotsOf(alert, evidence);
  const name = idOf(alert.subject);
  if (alert.rule === "route_loss") {
    const [from, to] = name.split(">");
    return say("why.route", { size, lots, from, to: to || "–" });
  }
  const one = evidence[0] || furthestOf(alert);
  if (!one || alert.rule !== "instrument_bias") return null;
  const of = { device: name, of: one.analyte ? sayOr("measured.", one.analyte) : say("instrument.mass"), size, lots };
  return alert.size > 0 ? say("why.bias.high", of) : say("why.bias.low", of);
}

/* Over how many lots; a list says of how many rows the evidence is. */
function lotsOf(alert, evidence) {
  const lots = evidence.length || (alert.evidence || []).length || alert.evidence_rows || 0;
  if (!lots) return say("why.lots.many");
  return say(lots < LOTS_NAMED ? "why.lots" : "why.lots.least", { lots: count(lots) });
}

/* What speaks for it most: of a process its worst balances, else what was measured by whom. */
function most(evidence) {
  const balances = evidence.filter((one) => one.quantity === "dry_mass" || one.quantity === "contained_metal");
  if (balances.length) return furthest(balances).slice(0, MOST).map(saidOf).join(" ");
  const added = evidence.filter((one) => one.ln_ratio > 0).sort((a, b) => b.ln_ratio - a.ln_ratio);
  const told = added.length ? added : furthest(evidence).slice(0, 1);
  const by = [...new Set(told.map(labelOf))].slice(0, MOST).join(" · ");
  return by && say("why.most", { by });
}

const furthest = (evidence) => [...evidence].sort((a, b) => Math.abs(b.z) - Math.abs(a.z));

function reach({ stoppable }) {
  if (stoppable === undefined || stoppable === null) return null;
  return say(stoppable ? "why.stoppable" : "why.gone");
}

/* In a list, under the name, where size and probability have columns of their own. What the figures do
   not say the worker does, in English; what a rule has found is said with its figures, else by name. */
export function shortly(alert) {
  const isRule = alert.statistic === "rule";
  const found = isRule ? ruled(whyOf(alert)) : null;
  const inWords = found || (isRule && language() === "en" ? null : briefly(alert));
  return el("span", { class: "why", lang: inWords ? null : "en" }, inWords || workersWhere(alert));
}

function briefly(alert) {
  if (alert.statistic === "rule" || alert.statistic === "cusum") return ofStatistic(alert, []);
  const where = whereOf(alert);
  const one = furthestOf(alert);
  if (!one || !one.quantity) return where;
  if (alert.statistic !== "e_value" && one.unit !== undefined) return saidOf(one);
  const by = labelOf(one);
  return where ? say("why.where", { where, by }) : say("why.most", { by });
}

/* The whole of it: in words, and, where they do not say all, beneath it what the worker wrote, which
   has names that are no figures of the alert. */
export function whyBlock(alert, sentence, evidence, facts) {
  const inWords = fully(alert, evidence, facts);
  if (inWords === null) return el("span", { lang: "en" }, sentence);
  const isAll = (alert.statistic === "cusum" && !(sentence || "").includes(RIVALS)) || (alert.statistic === "e_value" && whereOf(alert));
  return [inWords, sentence && !isAll ? el("span", { class: "why" }, say("why.worker"), " ", el("span", { lang: "en" }, sentence)) : null];
}

/* What is said of a version in the course of things, of whoever made it. */
export function versionSaid(version, alert) {
  if (version.actor) return byPerson(version);
  if (version.reason === SHELVING_OVER) return say("timeline.shelving_over");
  if (alert.statistic === "e_value") return ofEvidence({ ...alert, ...version });
  if (language() === "en") return version.reason;
  const rule = `rule.${alert.rule}`;
  if (alert.statistic === "rule") return has(rule) ? say(rule) : version.reason;
  return say("cause.of", { what: nameOf({ ...alert, family: version.family }), of: sizeText({ ...alert, ...version }) || "–" });
}

/* What a person said; whose reason is the bare action gave none, and did that. */
export function byPerson(version) {
  if (version.reason.startsWith(CONFLICT)) return say("timeline.conflict");
  return ACTIONS.has(version.reason) ? say(`deed.${version.reason}`) : version.reason;
}

/* Whether a person gave a reason of his own. */
export function isBare(version) { return Boolean(version.actor) && ACTIONS.has(version.reason); }
