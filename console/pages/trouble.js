/* What went wrong, and what to do next. */

import { el } from "./dom.js";
import { Trouble } from "./session.js";
import { inEnglish } from "./worded.js";
import { has, language, say } from "./words.js";

/* Of these what is wrong with this very request is in the server's words alone. */
const PARTICULAR = new Set(["bad-field", "bad-query", "beyond-bounds", "internal", "missing-field", "not-allowed",
  "query-failed", "refused", "unfit-password", "unknown-field"]);

/* What went wrong, in the reader's language, and in the server's English what that does not say. */
export function inWords(error) {
  const named = has(`problem.${error.name}`) && !(language() === "en" && PARTICULAR.has(error.name));
  const more = error.message && (!named || PARTICULAR.has(error.name));
  return [named ? el("p", {}, say(`problem.${error.name}`)) : null,
    more ? el("p", {}, named ? say("trouble.server") : "", named ? " " : "", inEnglish(error.message)) : null];
}

export function trouble(error, again) {
  const known = error instanceof Trouble;
  const slow = known && error.name === "slow";
  if (!known) console.error(error);
  return el("div", { class: "trouble", role: "alert" },
    el("strong", {}, known && error.status ? say("trouble.title", { status: error.status }) : say(slow ? "trouble.slow" : "trouble.away")),
    known && error.status ? inWords(error) : slow ? null : el("p", {}, inEnglish(String(error.message || error))),
    el("p", {}, known ? say(error.next) : say("next.any")),
    again ? el("p", {}, el("button", { type: "button", onclick: again }, say("trouble.again"))) : null);
}
