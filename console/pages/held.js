/* What is held: lots and loads of them, by whom, since when and why. */

import { el } from "./dom.js";
import { idLink } from "./links.js";
import { count, time } from "./numbers.js";
import { table } from "./table.js";
import { language, say } from "./words.js";

/* rows: of /api/holds; with `most` only so many are shown. */
export function heldTable(rows, source, most = rows.length) {
  return [table(holdColumns(), rows.slice(0, most), { label: say("held.title"), source, empty: say("held.none") }),
  rows.length > most ? el("p", { class: "note" }, say("table.more", { shown: most, all: count(rows.length) })) : null];
}

export function holdColumns() {
  return [
    { title: say("held.lot"), cell: (row) => idLink("lot", row.lot_id) },
    { title: say("held.load"), cell: (row) => (row.movement_id ? idLink("movement", row.movement_id) : say("lot.all")) },
    { title: say("alerts.since"), cell: (row) => time(row.since, language()) },
    { title: say("timeline.who"), cell: (row) => row.actor },
    { title: say("act.reason"), cell: (row) => row.reason },
  ];
}

/* Holds by lot and load: what `action`, as it was done just now, makes of them. */
export function afterAction(rows, action) {
  if (!["hold", "release"].includes(action.action) || !action.subject.startsWith("lot/")) return rows;
  const lot_id = action.subject.slice("lot/".length);
  const isIt = (row) => row.lot_id === lot_id && (row.movement_id || null) === (action.movement_id || null);
  const before = rows.find(isIt);
  const others = rows.filter((row) => !isIt(row));
  if (action.action === "release") return others;
  return [...others, { lot_id, movement_id: action.movement_id, actor: action.actor, reason: action.reason,
    since: before ? before.since : action.recorded_at }];
}
