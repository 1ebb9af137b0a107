/* An instrument or a laboratory: where it measures, what is open about it, what it measured last. */

import { alertList } from "./alert_table.js";
import { ranked } from "./alerts.js";
import { el, fill, panel } from "./dom.js";
import { groupActions, outcome } from "./group_actions.js";
import { idLink } from "./links.js";
import { count, quantity, time } from "./numbers.js";
import { loadPage, part } from "./parts.js";
import { table, withQuery } from "./table.js";
import { language, say, sayOr } from "./words.js";

export async function show(main, { id }) {
  document.title = `${id} – custody`;
  const source = `/api/instruments/${encodeURIComponent(id)}`;
  const lots = el("div");
  const places = part(say("device.places"), source, (found) => {
    fill(lots, panel(say("device.lots"), measured(found.lots, source)));
    return seen(found, source);
  }, { height: 120 });
  const opened = new Set();
  const alerts = part(say("device.alerts"), "/api/alerts", (found) => [outcome, alertList(
    ranked(found.alerts.filter((alert) => isOf(alert, id))), say("device.alerts.none"),
    { opened, toggled: (key, isOpen) => (isOpen ? opened.add(key) : opened.delete(key)),
      acts: (group) => groupActions(group, () => alerts.load()) })]);
  fill(main, el("h1", {}, say("title.instruments"), " ", el("span", { class: "id" }, id)), places, alerts, lots);
  await loadPage(main, places, [alerts]);
}

/* It is what the alert is about, or its reading is the furthest from what was expected. */
function isOf(alert, id) {
  return alert.subject === `instrument/${id}` || (alert.instruments || []).includes(id);
}

function seen(found, source) {
  const said = found.known.map((one) => Object.entries(JSON.parse(one.body)).filter(([, value]) => typeof value !== "object"))[0];
  return [
    table([
      { title: say("kind.site"), cell: (row) => idLink("site", row.site_id) },
      { title: say("fact.what"), cell: (row) => sayOr("fact.", row.kind) },
      { title: say("device.facts"), number: true, cell: (row) => count(row.facts) },
      { title: say("instrument.last"), cell: (row) => time(row.last_at, language()) },
    ], found.seen, { label: say("device.places"), source: withQuery(source, { table: "seen" }), empty: say("device.unused") }),
    said ? el("p", { class: "note" }, say("device.said", { what: said.map(([name, value]) => say("cause.of", { what: sayOr("device.is.", name), of: declared(name, value) })).join(", ") })) : null,
  ];
}

/* A time of calibration counts as its day (custody.reference). */
function declared(name, value) {
  return name === "calibrated_until" ? String(value).slice(0, 10) : sayOr("device.of.", String(value));
}

function measured(rows, source) {
  return table([
    { title: say("kind.lot"), cell: (row) => idLink("lot", row.lot_id) },
    { title: say("fact.occurred"), cell: (row) => time(row.occurred_at, language()) },
    { title: say("fact.what"), cell: (row) => sayOr("fact.", row.kind) },
    { title: say("fact.document"), cell: (row) => row.document_no },
    { title: say("device.mass"), number: true, cell: (row) => (row.mass_kg === null ? null : quantity(Number(row.mass_kg), null, "kg")) },
    { title: say("kind.site"), cell: (row) => idLink("site", row.site_id) },
  ], rows, { label: say("device.lots"), source, empty: say("device.unused") });
}
