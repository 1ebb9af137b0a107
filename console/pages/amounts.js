/* Amounts of the books: integers in a row's own unit, shown as people weigh. */

import { el } from "./dom.js";
import { attributeOf, qualityOf } from "./named.js";
import { quantity } from "./numbers.js";
import { sayOr } from "./words.js";

/* Masses in tonnes, contained metal in kilograms, attributes in their own unit: millionths each. */
export function unitOf(row) {
  if (row.class === "mass") return "t";
  return row.class === "metal" ? "kg" : row.unit.replace(/^micro /, "");
}

export function shown(value) {
  return value === null || value === undefined ? null : Number(value) / 1e6;
}

/* Value, u and unit of a row of the books. Of a sum whose u is known in part there is none: that of
   some of its parts would be taken for that of all. */
export function amount(row, value = row.value, u = row.u) {
  return quantity(shown(value), row.without_u ? null : shown(u), unitOf(row));
}

/* "u not known of 1 of 3", by `say`: of how many of the `parts` of a sum; null where of none.
   Attributes come without u, all of them. */
export function unknownU(row, parts, say) {
  return row.without_u && row.class !== "attribute" ? say("amount.unknown_u", { missing: row.without_u, all: parts }) : null;
}

/* Value and u as a cell; beside a sum, of how many of its `parts` u is not known. */
export function amountOf(row, parts, say) {
  const unknown = unknownU(row, parts, say);
  return [amount(row), unknown ? el("span", { class: "why" }, unknown) : null];
}

/* "wet", "dry", an analyte, or an attribute with its quality, by `say`. */
export function nameOf(row, say) {
  if (row.class === "mass") return say(row.quantity === "wet" ? "amount.wet" : "amount.dry");
  if (row.class !== "attribute") return row.quantity;
  return row.quality ? `${attributeOf(row.quantity)} (${qualityOf(row.quality)})` : attributeOf(row.quantity);
}

/* "LAB-2/moisture", "other": a scale or laboratory, and what of it. */
function sourceOf(source) {
  const [, by, of] = /^(.*)\/(\w+)$/.exec(source) || [];
  return of ? `${by}/${sayOr("source.", of)}` : sayOr("source.", source);
}

/* The largest parts of u with where they come from. */
export function partsOf(row, most = 3) {
  if (row.u === null || row.u === undefined || row.without_u) return null;
  const named = Object.entries(row.u_systematic || {}).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  return named.slice(0, most).map(([source, u]) => `${sourceOf(source)} ${quantity(shown(u), null, unitOf(row))}`)
    .concat(named.length > most ? [`+${named.length - most}`] : []).join(", ");
}

/* The rows that are sums over places, else those of the one place there is. */
export function totals(rows) {
  const sums = rows.filter((row) => row.place === "total");
  return sums.length ? sums : rows;
}
