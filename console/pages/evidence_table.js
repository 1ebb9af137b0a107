/* What an alert rests on, row by row: measurements, or, of a chart, the lots that speak of it. */

import { idLink } from "./links.js";
import { labelOf, inUnits } from "./measured.js";
import { number, time } from "./numbers.js";
import { table } from "./table.js";
import { language, say } from "./words.js";

/* So many rows are shown; an alert has 64 at most, and its files have all. */
const SHOWN_MAX = 64;

/* Whether each row of the evidence is what one lot says of an instrument or a way. */
export function isOfLots(evidence) {
  return evidence.length > 0 && evidence.every((one) => one.quantity === "ln_residual");
}

/* rows: evidence, with `lot_id`, `site_id` and `occurred_at` where they are of a chart's alert. */
export function evidenceTable(rows, options) {
  return isOfLots(rows) ? lotTable(rows, options) : measurementTable(rows, options);
}

/* The last lot first: it is the one that can still be weighed again. */
function lotTable(rows, options) {
  const ordered = [...rows].sort((a, b) => (b.occurred_at || "").localeCompare(a.occurred_at || ""));
  return table([
    { title: say("site.lot"), cell: (row) => idLink("lot", row.lot_id) },
    { title: say("fact.occurred"), cell: (row) => time(row.occurred_at, language()) },
    { title: say("fact.site"), cell: (row) => idLink("site", row.site_id) },
    { title: say("instrument.residual"), number: true, cell: (row) => inUnits(row).observed },
    { title: say("instrument.explained"), number: true, cell: (row) => inUnits(row).expected },
    { title: say("measured.z"), number: true, cell: (row) => number(row.z, null, 3) },
  ], ordered.slice(0, SHOWN_MAX), options);
}

function measurementTable(rows, options) {
  return table([
    { title: say("measured.what"), cell: labelOf },
    { title: say("findings.expected"), number: true, cell: (row) => inUnits(row).expected },
    { title: say("findings.observed"), number: true, cell: (row) => inUnits(row).observed },
    { title: say("measured.z"), number: true, cell: (row) => number(row.z, null, 3) },
  ], rows.slice(0, SHOWN_MAX), options);
}
