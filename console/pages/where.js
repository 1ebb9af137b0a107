/* Where what an alert says has happened, by its figures: between which places, on which trip, and
   whose material it is like. Pure. */

import { percent } from "./numbers.js";
import { say } from "./words.js";

/* Least probability of another site that is named, and how many are; as the worker's sentence does. */
const SITE_SAID = 0.01;
const SITES_SAID = 3;

/* "between MINE-KOV and DEPOT-LUB, trip W-1, of material like MINE-RUA's"; null where the alert has no
   such figures. alert: with `causes`, the named one first, `way` and `other_sites`. */
export function whereOf(alert) {
  const [named] = alert.causes || [];
  if (!named || !named.stations.length) return null;
  return [leg(named.stations, alert.way || []), named.movement_id && say("where.trip", { trip: named.movement_id }),
    named.site_id && like(named.site_id, alert.other_sites || [])].filter(Boolean).join(", ");
}

/* It begins on the leg to the first station it may begin at. */
function leg(stations, way) {
  const [first] = stations;
  const at = way.indexOf(first);
  if (at > 0) return say("where.between", { from: way[at - 1], to: first });
  return at === 0 ? say("where.before", { site: first }) : say("where.from", { sites: stations.join(" / ") });
}

function like(site, sites) {
  const whole = sites.reduce((sum, one) => sum + one.probability, 0) || 1;
  const shares = new Map(sites.map((one) => [one.site_id, one.probability / whole]));
  const others = [...shares].filter(([name, p]) => name !== site && p >= SITE_SAID).sort((a, b) => b[1] - a[1]).slice(0, SITES_SAID);
  if (!others.length) return say("where.like", { site });
  return say("where.like.among", { site, p: percent(shares.get(site)), others: others.map(([name, p]) => `${name} ${percent(p)}`).join(", ") });
}
