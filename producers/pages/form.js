/* The form page: what is typed is stored on the phone first, then sent, then told. */
(function (custody) {
  "use strict";

  const page = custody.page;
  const make = page.make;
  const MEMORY = "custody.memory";
  const DRAFT = "custody.draft.";
  const LOOK_MS = 15000;
  const TICK_MS = 10000;
  const RECENT_MAX = 20;
  const SKEW_TOLD_MS = 120000;
  const DOUBLE_TAP_MS = 800;

  const queue = new custody.Queue(page.storage());
  let forms = {};
  let say = String;
  let name = "ticket";
  let state = null;
  let line = { reachable: null, skewMs: null };
  let sending = false;
  let tapped = false;
  let again = false;
  let timer = null;
  let lastId = null;
  let fileUrl = null;

  function memory() {
    try {
      return JSON.parse(page.stored(MEMORY)) || {};
    } catch (error) {
      return {};
    }
  }

  function remember(changes) {
    page.store(MEMORY, JSON.stringify(Object.assign(memory(), changes)));
  }

  /* A fresh state of a form: what is remembered, or a draft that was not sent. */
  function opened(formName, fresh) {
    const known = memory();
    const blank = { typed: {}, chosen: {}, time: null };
    let draft = null;
    try {
      draft = fresh ? null : JSON.parse(page.stored(DRAFT + formName));
    } catch (error) {
      draft = null;
    }
    const begun = Object.assign(blank, draft);
    forms[formName].fields.forEach(function (field) {
      const has = begun.typed[field.name] !== undefined;
      if (field.remember && !has && known[field.name]) begun.typed[field.name] = known[field.name];
    });
    const zone = typeof known.zone === "number" ? known.zone : null;
    return Object.assign(begun, { faults: [], questions: [], doubts: [], seen: "", zone: zone, replaces: begun.replaces || null });
  }

  function keepDraft() {
    const draft = { typed: state.typed, chosen: state.chosen, time: state.time, replaces: state.replaces };
    page.store(DRAFT + name, JSON.stringify(draft));
    remember({ zone: state.zone });
  }

  function view() {
    return {
      element: page.byId("form"),
      form: forms[name],
      say: say,
      state: state,
      recent: (field) => (memory().recent || {})[field] || [],
      changed: keepDraft,
      answered: function (field) {
        state.questions = state.questions.filter((item) => item.field !== field);
        keepDraft();
        drawForm();
        page.byId("f-" + field).focus();
      },
    };
  }

  function drawForm() {
    custody.fields.draw(view());
    page.byId("submit").disabled = tapped;
  }

  function drawTabs() {
    page.show(page.byId("forms"), Object.keys(forms).map(function (formName) {
      const pressed = formName === name ? "true" : "false";
      const button = make("button", { type: "button", "aria-pressed": pressed }, [say("form." + formName)]);
      button.addEventListener("click", function () {
        name = formName;
        state = opened(name, false);
        tell(null);
        drawTabs();
        drawForm();
      });
      return button;
    }));
  }

  /* Show lines of text in the box above the form; null hides it. */
  function tell(kind, lines) {
    const box = page.byId("outcome");
    box.hidden = kind === null;
    box.className = "outcome " + (kind || "");
    page.show(box, (lines || []).map((text) => make("p", {}, [text])));
    if (kind !== null) box.focus();
  }

  function submit(event) {
    event.preventDefault();
    // The second of a double tap would meet an emptied form, or agree to a doubt nobody has read.
    if (tapped) return;
    rest();
    const form = forms[name];
    const nowMs = Date.now();
    const made = custody.entries.build(form, state.typed, {
      occurred_at: custody.fields.occurredAt(state, nowMs),
      skewMs: state.time === null ? line.skewMs : null,
      chosen: state.chosen,
      lastKg: (memory().last_kg || {})[state.typed.device_id] || null,
    });
    const twin = custody.twin(made.request, queue.all(), state.replaces);
    if (twin !== null) made.doubts.push({ say: "twin", values: { at: timeText(twin.made_ms) } });
    state.faults = made.faults;
    state.questions = made.questions;
    const unclear = made.faults.length + made.questions.length > 0;
    state.doubts = unclear ? [] : made.doubts;
    const doubts = JSON.stringify(state.doubts);
    if (unclear || (state.doubts.length > 0 && state.seen !== doubts)) {
      state.seen = unclear ? "" : doubts;
      drawForm();
      tell("attention", [say(unclear ? "page.look" : "page.doubtful")].concat(
        state.doubts.map((item) => say("doubt." + item.say, item.values))));
      focusFirst();
      return;
    }
    keep(made.request, nowMs);
  }

  function rest() {
    const allow = function (free) {
      tapped = !free;
      const button = page.byId("submit");
      if (button !== null) button.disabled = tapped;
    };
    allow(false);
    setTimeout(() => allow(true), DOUBLE_TAP_MS);
  }

  function focusFirst() {
    const first = state.questions.concat(state.faults)[0];
    const element = first && document.querySelector('[data-field="' + first.field + '"] :is(button, input, select, textarea)');
    if (element) element.focus();
  }

  function keep(request, nowMs) {
    const id = nowMs.toString(36) + "-" + Math.random().toString(36).slice(2, 8);
    const entry = {
      id: id, form: name, request: request, typed: state.typed, chosen: state.chosen,
      time: state.time, zone: state.zone, made_ms: nowMs, state: "unsent", say: "unsent", item: null,
    };
    if (!queue.put(entry)) {
      tell("bad", [say("page.storage_full")]);
      return;
    }
    if (state.replaces) queue.remove(state.replaces);
    learn(request);
    page.store(DRAFT + name, null);
    state = opened(name, true);
    lastId = id;
    drawForm();
    tell("sending", [say("page.sending")]);
    run();
  }

  /* Remember what the next entry will likely need again. */
  function learn(request) {
    const known = memory();
    const recent = known.recent || {};
    const changes = { recent: recent };
    forms[name].fields.forEach(function (field) {
      const value = (state.typed[field.name] || "").trim();
      if (field.remember && value !== "") changes[field.name] = value;
      if (field.recent && value !== "") {
        const others = (recent[field.name] || []).filter((item) => item !== value);
        recent[field.name] = [value].concat(others).slice(0, RECENT_MAX);
      }
    });
    const kg = custody.entries.heaviestKg(request);
    if (kg) changes.last_kg = Object.assign({}, known.last_kg, { [request.device_id]: kg });
    remember(changes);
  }

  async function post(request) {
    return page.answerTo("/v1/events", {
      method: "POST",
      body: JSON.stringify(request),
      headers: { "Content-Type": "application/json" },
      token: true,
    });
  }

  /* Send what waits; one run at a time, and one more where something came meanwhile. */
  async function run() {
    if (sending) {
      again = true;
      return;
    }
    clearTimeout(timer);
    sending = true;
    again = false;
    drawToday();
    const verdict = await custody.drain(queue, post, Date.now);
    sending = false;
    if (verdict !== null) line.reachable = verdict.say !== "unreachable";
    drawToday();
    tellLast();
    if (verdict === null && again) run();
    else if (verdict !== null && verdict.waitS !== null) timer = setTimeout(run, verdict.waitS * 1000);
  }

  function tellLast() {
    const entry = lastId === null ? null : queue.get(lastId);
    if (entry === null) return;
    tell(entry.state, [custody.entries.nameOf(entry.request)].concat(custody.wording.outcome(say, entry)));
    if (entry.state !== "unsent") lastId = null;
    // A refused entry goes back into the form, unless somebody is at the next one already.
    if (entry.state === "attention" && page.stored(DRAFT + entry.form) === null && entry.form === name) {
      correct(entry);
    }
  }

  function correct(entry) {
    name = entry.form;
    state = opened(name, true);
    state.typed = Object.assign({}, entry.typed);
    state.chosen = Object.assign({}, entry.chosen);
    state.time = entry.time || entry.request.occurred_at.slice(0, 16);
    state.zone = entry.zone;
    state.replaces = entry.id;
    const field = entry.item && entry.item.field ? entry.item.field : "";
    const known = forms[name].fields.find((item) => item.name === field || item.name.split(".")[0] === field.split(".")[0]);
    if (known && entry.say === "refused") {
      state.faults = [{ field: known.name, say: "refused", values: { why: custody.wording.refused(say, entry.item) } }];
    }
    keepDraft();
    drawTabs();
    drawForm();
  }

  function timeText(ms) {
    return new Date(ms).toLocaleString(document.documentElement.lang);
  }

  function entryOf(entry) {
    const parts = [
      make("p", {}, [make("strong", {}, [say("form." + entry.form) + " \u00b7 " + custody.entries.nameOf(entry.request)])]),
      make("p", {}, [timeText(entry.made_ms)]),
    ];
    custody.wording.outcome(say, entry).forEach((text) => parts.push(make("p", {}, [text])));
    if (entry.state === "attention") {
      const mend = make("button", { type: "button" }, [say("page.correct")]);
      mend.addEventListener("click", function () {
        correct(entry);
        page.byId("form").scrollIntoView();
      });
      parts.push(mend, discardOf(entry));
    }
    return make("div", { class: "entry " + entry.state }, parts);
  }

  /* A refused entry is thrown away by two taps, never by one. */
  function discardOf(entry) {
    const button = make("button", { type: "button" }, [say("page.discard")]);
    let sure = false;
    button.addEventListener("click", function () {
      if (sure) {
        queue.remove(entry.id);
        drawToday();
      }
      sure = true;
      button.textContent = say("page.discard_sure");
    });
    return button;
  }

  function drawToday() {
    const midnight = new Date().setHours(0, 0, 0, 0);
    const shown = queue.all().filter((entry) => entry.state !== "sent" || entry.made_ms >= midnight);
    page.show(page.byId("today"), shown.reverse().map(entryOf));
    const waiting = queue.waiting().length;
    page.byId("send").hidden = waiting === 0;
    const save = page.byId("save");
    save.hidden = waiting === 0;
    if (fileUrl !== null) URL.revokeObjectURL(fileUrl);
    fileUrl = waiting === 0 ? null : URL.createObjectURL(new Blob([queue.ndjson()], { type: "application/x-ndjson" }));
    if (fileUrl !== null) {
      save.href = fileUrl;
      save.download = "custody-unsent.ndjson";
    }
    drawLine(waiting);
  }

  function drawLine(waiting) {
    const parts = [say("page.unsent", { count: waiting })];
    if (line.reachable === false) parts.push(say("page.away"));
    if (line.reachable === true) parts.push(say("page.reachable"));
    const known = page.stored(page.TOKEN) !== null;
    if (!known) parts.push(say("page.token_missing"));
    if (line.skewMs !== null && Math.abs(line.skewMs) > SKEW_TOLD_MS) {
      parts.push(say("page.clock_off", { off: page.spanText(say, Math.abs(line.skewMs) / 1000) }));
    }
    const bar = page.byId("line");
    bar.className = "bar" + (line.reachable === false || waiting > 0 || !known ? " bad" : "");
    const text = parts.join(" \u00b7 ");
    if (bar.textContent !== text) bar.textContent = text;
    page.byId("token-state").textContent = say(known ? "page.token_known" : "page.token_missing");
  }

  /* Ask how the gateway is: whether it can be reached, and how far this clock is off. */
  async function look() {
    const before = Date.now();
    const answer = await page.answerTo("/health", {});
    const ours = answer !== null && answer.body !== null && answer.body.status !== undefined;
    const was = line.reachable;
    line.reachable = ours;
    if (ours) {
      const skew = custody.health.skewMs(answer.body, (before + answer.received_ms) / 2);
      if (answer.received_ms - before < 2000) line.skewMs = skew;
    }
    if (ours && was === false && queue.waiting().length > 0) run();
    else drawLine(queue.waiting().length);
    setTimeout(look, LOOK_MS);
  }

  function listen() {
    page.byId("form").addEventListener("submit", submit);
    page.byId("send").addEventListener("click", run);
    page.byId("token-form").addEventListener("submit", function (event) {
      event.preventDefault();
      const field = page.byId("token");
      if (field.value.trim() !== "") page.store(page.TOKEN, field.value.trim());
      field.value = "";
      drawToday();
      run();
    });
    page.byId("forget").addEventListener("click", function () {
      page.store(page.TOKEN, null);
      page.store(MEMORY, null);
      Object.keys(forms).forEach((formName) => page.store(DRAFT + formName, null));
      state = opened(name, true);
      drawForm();
      drawToday();
    });
    window.addEventListener("online", run);
    document.addEventListener("visibilitychange", function () {
      if (document.visibilityState === "visible" && queue.waiting().length > 0) run();
    });
    setInterval(() => custody.fields.tick(view()), TICK_MS);
  }

  /* Over TLS, or on the gateway itself, the page opens without the gateway, too. */
  function installOffline() {
    if (!window.isSecureContext || !navigator.serviceWorker) return;
    const script = "/pages/offline.js";
    const policy = window.trustedTypes
      ? window.trustedTypes.createPolicy("custody", { createScriptURL: () => script })
      : null;
    const url = policy === null ? script : policy.createScriptURL("");
    navigator.serviceWorker.register(url, { scope: "/form" }).catch(() => {});
  }

  async function start() {
    const given = page.fromLink();
    [["site", "site_id"], ["device", "device_id"], ["lab", "lab_id"]].forEach(function (pair) {
      if (given.get(pair[0])) remember({ [pair[1]]: given.get(pair[0]) });
    });
    if (Object.prototype.hasOwnProperty.call(custody.words.LANGUAGES, given.get("lang"))) {
      page.store("custody.language", given.get("lang"));
    }
    queue.prune(Date.now());
    const loaded = await Promise.all([fetch("/pages/forms.json").then((answer) => answer.json()), page.readWords()]);
    forms = loaded[0];
    state = opened(name, false);
    page.speakIn(loaded[1], function (speaker) {
      say = speaker;
      drawTabs();
      drawForm();
      drawToday();
    });
    listen();
    installOffline();
    if (queue.waiting().length > 0) run();
    look();
  }

  page.begin(start);
})((globalThis.custody = globalThis.custody || {}));
