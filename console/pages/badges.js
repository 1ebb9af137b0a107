/* Severity and state, as a shape and a word: never a colour alone. */

import { el } from "./dom.js";
import { sayOr } from "./words.js";

const SHAPES = { critical: "◆", high: "▲", medium: "■", low: "●" };

export function severityBadge(severity) {
  return el("span", { class: `badge ${severity in SHAPES ? severity : "low"}` },
    el("span", { "aria-hidden": "true" }, SHAPES[severity] || "●"), " ", sayOr("severity.", severity));
}

export function stateBadge(state) {
  return el("span", { class: `state ${state}` }, sayOr("state.", state));
}
