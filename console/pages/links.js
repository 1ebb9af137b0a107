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

/* The page that an address is of, as the first part of it, and the id of what the page is about; no name
   where a page of one thing is asked for without an id. What no browser would have written so
   (/lots/%) is an id as it stands. */
export function placeOf(path) {
  const [, name, ...rest] = path.split("/");
  const id = decoded(rest.join("/"));
  return id || !Object.values(PAGES).includes(`/${name}/`) ? { name, id } : { name: "", id };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
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
