/* An address that no page has. */

import { el, fill } from "./dom.js";
import { say } from "./words.js";

export function show(main) {
  fill(main, el("div", { class: "panel narrow" }, el("h1", {}, say("title.unknown")),
    el("p", {}, say("unknown.what", { path: location.pathname })), el("p", {}, say("unknown.next")),
    el("p", {}, el("a", { class: "button", href: "/now" }, say("title.now")))));
}
