/* Handover: what stays open, is held, opened and changed between two times, by whom; on one sheet. */

import { ranked } from "./alerts.js";
import { inField, typed } from "./asof.js";
import { behind } from "./complete.js";
import { el, fill, panel } from "./dom.js";
import { listOf } from "./handover_lists.js";
import { count, time } from "./numbers.js";
import { getJson, session } from "./session.js";
import { sheet } from "./sheet.js";
import { withQuery } from "./table.js";
import { trouble } from "./trouble.js";
import { language, say } from "./words.js";

/* The lists in the order in which the next shift needs them, and the table of the answer each is of. */
const LISTS = { standing: "standing", held: "holds", deeds: "deeds", changed: "changes", opened: "changes" };

export async function show(main, { query }) {
  const asked = { since: query.get("since"), until: query.get("until") || minute(Date.now()) };
  const one = query.get("list") in LISTS ? query.get("list") : null;
  const source = withQuery("/api/handover", asked);
  const fields = el("div", {}, form(asked));
  const place = el("div", { class: one ? null : "sheet" }, el("p", { class: "quiet" }, say("shell.loading")));
  fill(main, el("h1", {}, say("title.handover")), fields, place);
  try {
    const found = await getJson(source);
    // The address says the times, so that it shows the same to whoever gets it; they are as the console
    // took them, whatever offset was asked with.
    const { since, until } = found;
    history.replaceState(null, "", withQuery("/handover", { since, until, list: one }));
    fill(fields, form(found));
    fill(place, page(found, withQuery("/api/handover", { since, until }), one));
  } catch (error) {
    fill(place, el("div", { class: "panel" }, trouble(error, () => location.reload())));
  }
}

function minute(at) {
  return `${new Date(at).toISOString().slice(0, 16)}:00Z`;
}

function form(span) {
  const field = (name) => {
    const value = inField(span[name] || "");
    // Seconds are asked for where there are some.
    const whole = value.endsWith(":00");
    return el("div", {}, el("label", { for: name }, say(`handover.${name}`)),
      el("input", { id: name, type: "datetime-local", value: whole ? value.slice(0, 16) : value, step: whole ? null : 1, required: true }));
  };
  const made = el("form", { class: "panel row actions" }, field("since"), field("until"),
    el("button", { class: "main" }, say("handover.show")), el("button", { type: "button", onclick: () => print() }, say("handover.print")));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(withQuery("/handover", {
      since: typed(made.querySelector("#since")), until: typed(made.querySelector("#until")) }));
  });
  return made;
}

/* All lists, cut so that they print on one sheet; or one of them, whole. */
function page(found, source, one) {
  // Raised, or open again: by a person, by the end of shelving, by new evidence.
  const opened = found.changes.filter((row) => row.state === "open" && row.before !== "open");
  const changed = found.changes.filter((row) => !opened.includes(row));
  const rows = { standing: ranked(found.standing), held: found.holds, deeds: found.deeds, changed, opened };
  const leftOut = found.left_out;
  const shown = one ? { [one]: { lines: rows[one].map((row) => ({ row })), more: 0 } } : sheet(rows);
  const more = (name) => (one ? { leftOut: leftOut[name] } : { more: shown[name].more + leftOut[name] });
  return [
    el("p", {}, say("handover.span", { since: time(found.since, language()), until: time(found.until, language()) }), " ",
      say("handover.by", { user: session.user, complete: [time(session.completeTo, language()), behind()].filter(Boolean).join("; ") })),
    el("dl", { class: "figures panel" }, Object.keys(LISTS).map((name) =>
      el("div", {}, el("dt", {}, say(`handover.${name}`)), el("dd", {}, count(rows[name].length + leftOut[name]))))),
    Object.keys(shown).map((name) => el("div", { "data-list": name }, panel(say(`handover.${name}`), listOf(name, { ...shown[name], ...more(name) }, {
      causes: found.retracted_by,
      whole: withQuery("/handover", { since: found.since, until: found.until, list: name }),
      source: withQuery(source, { table: LISTS[name] }),
    })))),
    el("p", { class: "printed" }, location.href),
  ];
}
