/* What a rule has found, with its figures and names, in the reader's language: of the sentence that the
   worker wrote (custody.exact, custody.things, ...), by its form. */

import { count, decimalSign } from "./numbers.js";
import { AUDITED } from "./ruled_audit.js";
import { formed } from "./worded.js";
import { say, sayOr } from "./words.js";

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

/* A site, where it is known. */
const site = (text) => (text === "unknown" ? "?" : text);

/* "1.234 t of dry mass, 5.000 kg of 9.000 kg of Cu" */
function amounts(text) {
  return text.split(", ").map((one) => {
    const [, amount, unit, whole, name] = /^([\d.,]+) (t|kg) of (?:([\d.,]+) (?:t|kg) of )?(.+)$/.exec(one);
    const of = name === "dry mass" ? say("measured.dry_mass") : name;
    return whole ? say("found.amount_of", { amount: figure(amount), whole: figure(whole), unit, of }) : say("found.amount", { amount: figure(amount), unit, of });
  }).join(", ");
}

/* "Cu 60.00%, Zn 60.00% and 2 more" */
const grades = (text) => text.replace(/ and (\d+) more$/, " +$1").replace(/([\d.]+)%/g, (_, share) => `${figure(share)} %`);

/* "Cu: LAB-1 2.5000%, LAB-2 2.6000% (chi-square 12.3); Zn: ..." */
function compared(text) {
  return text.split("; ").map((one) => {
    const [, analyte, labs, value] = /^(\S+): (.+) \(chi-square ([\d.]+)\)$/.exec(one);
    return say("found.compared", { analyte, labs: labs.replace(/([\d.]+)%/g, (_, share) => `${figure(share)} %`), value: figure(value) });
  }).join("; ");
}

const END = { dispatch: "found.end.dispatch", receipt: "found.end.receipt" };

