/* What went wrong, and what to do next. */

import { el } from "./dom.js";
import { Trouble } from "./session.js";
import { say } from "./words.js";

export function trouble(error, again) {
  const known = error instanceof Trouble;
  if (!known) console.error(error);
  return el("div", { class: "trouble", role: "alert" },
    el("strong", {}, known && error.status ? say("trouble.title", { status: error.status }) : say("trouble.away")),
    el("p", {}, known && error.status ? error.message : String(error.message || error)),
    el("p", {}, known ? say(error.next) : say("next.any")),
    again ? el("p", {}, el("button", { type: "button", onclick: again }, say("trouble.again"))) : null);
}
