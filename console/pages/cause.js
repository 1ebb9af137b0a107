/* What took the reason of an alert away: a link to it, in words. */

import { nameOf } from "./alert_named.js";
import { el } from "./dom.js";
import { addressOf, idOf, pageOf } from "./links.js";
import { whyGone } from "./worded.js";
import { say, sayOr } from "./words.js";

/* What a retraction says where nothing more is known than that the facts have changed: the pages say
   it in the reader's language (custody.alerts, UNSUPPORTED). */
const USUAL = "the facts as now known do not support it";

/* How a version that took an alert back came about, as nodes. `causes`: what retractions name, as
   /api/alerts/{id} and /api/handover give them. */
export function causeOf(version, causes) {
  const cause = causes.find((one) => one.id === version.cause);
  const said = version.reason && version.reason !== USUAL
    ? el("span", { class: "why" }, whyGone(version.reason)) : null;
  if (!version.cause) return [say("cause.none"), said];
  if (!cause) return [say("cause.unstored"), " ", el("span", { class: "id small" }, version.cause), said];
  return [say(`cause.${cause.what}`), " ", linked(cause), " ", remarks(cause), said];
}

function linked(cause) {
  if (cause.what === "alert") {
    return el("a", { href: pageOf("alert", cause.id) }, say("cause.of", { what: nameOf(cause), of: idOf(cause.subject) }));
  }
  if (cause.what === "reference") {
    return el("a", { href: addressOf(cause.kind, idOf(cause.subject)) }, `${sayOr("kind.", cause.kind)} ${idOf(cause.subject)}`);
  }
  const paper = [sayOr("fact.", cause.event_type), cause.kind && sayOr("step.", cause.kind), cause.document_no].filter(Boolean).join(" ");
  return el("a", { href: (cause.lot_id && pageOf("lot", cause.lot_id)) || addressOf("event", cause.id) }, paper);
}

function remarks(cause) {
  const mark = cause.void ? say("cause.void") : cause.is_correction ? say("change.corrects") : null;
  const told = [cause.site_id, cause.what === "fact" && cause.lot_id, mark].filter(Boolean).join(" · ");
  return told ? `(${told})` : null;
}
