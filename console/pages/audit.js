/* What was done at the console, by whom and from where; for who manages users. */

import { el, fill } from "./dom.js";
import { count, time } from "./numbers.js";
import { part } from "./parts.js";
import { table, withQuery } from "./table.js";
import { inEnglish } from "./worded.js";
import { has, language, say, sayOr } from "./words.js";

const ROWS = 200;

export async function show(main, { query }) {
  const asked = { actor: query.get("actor"), before: query.get("before") };
  const deeds = part(say("audit.deeds"), withQuery("/api/audit", { ...asked, limit: ROWS }), drawn);
  fill(main, el("h1", {}, say("title.audit")), form(asked.actor || ""), deeds);
  await deeds.load();
}

const underscored = (text) => text.replaceAll(" ", "_");

/* An action, else what was done at the door; what was asked for without the right to it by its name. */
function deedOf(what) {
  return has(`act.${what}`) ? say(`act.${what}`) : sayOr("audit.what.", underscored(what));
}

/* How it ended; of what was refused also why, as who refused it says it. */
function outcomeOf(outcome) {
  const [word, ...why] = outcome.split(": ");
  return [sayOr("audit.outcome.", underscored(word)), why.length ? inEnglish(why.join(": "), { class: "why" }) : null];
}

function form(actor) {
  const typed = el("input", { id: "actor", name: "actor", value: actor, autocomplete: "off", spellcheck: "false" });
  return el("form", { class: "panel row", action: "/audit" },
    el("div", {}, el("label", { for: "actor" }, say("audit.actor")), typed), el("button", { class: "main" }, say("audit.show")));
}

function drawn(found, source) {
  const rows = found.deeds;
  const last = rows.at(-1);
  return [
    table([
      { title: say("audit.no"), number: true, cell: (row) => count(row.no) },
      { title: say("timeline.at"), cell: (row) => time(row.at, language()) },
      { title: say("timeline.who"), cell: (row) => row.actor },
      { title: say("audit.address"), cell: (row) => row.address },
      { title: say("timeline.what"), cell: (row) => deedOf(row.what) },
      { title: say("alerts.about"), cell: (row) => el("span", { class: "mono" }, row.about) },
      { title: say("audit.outcome"), cell: (row) => outcomeOf(row.outcome) },
    ], rows, { label: say("audit.deeds"), source, empty: say("audit.none") }),
    rows.length === ROWS
      ? el("p", {}, el("a", { href: withQuery(location.pathname + location.search, { before: last.no }) }, say("audit.older")))
      : null,
  ];
}
