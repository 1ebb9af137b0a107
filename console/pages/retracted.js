/* What the facts took back lately: it has left the list by itself, and whoever saw it asks why. */

import { alertLink } from "./alert_table.js";
import { severityBadge } from "./badges.js";
import { causeOf } from "./cause.js";
import { el, fill } from "./dom.js";
import { subjectLink } from "./links.js";
import { count, time } from "./numbers.js";
import { getJson } from "./session.js";
import { table } from "./table.js";
import { language, say } from "./words.js";

const SOURCE = "/api/retractions?hours=8";

/* A place for them; `load()` asks anew. Where the question fails what stood there stays: the page
   says by itself that it is stale. */
export function retracted() {
  const place = el("div");
  let [said, open] = ["", false];
  place.load = async () => {
    const found = await getJson(SOURCE).catch(() => null);
    const fresh = JSON.stringify(found && found.retractions);
    if (!found || fresh === said) return;
    said = fresh;
    const made = el("details", { class: "gone", open }, el("summary", {}, say("gone.title", { count: count(found.retractions.length) })),
      table(columns(found.causes), found.retractions, { label: say("gone.label"), source: SOURCE, cards: true }));
    made.addEventListener("toggle", () => { open = made.open; });
    fill(place, found.retractions.length ? made : null);
  };
  return place;
}

function columns(causes) {
  return [
    { title: say("timeline.at"), cell: (row) => time(row.said_at, language()) },
    { title: say("alerts.severity"), cell: (row) => severityBadge(row.severity) },
    { title: say("alerts.what"), cell: alertLink },
    { title: say("alerts.about"), cell: (row) => subjectLink(row.subject) },
    { title: say("gone.by"), cell: (row) => causeOf(row, causes) },
  ];
}
