/* What is held: lots and loads of them, by whom, since when and why. */

import { el } from "./dom.js";
import { idLink } from "./links.js";
import { count, time } from "./numbers.js";
import { table } from "./table.js";
import { language, say } from "./words.js";

/* rows: of /api/holds; with `most` only so many are shown. */
export function heldTable(rows, source, most = rows.length) {
  return [table(holdColumns(), rows.slice(0, most), { label: say("held.title"), source, empty: say("held.none"), cards: true }),
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

/* Holds that stand: what `action`, as it was done just now, makes of them. */
export function afterAction(rows, action) {
  if (!["hold", "release"].includes(action.action) || !action.subject.startsWith("lot/")) return rows;
  const lot_id = action.subject.slice("lot/".length);
  const load = action.movement_id || null;
  if (action.action === "hold") {
    const others = rows.filter((row) => row.hold_id !== action.event_id);
    return [...others, { lot_id, movement_id: load, hold_id: action.event_id, actor: action.actor, reason: action.reason, since: action.recorded_at }];
  }
  // One that names no hold ends all of the lot, or of the load.
  return rows.filter((row) => (action.hold_id ? row.hold_id !== action.hold_id : row.lot_id !== lot_id || (row.movement_id || null) !== load));
}
