/* Search: any id, from anywhere, to its page. */

import { el, fill, panel } from "./dom.js";
import { idLink, pageOf } from "./links.js";
import { time } from "./numbers.js";
import { getJson } from "./session.js";
import { table, withQuery } from "./table.js";
import { trouble } from "./trouble.js";
import { language, say, sayOr } from "./words.js";

export async function show(main, { query }) {
  const q = (query.get("q") || "").trim();
  const place = el("div");
  fill(main, el("h1", {}, say("title.search")), place);
  if (!q) {
    fill(place, el("p", { class: "quiet" }, say("search.how")));
    return;
  }
  try {
    const source = withQuery("/api/search", { q });
    const found = await getJson(source);
    const led = new Set(found.hits.filter((hit) => sameId(hit.id, q)).map(addressOfHit));
    // All that has the id leads to one page: there one wanted to go.
    if (led.size === 1 && !led.has(null)) location.replace([...led][0]);
    else fill(place, panel(say("search.found", { q }), hits(found.hits, source)));
  } catch (error) {
    fill(place, el("div", { class: "panel" }, trouble(error, () => location.reload())));
  }
}

const sameId = (one, other) => one.toLowerCase() === other.toLowerCase();

/* The page of what was found; of a fact, a paper, a trip or a seal, which have none, that of the lot, and
   of what somebody did that of the alert. */
function addressOfHit(hit) {
  if (hit.kind === "gateway") return "/gateways";
  if (hit.alert_id) return pageOf("alert", hit.alert_id);
  return pageOf(hit.kind, hit.id) || (hit.lot_id ? pageOf("lot", hit.lot_id) : null);
}

function hits(rows, source) {
  return table([
    { title: say("search.kind"), cell: (hit) => sayOr("kind.", hit.kind) },
    { title: say("search.id"), cell: (hit) => (addressOfHit(hit) ? el("a", { href: addressOfHit(hit), class: "id" }, hit.id) : el("span", { class: "id" }, hit.id)) },
    { title: say("kind.lot"), cell: (hit) => idLink("lot", hit.lot_id) },
    { title: say("kind.site"), cell: (hit) => idLink("site", hit.site_id) },
    { title: say("timeline.at"), cell: (hit) => time(hit.at, language()) },
  ], rows, { label: say("title.search"), source, empty: say("search.none") });
}
