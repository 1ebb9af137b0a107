/* Gateways: when each was last heard, what is missing of it, what is open about it. */

import { alertList } from "./alert_table.js";
import { ranked } from "./alerts.js";
import { el, fill, panel } from "./dom.js";
import { idLink } from "./links.js";
import { count, duration, time } from "./numbers.js";
import { getJson } from "./session.js";
import { table } from "./table.js";
import { trouble } from "./trouble.js";
import { language, say } from "./words.js";

const SILENT_S = 180;
const SOURCE = "/api/gateways";
const ANEW_MS = 30_000;

export async function show(main) {
  const places = { list: el("div"), alerts: el("div") };
  fill(main, el("h1", {}, say("title.gateways")),
    panel(say("gateways.list"), el("p", { class: "note" }, say("gateways.note")), places.list),
    panel(say("gateways.alerts"), places.alerts));
  const load = async () => {
    try {
      const [found, standing] = await Promise.all([getJson(SOURCE), getJson("/api/alerts")]);
      fill(places.list, gatewayTable(found.gateways));
      const about = standing.alerts.filter((alert) => alert.subject.startsWith("gateway/") || alert.rule === "site_silent");
      fill(places.alerts, alertList(ranked(about), say("gateways.none")));
    } catch (error) {
      fill(places.list, trouble(error, load));
    }
  };
  setInterval(load, ANEW_MS);
  await load();
}

function gatewayTable(rows) {
  return table([
    { title: say("gateways.id"), cell: (row) => el("span", { class: "id" }, row.gateway_id) },
    { title: say("gateways.state"), cell: stateOf },
    { title: say("gateways.sites"), cell: (row) => row.sites.map((site) => [idLink("site", site), " "]) },
    { title: say("gateways.head"), cell: (row) => time(row.last_head_at, language()) },
    { title: say("gateways.said"), number: true, cell: (row) => count(row.head_seq) },
    { title: say("gateways.stored"), number: true, cell: (row) => count(row.complete_seq) },
    { title: say("gateways.missing"), number: true, cell: (row) => count(row.missing) },
    { title: say("complete.to"), cell: (row) => time(row.complete_to, language()) },
  ], rows, { label: say("gateways.list"), source: SOURCE, empty: say("gateways.empty") });
}

function stateOf(row) {
  const light = (kind, text) => el("span", { class: `light ${kind}` }, el("span", { class: "dot", "aria-hidden": "true" }), text);
  if (row.last_head_at === null) return light("unknown", say("gateways.unheard"));
  if (row.silent_s > SILENT_S) return light("stale", say("gateways.silent", { since: duration(row.silent_s) }));
  if (row.stored_seq > row.complete_seq) return light("stale", say("gateways.gap"));
  return light("live", say("gateways.well"));
}
