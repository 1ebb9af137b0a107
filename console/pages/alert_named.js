/* An alert in words and numbers: what has happened, how much, what is at stake. */

import { stakeOf, whyOf } from "./alerts.js";
import { el } from "./dom.js";
import { number, percent, quantity } from "./numbers.js";
import { say, sayOr } from "./words.js";

/* What an alert says has happened: of an exact rule its finding, else the family. */
export function nameOf(alert) {
  return alert.statistic === "rule" ? sayOr("finding.", alert.rule) : sayOr("family.", alert.family);
}

/* What is at stake: money where the metals have a price, else a share of the metal. */
export function stakeText(alert) {
  const stake = stakeOf(whyOf(alert));
  if (!stake) return null;
  if (stake.amount === null) return say("stake.share", { share: percent(stake.share, 2) });
  return `${number(stake.amount, null, 3)}\u00a0${stake.currency}`;
}

/* At which price that is, under the figure; null where there is none. */
export function priceText(alert) {
  const { price } = stakeOf(whyOf(alert)) || {};
  if (!price) return null;
  const metals = price.more ? say("stake.metals", { metal: price.metal, more: price.more }) : price.metal;
  return el("span", { class: "why" }, [say("stake.price", { metals, day: price.day }), price.source].filter(Boolean).join(", "));
}

export function sizeText(alert) {
  return alert.statistic === "rule" && !alert.size ? null : quantity(alert.size, alert.size_u, alert.unit);
}
