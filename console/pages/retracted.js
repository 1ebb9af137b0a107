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

const PAUSE_MS = 3_000;

/* A place for them; `load()` asks anew, `heard()` tells of one more. Hundreds come at once where an
   instrument explains them, and many people look on: only who has them open asks again. Where the
   question fails what stood there stays: the page says by itself that it is stale. */
export function retracted() {
  const title = el("summary", {}), rows = el("div");
  const made = el("details", { class: "gone", hidden: true }, title, rows);
  let [many, due] = [0, null];
  const told = (now) => {
    many = now;
    made.hidden = !many;
    title.textContent = say("gone.title", { count: count(many) });
  };
  made.load = async () => {
    const found = await getJson(SOURCE).catch(() => null);
    if (!found) return;
    told(found.retractions.length);
    fill(rows, table(columns(found.retracted_by), found.retractions, { label: say("gone.label"), source: SOURCE, cards: true }));
  };
  const soon = () => { due = due || setTimeout(() => { due = null; made.load(); }, PAUSE_MS); };
  made.heard = () => {
    told(many + 1);
    if (made.open) soon();
  };
  made.addEventListener("toggle", () => { if (made.open) made.load(); });
  return made;
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
