/* The status page: asks /health every few seconds and writes what it means. */
(function (custody) {
  "use strict";

  const EVERY_MS = 5000;
  const REFUSED_MAX = 20;
  const page = custody.page;
  const make = page.make;
  let say = String;
  let last = { health: null, received_ms: 0, refused: undefined };

  function values(given) {
    const written = {};
    Object.keys(given).forEach(function (name) {
      const value = given[name];
      if (/_s$/.test(name)) written[name] = page.spanText(say, value);
      else if (/_at$/.test(name)) written[name] = timeText(value);
      else written[name] = typeof value === "number" ? custody.numbers.grouped(value) : value;
    });
    return written;
  }

  function timeText(at) {
    return at === null ? say("status.start") : new Date(at).toLocaleString(document.documentElement.lang);
  }

  function lineOf(item) {
    const parts = [
      make("h2", {}, [say("about." + item.about)]),
      make("p", {}, [
        make("strong", { class: "mark" }, [say("level." + item.level)]), " ",
        say("status." + item.say, values(item.values)),
      ]),
    ];
    if (item.todo) parts.push(make("p", { class: "todo" }, [say("todo." + item.todo)]));
    return make("section", { class: "line " + item.level, "data-about": item.about }, parts);
  }

  function dayOf(health) {
    const day = health === null ? null : health.last_day;
    if (!day) return [];
    const rows = custody.health.rows(day).map(function (row) {
      const cells = [row.accepted, row.duplicate, row.refused].map(
        (count) => make("td", {}, [custody.numbers.grouped(count)]));
      return make("tr", {}, [make("th", { scope: "row" }, [say("type." + row.name)])].concat(cells));
    });
    const heads = ["type", "accepted", "duplicate", "refused"].map(
      (name) => make("th", { scope: "col" }, [say("status.head_" + name)]));
    return [
      make("p", {}, [say("status.since", { since: timeText(day.since) })]),
      make("table", {}, [make("thead", {}, [make("tr", {}, heads)]), make("tbody", {}, rows)]),
    ];
  }

  function refusedOf(rows) {
    if (rows === undefined) return [make("p", {}, [say("status.refused_token")])];
    if (rows.length === 0) return [make("p", {}, [say("status.refused_none")])];
    return rows.map(function (row) {
      const about = [row.type, row.site_id, row.lot_id, row.number].filter((part) => part);
      return make("section", { class: "entry" }, [
        make("p", {}, [make("strong", {}, [timeText(row.at) + " \u00b7 " + row.sender])]),
        make("p", {}, [about.join(" \u00b7 ")]),
        make("p", {}, [custody.wording.refused(say, row)]),
      ]);
    });
  }

  function draw() {
    const found = custody.health.lines(last.health, last.received_ms);
    page.show(page.byId("lines"), found.map(lineOf));
    page.show(page.byId("day"), dayOf(last.health));
    page.show(page.byId("refused"), refusedOf(last.refused));
    page.byId("asked").textContent = say("status.asked", { at: timeText(new Date().toISOString()) });
  }

  async function ask() {
    const answer = await page.answerTo("/health", {});
    const health = answer !== null && answer.body !== null && answer.body.status ? answer.body : null;
    last = { health: health, received_ms: answer === null ? 0 : answer.received_ms, refused: undefined };
    if (health !== null && page.stored(page.TOKEN)) {
      const refused = await page.answerTo("/v1/refused?limit=" + REFUSED_MAX, { token: true });
      if (refused !== null && refused.status === 200 && Array.isArray(refused.body)) {
        last.refused = refused.body;
      }
    }
    draw();
    setTimeout(ask, EVERY_MS);
  }

  async function start() {
    page.fromLink();
    const token = page.byId("token");
    page.byId("token-form").addEventListener("submit", function (event) {
      event.preventDefault();
      page.store(page.TOKEN, token.value.trim() || null);
      token.value = "";
    });
    const words = await page.readWords();
    page.speakIn(words, function (speaker) {
      say = speaker;
      draw();
    });
    await ask();
  }

  page.begin(start);
})((globalThis.custody = globalThis.custody || {}));
