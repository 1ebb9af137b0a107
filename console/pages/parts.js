/* A page of parts: each asks for its own table, and says by itself what went wrong. */

import { el, fill, panel } from "./dom.js";
import { getJson } from "./session.js";
import { withQuery } from "./table.js";
import { trouble } from "./trouble.js";
import { say } from "./words.js";

/* Address under /api of a part of a thing, with the times of the page; its period is that part's alone. */
export function partAddress(kind, id, part, query) {
  const address = `/api/${kind}/${encodeURIComponent(id)}${part ? `/${part}` : ""}`;
  const heard = part === "period" ? ["at", "known", "period"] : ["at", "known"];
  return withQuery(address, Object.fromEntries(heard.map((name) => [name, query.get(name)])));
}

/* A panel that fills itself. `draw(answer, address)` gives what stands in it. The panel has
   `load()`, which asks anew; it keeps its place meanwhile. */
export function part(title, address, draw, options = {}) {
  const place = el("div", { class: "part", "aria-busy": "true" }, el("p", { class: "quiet" }, say("shell.loading")));
  place.style.minHeight = `${options.height || 120}px`;
  const made = panel(title, place);
  async function load() {
    made.error = null;
    try {
      const found = await getJson(address);
      fill(place, draw(found, address));
    } catch (error) {
      made.error = error;
      fill(place, trouble(error, load));
    } finally {
      place.setAttribute("aria-busy", "false");
    }
  }
  made.load = load;
  return made;
}

/* Shows what stands below a page's heading once it is there: what comes above would push it down. */
export async function shownOnce(main, isThere) {
  const below = [...main.children].slice(1);
  const waits = el("p", { class: "quiet" }, say("shell.loading"));
  below.forEach((one) => { one.hidden = true; });
  main.append(waits);
  await isThere;
  waits.remove();
  below.forEach((one) => { one.hidden = false; });
}

/* Loads a page: the part that says what the thing is, then the others. Where nothing is known of it
   that is said once. */
export async function loadPage(main, first, others) {
  await shownOnce(main, first.load());
  if (first.error && first.error.status === 404) {
    fill(main, main.querySelector("h1"), el("div", { class: "panel" }, trouble(first.error, () => location.reload())));
  } else {
    await loadAll(others);
  }
}

/* Loads parts two at a time, in their order: the warehouse answers two at once, and what is
   above is wanted first. */
export async function loadAll(parts, atOnce = 2) {
  const waiting = [...parts];
  const next = async () => {
    while (waiting.length) await waiting.shift().load();
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
