/* Begins every page: words, session, the bar above, what is live; then the page of the address. */

import { fill, el } from "./dom.js";
import { placeOf } from "./links.js";
import { watch } from "./live.js";
import { loadSession, session } from "./session.js";
import { showPassword, showTop } from "./top.js";
import { trouble } from "./trouble.js";
import { loadWords, preferred, say, sayDocument } from "./words.js";

/* Pages by address; `id` is what follows the first part. A module has `show(main, {id, query})`. */
const PAGES = {
  now: () => import("./now.js"),
  alerts: () => import("./alert.js"),
  handover: () => import("./handover.js"),
  gateways: () => import("./gateways.js"),
  search: () => import("./search.js"),
  lots: () => import("./lot.js"),
  sites: () => import("./site.js"),
  instruments: () => import("./instrument.js"),
  processes: () => import("./process.js"),
  explore: () => import("./explore.js"),
  audit: () => import("./audit.js"),
};
const unknown = () => import("./unknown.js");

async function begin() {
  await loadWords(preferred());
  sayDocument(document);
  const main = document.getElementById("main");
  try {
    await loadSession();
    const { name, id } = placeOf(location.pathname);
    document.title = `${name in PAGES ? say(`title.${name}`) : say("title.unknown")} – custody`;
    showTop(Object.keys(PAGES).map((page) => `/${page}`));
    if (session.mustChange) {
      showPassword();
      return;
    }
    watch();
    const page = await (PAGES[name] || unknown)();
    await page.show(main, { id, query: new URLSearchParams(location.search) });
  } catch (error) {
    fill(main, el("div", { class: "panel" }, trouble(error, () => location.reload())));
  } finally {
    document.body.classList.add("is-ready");
  }
}

begin();
