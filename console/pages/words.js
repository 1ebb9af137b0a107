/* All texts, in the language of the reader. */

export const LANGUAGES = { en: "English", fr: "Français" };

import { useSigns } from "./numbers.js";

let words = {};
let chosen = "en";

export function language() { return chosen; }

/* The language that was chosen here, else the first of the browser's that we have. */
export function preferred() {
  const atLogin = /(?:^|; )custody-language=(\w\w)/.exec(document.cookie);
  const kept = localStorage.getItem("custody.language") || (atLogin && atLogin[1]);
  const wanted = [kept, ...navigator.languages].filter(Boolean).map((name) => name.slice(0, 2));
  return wanted.find((name) => name in LANGUAGES) || "en";
}

export async function loadWords(name) {
  const answer = await fetch(`/pages/words/${name}.json`);
  words = await answer.json();
  chosen = name;
  document.documentElement.lang = name;
  useSigns(name === "fr" ? { decimal: ",", day: "j" } : { decimal: ".", day: "d" });
}

export function chooseLanguage(name) {
  localStorage.setItem("custody.language", name);
  // For the login, which runs no script.
  document.cookie = `custody-language=${name}; path=/; max-age=31536000; samesite=lax`;
  location.reload();
}

/* Whether a number takes the singular: in French none does, too. */
export function isOne(count) { return new Intl.PluralRules(chosen).select(count) === "one"; }

/* A text, with its {values}. Of an unknown name the name: it is seen, and a test fails on it. */
export function say(name, values) {
  const text = words[name];
  if (text === undefined) return name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => (values && key in values ? String(values[key]) : whole));
}

/* Whether there is such a text. */
export function has(name) { return words[name] !== undefined; }

/* A text of a list that may grow in the system before it grows here: `family.loss`, else `loss`. */
export function sayOr(prefix, name) {
  const text = words[prefix + name];
  return text === undefined ? String(name).replaceAll("_", " ") : text;
}

/* Texts of the document itself. */
export function sayDocument(root) {
  for (const one of root.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  for (const one of root.querySelectorAll("[data-say-label]")) {
    one.setAttribute("aria-label", say(one.dataset.sayLabel));
    one.setAttribute("placeholder", say(one.dataset.sayLabel));
  }
}
