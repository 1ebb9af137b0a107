/* What was measured, in words and in units that a laboratory uses. Pure.

   Evidence of a whole lot is in natural logarithms; a person reads fractions and ratios. */

import { number, percent, quantity } from "./numbers.js";
import { say, sayOr } from "./words.js";

const FLOWS = { "all together": "flow.all", "everything else": "flow.rest" };

/* A flow of a process, as its test names them: "input L-1 (2)", "output all together", "not declared". */
function flowOf(named) {
  const [, side, id] = /^(input|output) (.+)$/.exec(named) || [];
  if (!side) return named === "not declared" ? say("flow.undeclared") : named;
  return `${sayOr("side.", side)} ${id in FLOWS ? say(FLOWS[id]) : id}`;
}

/* What was measured: "Cu", "dry share", "mass, arrived / sent". */
export function nameOf(one) {
  if (one.analyte) return one.analyte;
  const [, kind, named] = /^(mass|grade) of (.*)$/.exec(one.quantity) || [];
  const flow = named && flowOf(named);
  if (flow) return kind === "mass" ? say("measured.mass_of", { flow }) : say("measured.grade_of", { flow });
  return sayOr("measured.", one.quantity);
}

/* The same with who measured it: "Cu, XRF-HOY-1". */
export function labelOf(one) {
  const by = (one.instruments || []).join(" / ");
  return by ? `${nameOf(one)}, ${by}` : nameOf(one);
}

/* One measurement as a sentence: of a balance what went in and what came out, else both figures. */
export function saidOf(one) {
  const { expected, observed } = inUnits(one);
  const word = ["dry_mass", "contained_metal"].includes(one.quantity) ? "measured.balance" : "measured.against";
  return say(word, { what: labelOf(one), expected, observed, z: number(one.z, null, 2) });
}

const BELOW = "ln_fraction_below"; // below detection, so at most what is said

const SCALES = { ln_fraction: "fraction", [BELOW]: "fraction", ln_dry_share: "share", ln_net: "ratio", ln_residual: "shift" };

function shown(value, u, scale) {
  // How far a reading is off: a share of what it should be, which is none where it is right.
  if (scale === "shift") return quantity(value - 1, u, "fraction");
  if (scale === "ratio") return `${number(value, u)}${u ? `\u00a0±\u00a0${number(u, null, 2)}` : ""}`;
  if (scale === "fraction" && value < 0.001) return quantity(value * 1e6, u === null ? null : u * 1e6, "g/t");
  return quantity(value, u, "fraction");
}

/* expected and observed as texts, and u of their difference, in one unit. */
export function inUnits(one) {
  const scale = SCALES[one.quantity];
  if (!scale) {
    return {
      expected: quantity(one.expected, null, one.unit === "1" ? "" : one.unit),
      observed: quantity(one.observed, one.u, one.unit === "1" ? "" : one.unit),
    };
  }
  const [expected, observed] = [Math.exp(one.expected), Math.exp(one.observed)];
  if (one.quantity === BELOW) {
    return { expected: shown(expected, null, scale), observed: say("measured.below", { limit: shown(observed, null, scale) }) };
  }
  // Of a logarithm u is a share; of the value it is that share of it.
  return { expected: shown(expected, null, scale), observed: shown(observed, observed * one.u, scale) };
}

/* How far, as a share of what was expected: "−2.3 %". */
export function differenceOf(one) {
  if (!SCALES[one.quantity]) return null;
  const by = percent(Math.expm1(one.observed - one.expected), 2);
  return one.quantity === BELOW ? `≤\u00a0${by}` : by;
}
