/* Sentences that the system writes in English, said in the reader's language: of the few forms that a page
   shows, by their figures. What has none of these forms stands as it was written, and is marked as English. */

import { el } from "./dom.js";
import { count, number, percent, time } from "./numbers.js";
import { language, say, sayOr } from "./words.js";

const counted = (text) => count(text.replaceAll(",", ""));

/* What the limit of an alert rests on (custody.detect, custody.charts). */
const BASES = [
  [/^proved: at most ([\d.e-]+) of clean lots ever \(Ville\)$/, "basis.proved", ([share]) => ({ share: percent(share, 1) })],
  [/^calibrated on (\d+) clean lots: one clean lot in ([\d,]+) ever$/, "basis.calibrated", ([lots, all]) => ({ lots: counted(lots), all: counted(all) })],
  [/^CUSUM bank of (?:six|eight) sums, one false alarm in ([\d,]+) lots of a healthy one$/, "basis.cusum", ([lots]) => ({ lots: counted(lots) })],
  [/^([\d.e-]+) false alarms per closed process, over (\d+) tests of it \(Sidak\)/, "basis.node", ([share, tests]) => ({ share: percent(share, 1), tests: counted(tests) })],
  [/^exact rule$/, "basis.rule", () => ({})],
];

/* What a lot cannot be traced by (custody.coverage). */
const GAPS = [
  [/^process (.+) has no close$/, "gap.close", ([process]) => ({ process })],
  [/^([\d.]+) % of the origin of lot (.+) unknown$/, "gap.origin", ([share, lot]) => ({ share: percent(share / 100), lot })],
  [/^lot (.+) names no custodian$/, "gap.custodian", ([lot]) => ({ lot })],
  [/^movement of lot (.+) has no receipt$/, "gap.receipt.lot", ([lot]) => ({ lot })],
  [/^movement (.+) has no receipt$/, "gap.receipt", ([movement]) => ({ movement })],
  [/^lot (.+) has no weighing and no assay$/, "gap.measured", ([lot]) => ({ lot })],
  [/^lot (.+) has no weighing$/, "gap.weighing", ([lot]) => ({ lot })],
  [/^lot (.+) has no assay$/, "gap.assay", ([lot]) => ({ lot })],
];

/* Why nothing is known of a lot at the gate (console.lots_http). */
const WHYS = [[/^no fact of this lot is known$/, "gate.why.unknown", () => ({})]];

/* A share with its sign: by how much too high or too low. */
const shift = (text) => (Number(text) > 0 ? "+" : "") + percent(text / 100, 3);
const powers = (text) => number(text, null, 3);

/* How far instruments are off, in a retraction; each one's alert is linked beside it. */
function drifts(text) {
  const each = text.split("; ").map((one) => one.replace(/ \(alert [^)]*\)$/, ""));
  return each.map((one) => {
    const [, device, quantity, off] = /^(\S+) reads (.+) ([+-][\d.]+)%$/.exec(one) || [];
    const of = quantity === "mass" ? say("instrument.mass") : quantity && sayOr("measured.", quantity);
    return device ? `${device}, ${of} ${shift(off)}` : one;
  }).join("; ");
}

/* Why an instrument's shift is not taken for its own any more (custody.blame). */
const OBJECTIONS = {
  "too few of its lots are known": "own.few", "it is off by more than a third": "own.third", "its lots do not agree on it": "own.differ",
  "beside its busiest way it is not off": "own.way", "its lots are off in other analytes, too": "own.others",
};

/* What has changed of the facts and of reference data, part by part (custody.reasons). */
const CHANGES = [
  [/^event (\S+) corrects (\S+)$/, "gone.corrects", ([event, target]) => ({ event, target })],
  [/^event (\S+) withdraws (\S+)$/, "gone.withdraws", ([event, target]) => ({ event, target })],
  [/^reference record (.+) has another version, event (\S+)$/, "gone.reference", ([record, event]) => ({ record, event })],
  [/^and (\d+) more$/, "gone.more", ([many]) => ({ count: count(many) })],
];
const changed = (text) => text.split("; ").map((one) => formed(one, CHANGES) || one).join("; ");

/* Why an alert was taken back, beside its cause (custody.lot_alerts, custody.chart_lots, custody.exact). */
const RETRACTIONS = [
  [/^nothing is left of it without instruments' drifts: (.+)$/, "gone.drifts", ([them]) => ({ drifts: drifts(them) })],
  [/^the facts as now known do not support it: (.+)$/, "gone.changed", ([what]) => ({ what: changed(what) })],
  [/^its limit is E = 10\^([\d.-]+) now \((.+?)\), and was 10\^([\d.-]+); E is 10\^([\d.-]+)(?:; (.+))?$/, "gone.limit",
    ([limit, basis, before, value, what]) => ({ limit: powers(limit), basis: formed(basis, BASES) || basis, before: powers(before), value: powers(value),
      what: what ? ` ${changed(what)}.` : "" })],
  [/^its lots since (\S+) (\S+) UTC are not off by it any more$/, "gone.level", ([day, minute]) => ({ time: time(`${day}T${minute}:00Z`, language()) })],
  [/^nothing is left of it as lots are measured now(?:; the last is (.+), event (.+))?$/, "gone.measured", ([lot]) => ({ lot: lot ? ` (${lot})` : "" })],
  [/^it can no longer be said to be its own: (.+)$/, "gone.own", ([why]) => ({ why: why in OBJECTIONS ? say(OBJECTIONS[why]) : why })],
  [/^too few lots show it as they are measured now$/, "gone.few", () => ({})],
  [/^what else is known to be off explains ([+-][\d.]+)% of ([+-][\d.]+)%(?:; of all they are off by .*)?$/, "gone.else", ([part, whole]) => ({ part: shift(part), whole: shift(whole) })],
  [/^trip (.+) came to (.+) ([\d.,]+) h after its deadline$/, "gone.late", ([trip, site, hours]) => ({ trip, site, hours: number(hours.replaceAll(",", ""), null, 3) })],
];

/* A sentence by the first of the forms that it has; null where it has none. */
export function formed(text, forms) {
  for (const [pattern, word, values] of forms) {
    const [whole, ...found] = pattern.exec(text) || [];
    if (whole !== undefined) return say(word, values(found));
  }
  return null;
}

const worded = (text, forms) => formed(text, forms) || inEnglish(text);

export const basisOf = (text) => worded(text, BASES);
export const gapOf = (text) => worded(text, GAPS);
export const whyGone = (text) => worded(text, RETRACTIONS);
export const whyUnknown = (text) => worded(text, WHYS);

/* What has no other words than the system's own. */
export function inEnglish(text, attributes) { return el("span", { ...attributes, lang: "en" }, text); }
