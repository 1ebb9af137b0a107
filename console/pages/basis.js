/* What the limit of an alert rests on, in the reader's language. */

import { el } from "./dom.js";
import { count, percent } from "./numbers.js";
import { say } from "./words.js";

const counted = (text) => count(text.replaceAll(",", ""));

/* What the worker writes (custody.detect, custody.charts), and how it is said of its figures. */
const KNOWN = [
  [/^proved: at most ([\d.e-]+) of clean lots ever \(Ville\)$/, "basis.proved", ([share]) => ({ share: percent(share, 1) })],
  [/^calibrated on (\d+) clean lots: one clean lot in ([\d,]+) ever$/, "basis.calibrated", ([lots, all]) => ({ lots: counted(lots), all: counted(all) })],
  [/^CUSUM bank of six sums, one false alarm in ([\d,]+) lots of a healthy one$/, "basis.cusum", ([lots]) => ({ lots: counted(lots) })],
  [/^([\d.e-]+) false alarms per closed process, over (\d+) tests of it \(Sidak\)/, "basis.node", ([share, tests]) => ({ share: percent(share, 1), tests: counted(tests) })],
  [/^exact rule$/, "basis.rule", () => ({})],
];

/* A sentence; what is none of the known ones stands as it was written. */
export function basisOf(text) {
  for (const [pattern, word, values] of KNOWN) {
    const [whole, ...found] = pattern.exec(text) || [];
    if (whole !== undefined) return say(word, values(found));
  }
  return el("span", { lang: "en" }, text);
}
