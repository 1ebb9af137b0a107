/* What the auditor has found (custody.audit, runtime.audit.heads): sentences of a gateway's chain and heads, by their form. */

import { count } from "./numbers.js";
import { say } from "./words.js";

/* "event E, topic/partition@offset" */
const which = (text) => text.replace(/^event (.+), (\S+)$/, (_, event, place) => say("found.which", { event, place }));

/* "record 5 (topic/partition@offset)" */
const before = (text) => text.replace(/^record /, "");

/* "key K", "nobody" */
const signer = (text) => (text === "nobody" ? say("found.nobody") : text.slice("key ".length));

const head = ([gateway, records, epoch, key]) => ({ gateway, records: count(records), epoch, key });

export const AUDITED = [
  [/^record (\d+)(?: of epoch \d+)? \((.+)\): it came without the digests /, "found.bare", ([record, of]) => ({ record, which: which(of) })],
  [/^record (\d+) \((.+)\): its bytes do not make the digest it was sent with: it was changed$/, "found.changed", ([record, of]) => ({ record, which: which(of) })],
  [/^record (\d+) \((.+)\) was written on another record than (record .+) that stands before it: exchanged$/, "found.exchanged",
    ([record, of, last]) => ({ record, which: which(of), before: before(last) })],
  [/^record (\d+) \((.+)\) stands before records with lower numbers in its partition: the order was changed$/, "found.reordered",
    ([record, of]) => ({ record, which: which(of) })],
  [/^record (\d+) of epoch (\d+) \((.+)\): its gateway signed (\d+) records of epoch (\d+) when it was there already/, "found.uncounted",
    ([record, epoch, of, records, signed]) => ({ record, epoch, which: which(of), records: count(records), signed })],
  [/^record (\d+) of epoch (\d+) is not there$/, "found.missing", ([record, epoch]) => ({ record, epoch })],
  [/^records (\d+) to (\d+) of epoch (\d+) are not there$/, "found.missing_many", ([first, last, epoch]) => ({ first, last, epoch })],
  [/^number (\d+) of epoch (\d+) stands twice: (.+)$/, "found.twice", ([record, epoch, places]) => ({ record, epoch, places: places.replaceAll(" and ", ", ") })],
  [/^its own head says of the first (\d+) records of epoch (\d+) what those that are stored do not make/, "found.rewritten",
    ([records, epoch]) => ({ records: count(records), epoch })],
  [/^a head signed by (.+) says of the first (\d+) records of epoch (\d+) what those that are stored do not make/, "found.rewritten_by",
    ([gateway, records, epoch]) => ({ gateway, records: count(records), epoch })],
  [/^(.+): reference data names no key for it at the time of its head$/, "found.no_key", ([gateway]) => ({ gateway })],
  [/^(.+): head of (\d+) records of epoch (\d+) was changed after it was signed, or is forged: the signature of key (.+) does not fit/, "found.forged", head],
  [/^(.+): head of (\d+) records of epoch (\d+) is signed by (.+), not by its key (.+)$/, "found.signed_by",
    ([gateway, records, epoch, by, key]) => ({ gateway, records: count(records), epoch, by: signer(by), key })],
  [/^(.+): two heads say different things of the first (\d+) records: two gateways write under one name/, "found.two_heads",
    ([gateway, records]) => ({ gateway, records: count(records) })],
  [/^(.+): records of a gateway that reference data does not know: nobody can say whose key it has(?:; the first stands at (\S+))?$/, "found.unknown_gateway",
    ([gateway, place]) => ({ gateway, first: first(place) })],
  [/^(.+): records stand under its name, and minutes later there is no head of it that signs them; the first stands at (\S+)$/, "found.unsigned",
    ([gateway, place]) => ({ gateway, first: first(place) })],
];

function first(place) { return place ? `; ${say("found.first", { place })}` : ""; }
