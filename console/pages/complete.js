/* Up to when everything is complete, and which sites are behind the furthest one. */

import { duration, time } from "./numbers.js";
import { session } from "./session.js";
import { language, say } from "./words.js";

/* Gateways say a head once a minute, so sites are a minute or two apart as a rule. */
export const BEHIND_MS = 180_000;

/* In one line; null where it is not known. */
export function completeText() {
  if (!session.completeTo) return null;
  return [say("light.complete", { time: time(session.completeTo, language()) }), behind()].filter(Boolean).join(" · ");
}

/* Which site is behind the furthest one by how much, and how many more; null where none is. */
export function behind() {
  const ends = Object.entries(session.completeSites).map(([site, to]) => [site, Date.parse(to)]);
  const furthest = Math.max(...ends.map(([, at]) => at));
  const late = ends.filter(([, at]) => furthest - at > BEHIND_MS).sort((one, other) => one[1] - other[1]);
  if (!late.length) return null;
  const [site, at] = late[0];
  const worst = say("light.behind", { site, by: duration((furthest - at) / 1000) });
  return late.length > 1 ? `${worst}, +${late.length - 1}` : worst;
}
