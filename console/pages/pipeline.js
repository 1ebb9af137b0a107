/* How the pipeline is: its parts by their heartbeat, and up to when each site is complete. */

import { el } from "./dom.js";
import { failing, state } from "./live.js";
import { duration, time } from "./numbers.js";
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

/* rows: site_id (empty for all) and complete_to. */
export function completeTable(rows) {
  return table([
    { title: say("complete.site"), cell: (row) => row.site_id || say("complete.all") },
    { title: say("complete.to"), cell: (row) => time(row.complete_to, language()) },
  ], rows, { label: say("complete.title"), empty: say("complete.none") });
}
