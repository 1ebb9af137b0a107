/* Sentences that the system writes in English, said in the reader's language: of the few forms that a page
   shows, by their figures. What has none of these forms stands as it was written, and is marked as English. */

import { el } from "./dom.js";
import { count, percent } from "./numbers.js";
import { say } from "./words.js";

const counted = (text) => count(text.replaceAll(",", ""));

/* What the limit of an alert rests on (custody.detect, custody.charts). */
const BASES = [
  [/^proved: at most ([\d.e-]+) of clean lots ever \(Ville\)$/, "basis.proved", ([share]) => ({ share: percent(share, 1) })],
  [/^calibrated on (\d+) clean lots: one clean lot in ([\d,]+) ever$/, "basis.calibrated", ([lots, all]) => ({ lots: counted(lots), all: counted(all) })],
  [/^CUSUM bank of six sums, one false alarm in ([\d,]+) lots of a healthy one$/, "basis.cusum", ([lots]) => ({ lots: counted(lots) })],
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
export const whyUnknown = (text) => worded(text, WHYS);

/* What has no other words than the system's own. */
export function inEnglish(text, attributes) { return el("span", { ...attributes, lang: "en" }, text); }
