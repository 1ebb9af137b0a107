/* From what is named to its page. */

import { el } from "./dom.js";

const PAGES = { lot: "/lots/", process: "/processes/", site: "/sites/", alert: "/alerts/",
  instrument: "/instruments/", device: "/instruments/", laboratory: "/instruments/" };

/* Address of the page of a thing; null where it has none of its own. */
export function pageOf(kind, id) {
  return kind in PAGES ? PAGES[kind] + encodeURIComponent(id) : null;
}

/* The same; what has no page of its own is searched for. */
export function addressOf(kind, id) {
  return pageOf(kind, id) || `/search?q=${encodeURIComponent(id)}`;
}

/* The id in a path such as lot/L-24-0117. */
export function idOf(subject) {
  return subject.slice(subject.indexOf("/") + 1);
}

/* A link for a path such as lot/L-24-0117 or instrument/SCALE-1. */
export function subjectLink(subject) {
  const cut = subject.indexOf("/");
  const [kind, id] = cut < 0 ? ["", subject] : [subject.slice(0, cut), subject.slice(cut + 1)];
  return idLink(kind, id);
}

/* An id in a table stands in one line; one that is longer than any real one must not push the page. */
const LONG = 40;

export function idLink(kind, id) {
  return id ? el("a", { href: addressOf(kind, id), class: id.length > LONG ? "id long" : "id" }, id) : null;
}