/* Why a shot is not used (custody.lot_alerts). */
const SHOTS = {
  "that the others do not agree with is not used": "shot.disagrees",
  "further from all that is known of the lot than its neighbour is not used": "shot.further",
  "that disagrees with its only neighbour is not used, nor is that": "shot.undecided",
};
const shot = (text) => (text in SHOTS ? say(SHOTS[text]) : text);

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
  [/^A side of (.+) states ([\d.,]+) t of dry mass in ([\d.,]+) t and a moisture of ([\d.]+)%, by which it is ([\d.,]+) t; /, "found.stated_moisture_differs",
    ([process, dry, wet, moisture, counted]) => ({ process, dry: figure(dry), wet: figure(wet), moisture: figure(moisture), counted: figure(counted) })],
  [/^seen at (.+) while all of it was on the way from (.+) to (.+)$/, "found.two_places", ([site, from, to]) => ({ site, from, to })],
  [/^tag (.+) is declared for lots (.+)$/, "found.tag_reused", ([tag, lots]) => ({ tag, lots: list(lots) })],
  [/^certificate (.+) of (.+) stands for lots (.+)$/, "found.certificate_reused", ([paper, laboratory, lots]) => ({ paper, laboratory, lots: list(lots) })],
  [/^certificate (.+) of (.+) stands for samples (.+) of lot (.+)$/, "found.certificate_samples",
    ([paper, laboratory, samples, lot]) => ({ paper, laboratory, samples: list(samples), lot })],
  [/^laboratories do not agree: (.+); the newest is booked$/, "found.certificates_disagree", ([said]) => ({ said: compared(said) })],
  [/^(.+) of the dry matter, together ([\d.]+)%$/, "found.fractions_exceed_one", ([said, whole]) => ({ said: grades(said), whole: figure(whole) })],
  [/^(.+) of the dry matter, together ([\d.]+)%, by the usual moisture of ([\d.]+)%$/, "found.fractions_by_usual_moisture",
    ([said, whole, moisture]) => ({ said: grades(said), whole: figure(whole), moisture: figure(moisture) })],
  [/^no share of 0 to 1, not counted: (.+)$/, "found.no_share", ([said]) => ({ said: grades(said) })],
  [/^more than (\d+) certificates; the oldest/, "found.too_many_certificates", ([most]) => ({ most: count(most) })],
  [/^seal (.+) sealed two loads that have nothing to do with each other: lot (.+) from (.+) and lot (.+) from (.+)$/, "found.seal_reused",
    ([seal, lot, from, other, there]) => ({ seal, lot, from: site(from), other, there: site(there) })],
  [/^gateway (.+) of (.+) has sent no head for (\d+) minutes; /, "found.site_silent", ([name, at, minutes]) => ({ gateway: name, site: at, minutes })],
  [/^gateway (.+) has sent no head for (\d+) minutes; /, "found.gateway_silent", ([name, minutes]) => ({ gateway: name, minutes })],
  [/^facts came after the lot had (\d+), and not last, or would have begun a trip beyond (\d+)/, "found.beyond_seal", ([facts, trips]) => ({ facts: count(facts), trips: count(trips) })],
  [/^(.+) weighed out of calibration; its u is widened$/, "found.device_out_of_calibration", ([device]) => ({ device })],
  [/^trip (.+): its (dispatch|receipt) is weighed more than once; /, "found.weighed_twice", ([trip, end]) => ({ trip, end: say(END[end]) })],
  [/^(.+): more than (\d+) stock weighings with inputs without a mass between; /, "found.too_many_stocks", ([place, most]) => ({ place, most: count(most) })],
  [/^(.+) at (.+): a shot (.+) \(chi-square ([\d.]+), limit ([\d.]+)\); repeat it$/, "found.shot_gated",
    ([device, at, why, value, limit]) => ({ device, site: at, why: shot(why), value: figure(value), limit: figure(limit) })],
  [/^(.+) corrects (.+), which was never seen$/, "found.unseen", ([event, target]) => ({ event, target })],
  [/^(.+) withdraws (.+), which itself withdraws$/, "found.void_of_void", ([event, target]) => ({ event, target })],
  [/^More than one correction speaks for this side; /, "found.side_corrected", () => ({})],
  [/^It corrects a side that has not been seen; /, "found.side_unseen", () => ({})],
  [/^It withdraws a withdrawal, /, "found.side_void", () => ({})],
  [/^(\d+) more ids have two events; the earlier of each counts$/, "found.more_conflicts", ([more]) => ({ more: count(more) })],
  [/^(.+) is declared at (.+), which lies in (.+); \1 counts$/, "found.origin_country_differs", ([declared, at, country]) => ({ declared, site: at, country })],
  [/^process (.+): more than (\d+) handings$/, "found.too_deep", ([process, most]) => ({ process, most })],
  [/^More than (\d+) handings in a row: /, "found.output_too_deep", ([most]) => ({ most })],
  [/^More went out than came in: (.+), and the process is open\.$/, "found.short_open", ([over]) => ({ amounts: amounts(over) })],
  [/^More went out than came in: (.+)\.$/, "found.short", ([over]) => ({ amounts: amounts(over) })],
  [/^More than half of it went nobody says where: (.+)\.$/, "found.input_unaccounted", ([gone]) => ({ amounts: amounts(gone) })],
  [/^(.+) in ([\d.,]+) t of dry mass: nothing holds more metal than its own mass\.$/, "found.metal_exceeds_mass", ([metals, dry]) => ({ metals: amounts(metals), dry: figure(dry) })],
  [/^A survey found ([\d.,]+) t of dry mass where ([\d.,-]+) t should lie: ([\d.,]+) t too (little|much) \(u ([\d.,]+) t, /, "found.stock_unaccounted",
    ([found, booked, rest, way, u]) => ({ found: figure(found), booked: figure(booked), rest: `${way === "little" ? "−" : "+"}${figure(rest)}`, u: figure(u) })],
  [/^The output names no lot; it stays in the process\.$/, "found.output_without_lot", () => ({})],
  [/^It names (.+); most sides of the process name (.+)\.$/, "found.side_of_other_kind", ([kind, most]) => ({ kind: sayOr("step.", kind), most: sayOr("step.", most) })],
  [/^The process has ([\d,]+) sides already; this one changes nothing\.$/, "found.too_many_sides", ([sides]) => ({ sides: figure(sides) })],
  ...AUDITED,
];

/* Behind what is said of the last of many ids with two events. */
const MORE = /; (\d+ more ids have two events; the earlier of each counts)$/;

/* Null where it has another form. */
export function ruled(sentence) {
  const [, more] = MORE.exec(sentence) || [];
  const parts = more ? [sentence.replace(MORE, ""), more] : [sentence];
  const told = parts.map((one) => formed(one, FORMS));
  return told.includes(null) ? null : told.join("; ");
}
