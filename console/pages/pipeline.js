/* How the pipeline is: its parts by their heartbeat, and up to when each site is complete. */

import { BEHIND_MS } from "./complete.js";
import { el } from "./dom.js";
import { failing, state } from "./live.js";
import { count, duration, time } from "./numbers.js";
import { table } from "./table.js";
import { inEnglish } from "./worded.js";
import { language, say } from "./words.js";

const PARTS = ["worker", "sink", "stream"];

export function pipelineParts() {
  const silent = failing().some((one) => one.name === "console");
  return el("ul", { class: "parts" }, PARTS.map((name) => part(name, silent)));
}

function part(name, silent) {
  const found = state.parts[name];
  const known = found !== null && found !== undefined && !silent;
  const kind = !known ? "unknown" : found.ok ? "live" : "stale";
  const said = known ? say(found.ok ? "part.ok" : "part.bad") : say(silent ? "part.silent" : "part.unwatched");
  return el("li", { class: `light ${kind}` }, el("span", { class: "dot", "aria-hidden": "true" }),
    el("span", {}, el("strong", {}, say(`part.${name}`)), ` ${said}`,
      known && found.since_s !== null ? el("span", { class: "why" }, say("part.since", { since: duration(found.since_s) })) : null,
      known && found.reason ? inEnglish(found.reason, { class: "why" }) : null));
}

/* More than so many sites and only those that are behind are read; the others are folded. */
const READ_MAX = 8;
let unfolded = false;

/* rows: site_id (empty for all) and complete_to. */
export function completeTable(rows) {
  if (rows.length <= READ_MAX) return ofSites(rows);
  const furthest = Math.max(...rows.map((row) => Date.parse(row.complete_to)));
  const first = rows.filter((row) => !row.site_id || furthest - Date.parse(row.complete_to) > BEHIND_MS);
  const rest = rows.filter((row) => !first.includes(row));
  const made = el("details", { class: "numbers bounded", open: unfolded }, el("summary", {}, say("complete.rest", { count: count(rest.length) })), ofSites(rest));
  made.addEventListener("toggle", () => { unfolded = made.open; });
  return [el("div", { class: "bounded" }, ofSites(first)), rest.length ? made : null];
}

function ofSites(rows) {
  return table([
    { title: say("complete.site"), cell: (row) => row.site_id || say("complete.all") },
    { title: say("complete.to"), cell: (row) => time(row.complete_to, language()) },
  ], rows, { label: say("complete.title"), empty: say("complete.none") });
}
