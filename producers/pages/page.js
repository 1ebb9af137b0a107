/* What both pages share: elements, words, the token, the phone's storage. Whatever came from
   outside is shown as text; nothing here or elsewhere writes HTML. */
(function (custody) {
  "use strict";

  const TOKEN = "custody.token";
  const LANGUAGE = "custody.language";
  const POST_S = 20;
  const AGAIN_MS = 5000;

  /* An element with attributes and children; text children are text nodes. */
  function make(tag, attributes, children) {
    const element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      const value = attributes[name];
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) {
        element.setAttribute(name, String(value));
      }
    });
    (children || []).forEach(function (child) {
      element.append(child);
    });
    return element;
  }

  function byId(id) {
    return document.getElementById(id);
  }

  function show(element, children) {
    element.replaceChildren.apply(element, children);
  }

  /* localStorage, not sessionStorage: entries and the token have to outlive the tab, or a phone
     that restarts in the rain would send nothing until somebody pastes 50 letters with gloves on.
     A lost phone is met by revoking its token. */
  function storage() {
    try {
      return window.localStorage;
    } catch (error) {
      // Forbidden by the browser's settings: it has nothing and takes nothing, and the form says so.
      return { length: 0, key: () => null, getItem: () => null, removeItem: () => {} };
    }
  }

  function stored(name) {
    try {
      return localStorage.getItem(name);
    } catch (error) {
      return null;
    }
  }

  function store(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
      return true;
    } catch (error) {
      return false;
    }
  }

  /* What a link or a QR code brings behind the #: it never reaches a server or its log, and is
     taken out of the address bar, so that no photograph of the phone shows it. */
  function fromLink() {
    const given = new URLSearchParams(location.hash.slice(1));
    if (given.get("token")) store(TOKEN, given.get("token").trim());
    if (location.hash !== "") history.replaceState(null, "", location.pathname);
    return given;
  }

  async function answerTo(path, options) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), POST_S * 1000);
    const token = stored(TOKEN);
    const headers = Object.assign({}, options.headers);
    if (token && options.token) headers.Authorization = "Bearer " + token;
    try {
      const answer = await fetch(path, {
        method: options.method || "GET",
        body: options.body,
        headers: headers,
        signal: stop.signal,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
      const text = await answer.text();
      return {
        status: answer.status,
        body: parsed(text),
        retryAfter: answer.headers.get("Retry-After"),
        received_ms: Date.now(),
      };
    } catch (error) {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch (error) {
      return null;
    }
  }

  /* Words in every language, kept in memory: the switch works without a line, too. */
  async function readWords() {
    const names = Object.keys(custody.words.LANGUAGES);
    const all = {};
    await Promise.all(names.map(async function (name) {
      all[name] = await (await fetch("/pages/words/" + name + ".json")).json();
    }));
    return all;
  }

  function language() {
    const chosen = stored(LANGUAGE);
    return custody.words.pick(chosen ? [chosen] : navigator.languages || [navigator.language]);
  }

  /* Fill the switch of languages; `changed` is called with the words of the chosen one. */
  function speakIn(all, changed) {
    const select = byId("language");
    Object.keys(custody.words.LANGUAGES).forEach(function (name) {
      select.append(make("option", { value: name }, [custody.words.LANGUAGES[name]]));
    });
    function speak(name) {
      document.documentElement.lang = name;
      const say = custody.words.speaker(all[name]);
      document.querySelectorAll("[data-say]").forEach(function (element) {
        element.textContent = say(element.dataset.say);
      });
      select.setAttribute("aria-label", say("page.language"));
      document.title = say(document.body.dataset.title);
      changed(say);
    }
    select.value = language();
    select.addEventListener("change", function () {
      store(LANGUAGE, select.value);
      speak(select.value);
    });
    speak(select.value);
  }

  /* Run a page; where a file of it did not come over a bad network, from the start. */
  function begin(start) {
    start().catch(() => setTimeout(() => location.reload(), AGAIN_MS));
  }

  function spanText(say, seconds) {
    const span = custody.times.span(seconds);
    return say("span." + span.unit, { count: span.count });
  }

  custody.page = {
    TOKEN: TOKEN,
    make: make,
    byId: byId,
    show: show,
    storage: storage,
    stored: stored,
    store: store,
    fromLink: fromLink,
    answerTo: answerTo,
    readWords: readWords,
    speakIn: speakIn,
    spanText: spanText,
    begin: begin,
  };
})((globalThis.custody = globalThis.custody || {}));
