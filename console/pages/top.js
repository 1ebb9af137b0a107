/* The bar above every page: where one can go, search, how live it is, who one is. */

import { completeText } from "./complete.js";
import { el, fill } from "./dom.js";
import { failing, on, state } from "./live.js";
import { duration } from "./numbers.js";
import { changePassword, logOut, may, session } from "./session.js";
import { trouble } from "./trouble.js";
import { inEnglish } from "./worded.js";
import { LANGUAGES, chooseLanguage, language, say } from "./words.js";

const PLACES = [["/now", "nav.now", "see"], ["/handover", "nav.handover", "see"],
  ["/gateways", "nav.gateways", "see"], ["/explore", "nav.explore", "ask"]];

export function showTop(known) {
  const nav = document.getElementById("nav");
  const places = PLACES.filter(([path, , right]) => may(right) && known.includes(path));
  fill(nav, places.map(([path, word]) =>
    el("a", { href: path, "aria-current": location.pathname === path ? "page" : null }, say(word))));
  nav.setAttribute("aria-label", say("shell.pages"));
  document.getElementById("search").hidden = !known.includes("/search");
  document.getElementById("q").value =
    location.pathname === "/search" ? new URLSearchParams(location.search).get("q") || "" : "";
  showMenu();
  on("state", showLight);
  addEventListener("custody:complete", showLight);
  addEventListener("keydown", toSearch);
}

/* "/" goes to the search, as in many a control room's programs, unless somebody is writing. */
function toSearch(event) {
  const writing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || "");
  if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("q").focus();
}

function showLight() {
  const light = document.getElementById("light");
  const bad = failing();
  light.className = `light ${state.ok === null ? "unknown" : state.ok ? "live" : "stale"}`;
  const text = state.ok === null ? say("light.unknown") : state.ok ? say("light.live") : say("light.stale");
  const shown = [text, completeText()].filter(Boolean).join(" · ");
  const place = document.getElementById("light-text");
  if (place.textContent !== shown) place.textContent = shown;
  document.body.classList.toggle("is-stale", bad.length > 0);
  const banner = document.getElementById("stale");
  banner.hidden = !bad.length;
  if (bad.length) fill(banner, el("strong", {}, say("stale.title")), " ", bad.map(why), " ", say("stale.next"));
}

function why(part) {
  const since = part.since_s === null || part.since_s === undefined ? "" : duration(part.since_s);
  const text = since ? say(`stale.${part.name}`, { since }) : say(`stale.${part.name}.never`);
  return el("span", {}, text, part.reason ? [" (", inEnglish(part.reason), ")"] : "", ". ");
}

function showMenu() {
  document.getElementById("who").textContent = session.user;
  const pick = (id, word, values, now, chosen) => el("p", {},
    el("label", { for: id }, say(word)),
    el("select", { id, onchange: (event) => chosen(event.target.value) },
      Object.entries(values).map(([value, text]) => el("option", { value, selected: value === now }, text))));
  fill(document.getElementById("menu-panel"),
    el("p", { class: "note" }, say("menu.role", { role: say(`role.${session.role}`) })),
    pick("language", "menu.language", LANGUAGES, language(), chooseLanguage),
    pick("theme", "menu.theme", { system: say("theme.system"), light: say("theme.light"), dark: say("theme.dark") },
      document.documentElement.dataset.theme || "system", chooseTheme),
    may("manage") ? el("p", {}, el("a", { href: "/audit" }, say("title.audit"))) : null,
    el("p", {}, el("button", { type: "button", onclick: () => showPassword() }, say("menu.password"))),
    el("p", {}, el("button", { type: "button", onclick: logOut }, say("menu.logout"))));
}

function chooseTheme(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  if (theme === "system") localStorage.removeItem("custody.theme");
  else localStorage.setItem("custody.theme", theme);
  dispatchEvent(new CustomEvent("custody:theme"));
}

/* The form to change one's own password; the only thing to do for who must. */
export function showPassword() {
  document.getElementById("menu").open = false;
  const outcome = el("div", {});
  const field = (id, word, autocomplete) => el("p", {}, el("label", { for: id }, say(word)),
    el("input", { id, type: "password", autocomplete, required: true, minlength: id === "new" ? 12 : null }));
  const form = el("form", { class: "panel narrow", onsubmit: submit },
    el("h1", {}, say("password.title")),
    session.mustChange ? el("p", {}, say("password.must")) : null,
    field("old", "password.old", "current-password"), field("new", "password.new", "new-password"),
    el("p", {}, el("label", { class: "check" }, el("input", { id: "shown", type: "checkbox", onchange: showTyped }),
      say("password.show"))),
    el("p", {}, el("button", { class: "main" }, say("password.change"))), outcome);
  // What one can read one need not type twice.
  function showTyped(event) {
    for (const id of ["old", "new"]) form.querySelector(`#${id}`).type = event.target.checked ? "text" : "password";
  }
  async function submit(event) {
    event.preventDefault();
    try {
      await changePassword(form.querySelector("#old").value, form.querySelector("#new").value);
      location.assign("/now");
    } catch (error) {
      fill(outcome, trouble(error));
    }
  }
  fill(document.getElementById("main"), form);
  form.querySelector("#old").focus();
}
