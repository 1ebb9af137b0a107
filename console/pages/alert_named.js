/* An alert in words and numbers: what has happened, how much, what is at stake. */

import { el } from "./dom.js";
import { sinceOf } from "./alerts.js";
import { number, percent, quantity, time } from "./numbers.js";
import { language, say, sayOr } from "./words.js";

/* What an alert says has happened: of an exact rule its finding, else the family. */
export function nameOf(alert) {
  return alert.statistic === "rule" ? sayOr("finding.", alert.rule) : sayOr("family.", alert.family);
}

/* What is at stake: money where the metals have a price, else a share of the metal. */
export function stakeText({ stake_share: share, stake_amount: amount, stake_currency: currency }) {
  if (share === null || share === undefined) return null;
  if (amount === null) return say("stake.share", { share: percent(share, 2) });
  return [number(amount, null, 3), currency].filter(Boolean).join("\u00a0");
}

/* At which price that is, under the figure; null where there is none. */
export function priceText({ stake_analytes: analytes, stake_priced_on: day, stake_price_source: source }) {
  if (!day) return null;
  const [metal, ...more] = analytes;
  const metals = more.length ? say("stake.metals", { metal, more: more.length }) : metal;
  return el("span", { class: "why" }, [say("stake.price", { metals, day }), source].filter(Boolean).join(", "));
}

export function sizeText(alert) {
  return alert.statistic === "rule" && !alert.size ? null : quantity(alert.size, alert.size_u, alert.unit);
}

/* When it began; where that is not known, when the alert was raised, and said to be that. */
export function sinceText(alert) {
  const at = time(sinceOf(alert), language());
  return alert.onset_at ? at : say("alerts.raised", { at });
}
