/* A result as a table: the unit of a column is the end of its name. */

import { el } from "./dom.js";
import { table } from "./table.js";
import { say } from "./words.js";

const UNITS = {
  kg: "kg", g: "g", mg: "mg", t: "t", fraction: "0–1", percent: "%", s: "s", ms: "ms", min: "min", hours: "h",
  at: "UTC", to: "UTC", day: "UTC", deg: "°", m3: "m³", micro: "10⁻⁶",
};

/* The unit that a name ends in; null where it names none. */
export function unitOf(name) {
  const end = /_([a-z0-9]+)$/.exec(name);
  return end && end[1] in UNITS ? UNITS[end[1]] : null;
}

/* found: an answer in the format JSONCompact. */
export function resultTable(found, most) {
  const columns = found.meta.map((one, index) => {
    const unit = unitOf(one.name);
    const isNumber = /^(Nullable\()?(U?Int|Float|Decimal)/.test(one.type);
    return {
      title: el("span", {}, one.name, unit ? el("span", { class: "unit" }, ` ${unit}`) : null),
      number: isNumber,
      cell: (row) => cell(row[index]),
    };
  });
  return table(columns, found.data.slice(0, most), { label: say("explore.result"), empty: say("explore.none") });
}

function cell(value) {
  if (value === null) return el("span", { class: "quiet" }, "NULL");
  if (value === "") return el("span", { class: "quiet" }, "''");
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ");
  return Object.entries(value).map(([name, one]) => `${name} ${one}`).join(", ");
}
