/* Hold and release of a lot and of each of its loads: they are held and released by themselves. */

import { field, fields, newKey, send, valuesOf } from "./alert_actions.js";
import { el, fill } from "./dom.js";
import { time } from "./numbers.js";
import { getJson } from "./session.js";
import { language, say } from "./words.js";

/* A button for each hold that stands, one to hold, and the form of the one that was pressed.
   holds: as the gate is told; done() is called when something was taken, and `outcome` says what came of it. */
export function holdActions(lotId, holds, done, outcome) {
  const form = el("form", { class: "act" });
  const button = (action, hold, text) => el("button", { type: "button", "data-action": action, "data-hold": hold && hold.hold_id,
    "data-load": hold && hold.movement_id, "aria-pressed": "false", onclick: (event) => open(action, hold, text, event.currentTarget) }, text);
  const buttons = [
    ...holds.map((hold) => button("release", hold, releaseText(hold, holds))),
    button("hold", null, say("act.hold.any")),
  ];

  function open(action, hold, text, pressed) {
    buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === pressed)));
    fill(outcome);
    fill(form, action === "hold" ? loadField(lotId) : null, fields(action),
      el("p", {}, el("button", { class: "main" }, action === "hold" ? say("act.hold") : text)));
    const key = newKey();
    form.onsubmit = (event) => {
      event.preventDefault();
      const body = hold ? { ...valuesOf(form), hold_id: hold.hold_id } : valuesOf(form);
      send(`/api/lots/${encodeURIComponent(lotId)}/${action}`, body, key, outcome, form, done);
    };
    form.querySelector("input, textarea").focus();
  }
  return el("div", { class: "actions" }, el("div", { class: "row" }, buttons), form, outcome);
}

/* What a release ends; whose hold, too, where that is not the only one of it. */
function releaseText(hold, holds) {
  const { movement_id: load, actor, since } = hold;
  const what = load ? say("act.release.load", { load }) : say("act.release.lot");
  const alike = holds.filter((one) => one.movement_id === load);
  return alike.length > 1 ? `${what} (${actor}, ${time(since, language())})` : what;
}

/* Which load, where it is one; those that are known are proposed. One that is only planned is typed,
   and said to be so: a mistyped one would hold nothing. */
function loadField(lotId) {
  const known = el("datalist", { id: "act-loads" });
  getJson(`/api/lots/${encodeURIComponent(lotId)}/movements`).then(
    (found) => fill(known, found.movements.map((one) => el("option", { value: one.movement_id }))),
    // It proposes; without proposals the load is typed.
    () => undefined);
  return [field("movement_id", "act.load", el("input", { list: "act-loads", maxlength: 200, autocomplete: "off" }), say("act.load.hint")), known,
    field("unknown", "act.load.planned", el("input", { type: "checkbox" }))];
}
