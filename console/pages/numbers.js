/* Numbers with unit and uncertainty, and times: one way on all pages. */

const NO_BREAK = "\u00a0";

/* Sign between whole and part, and of a day; the reader's language says which. */
let decimal = ".";
let day = "d";
export function useSigns(signs) { ({ decimal, day } = signs); }
export function decimalSign() { return decimal; }

/* A number by its uncertainty: two significant digits of u, and the value to the same place.
   Without u: `digits` significant ones. Thousands apart by a narrow space in both languages. */
export function number(value, u, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "–";
  const at = Number(value);
  const known = u !== null && u !== undefined && Number(u) > 0;
  return grouped(at, known ? placesOf(Number(u), 2) : placesOf(at, digits));
}

/* How many: "1,000" in no language's own way, as all numbers here. */
export function count(value) {
  return value === null || value === undefined ? "–" : grouped(Number(value), 0);
}

/* What the books hold, in what people say: masses in kilograms, shares in percent. */
const SHOWN_IN = { fraction: [100, "%"], g: [1e-3, "kg"], mg: [1e-6, "kg"] };

/* Value, u and unit: "27 600 ± 85 kg"; of a fraction "2.30 ± 0.20 %". */
export function quantity(value, u, unit) {
  const [factor, said] = SHOWN_IN[unit] || [1, unit];
  const scaled = (one) => (one === null || one === undefined ? one : factor * Number(one));
  const [at, off] = [scaled(value), scaled(u)];
  const shown = number(at, off);
  const known = off !== null && off !== undefined && Number(off) > 0;
  const spread = known ? `${NO_BREAK}±${NO_BREAK}${grouped(Number(off), placesOf(Number(off), 2))}` : "";
  return shown === "–" ? shown : `${shown}${spread}${said ? NO_BREAK + said : ""}`;
}

/* Grams as kilograms, milligrams as kilograms: what the books hold as integers. */
export function kilograms(value, unit) {
  if (value === null || value === undefined) return null;
  return Number(value) / { g: 1e3, mg: 1e6, kg: 1, t: 1e-3 }[unit];
}

export function percent(fraction, digits = 3) {
  if (fraction === null || fraction === undefined) return "–";
  return `${number(100 * Number(fraction), null, digits)}${NO_BREAK}%`;
}

/* How sure: what is nearer to certain than its digits say is more than those say. */
export function sureness(probability) {
  return probability > 0.9995 ? `>${NO_BREAK}${percent(0.999)}` : percent(probability);
}

function placesOf(value, digits) {
  if (value === 0) return 0;
  return Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)))));
}

function grouped(value, places) {
  // Beyond what is known there are no digits: 27 613 ± 240 is 27 610 ± 240 to two of u.
  const [whole, part] = Math.abs(value).toFixed(places).split(".");
  const sign = value < 0 && Number(value.toFixed(places)) !== 0 ? "−" : "";
  const apart = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return sign + apart + (part ? decimal + part : "");
}

/* 2026-11-07T05:12:44.103Z as "7 Nov 05:12:44": UTC, as all times of the system are. */
export function time(text, language = "en") {
  if (!text) return "–";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return String(text);
  return new Intl.DateTimeFormat(language === "fr" ? "fr-FR" : "en-GB", {
    day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hour12: false, timeZone: "UTC",
    ...(at.getUTCFullYear() === new Date().getUTCFullYear() ? {} : { year: "numeric" }),
  }).format(at);
}

/* The last day, as records say days, of what ends at a time: of 2031-01-02T00:00:00Z it is 2031-01-01. */
export function lastDay(end) { return new Date(Date.parse(end) - 1).toISOString().slice(0, 10); }

/* Seconds as "7 s", "12 min", "3 h", "5 d", which is "5 j" in French. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const steps = [[86400 * 2, 86400, day], [7200, 3600, "h"], [120, 60, "min"], [-Infinity, 1, "s"]];
  const [, size, unit] = steps.find(([from]) => seconds >= from);
  return `${Math.round(seconds / size)}${NO_BREAK}${unit}`;
}
