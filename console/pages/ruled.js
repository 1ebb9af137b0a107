/* What a rule has found, with its figures and names, in the reader's language: of the sentence that the
   worker wrote (custody.exact, custody.things, ...), by its form. */

import { count, decimalSign } from "./numbers.js";
import { formed } from "./worded.js";
import { say } from "./words.js";

/* A figure as it was written: its digits stay, its signs are the reader's. */
function figure(text) {
  const [whole, part] = text.replaceAll(",", "").split(".");
  return part === undefined ? count(whole) : `${count(whole)}${decimalSign()}${part}`;
}

/* "gateway GW-1", "a gateway not noted" */
const gateway = (text) => text.startsWith("gateway ") ? text.slice("gateway ".length) : "?";

/* "A, B and 2 more", "A and B" */
const list = (text) => text.replace(/ and (\d+) more$/, " +$1").replaceAll(" and ", ", ");

const way = ([km, from, to, hours, limit]) => ({ km: figure(km), from, to, hours: figure(hours), limit: figure(limit) });

/* Who meant to end a hold by a release of another load, if anybody. */
function meant(text) {
  const [, actor, load] = /^(.+)'s release of load (.+) names this hold/.exec(text || "") || [];
  return load === undefined ? "" : `; ${say("found.release", { actor, load })}`;
}

const FORMS = [
  [/^trip (.+) was received at (.+); one load/, "found.double_receipt", ([trip, sites]) => ({ trip, sites: list(sites) })],
  [/^trip (.+) left with seals (.+) and came with (.+)$/, "found.seal_changed", ([trip, left, came]) => ({ trip, left: list(left), came: list(came) })],
  [/^trip (.+) came to (.+) ([\d.]+) h before it left (.+)$/, "found.came_before", ([trip, to, hours, from]) => ({ trip, to, from, hours: figure(hours) })],
  [/^trip (.+): ([\d,]+) km from (.+) to (.+) in ([\d.]+) h; the limit is ([\d,]+) km\/h/, "found.too_fast", ([trip, ...rest]) => ({ trip, ...way(rest) })],
  [/^vehicle (.+) with lots (.+): ([\d,]+) km from (.+) to (.+) in (-?[\d.]+) h; the limit is ([\d,]+) km\/h/, "found.vehicle", ([vehicle, lots, ...rest]) => ({ vehicle, lots: list(lots), ...way(rest) })],
  [/^trip (.+) left (.+) and had ([\d.e+]+) h to come to (.+); nothing there/, "found.missing_receipt", ([trip, from, hours, to]) => ({ trip, from, to, hours: figure(hours) })],
  [/^trip (.+) left (.+) while (.+) held the lot(?:; (.+))?$/, "found.held_lot", ([trip, from, actor, more]) => ({ trip, from, actor, more: meant(more) })],
  [/^trip (.+) left (.+) while (.+) held the load(?:; (.+))?$/, "found.held_load", ([trip, from, actor, more]) => ({ trip, from, actor, more: meant(more) })],
  [/^an input of process (.+) was taken while (.+) held the lot(?:; (.+))?$/, "found.held_input", ([process, actor, more]) => ({ process, actor, more: meant(more) })],
  [/^(.+): ([\d.,]+) t more went out than came in$/, "found.overdrawn", ([place, tonnes]) => ({ place, tonnes: figure(tonnes) })],
  [/^([\d.,]+) t of dry mass went out of ([\d.,]+) t that were there\.$/, "found.content", ([out, there]) => ({ out: figure(out), there: figure(there) })],
  [/^(\S+): seller ([\d.]+)%, buyer ([\d.]+)%, limit ([\d.]+)%$/, "found.umpire_due", ([analyte, ...shares]) =>
    Object.fromEntries([["analyte", analyte], ...["seller", "buyer", "limit"].map((name, at) => [name, figure(shares[at])])])],
  [/^(.+) travelled with the lot after its last day, (.+)$/, "found.document_expired", ([paper, day]) => ({ paper, day })],
  [/^declared (\d+) times with different content/, "found.lot_redeclared", ([times]) => ({ times })],
  [/^(.+) has (\d+) corrections; the one recorded last/, "found.correction_conflict", ([event, corrections]) => ({ event, corrections })],
  [/^two events have one id; the earlier counts, by (.+) of site (.+); the later does not, by (.+) of site (.+); they differ in (.+)$/, "found.event_id_conflict",
    ([first, site, second, other, what]) => ({ first: gateway(first), site, second: gateway(second), other, what })],
  [/^(.+) states ([\d.,]+) t of dry mass in ([\d.,]+) t; by the certificate it is ([\d.,]+) t \(([+-][\d.]+) sigma\)/, "found.stated_dry_differs",
    ([owner, dry, wet, certified]) => ({ owner, dry: figure(dry), wet: figure(wet), certified: figure(certified) })],
  [/^seen at (.+) while all of it was on the way from (.+) to (.+)$/, "found.two_places", ([site, from, to]) => ({ site, from, to })],
  [/^tag (.+) is declared for lots (.+)$/, "found.tag_reused", ([tag, lots]) => ({ tag, lots: list(lots) })],
  [/^certificate (.+) of (.+) stands for lots (.+)$/, "found.certificate_reused", ([paper, laboratory, lots]) => ({ paper, laboratory, lots: list(lots) })],
];

/* Null where it has another form. */
export const ruled = (sentence) => formed(sentence, FORMS);
