/* What a handover puts on its one sheet of paper: the lines of each list, and how many are left out. Pure. */

import { causeKey, folded, ranked } from "./alerts.js";

/* Lines of all lists together, two lines of text each at most: with the headings they fill an A4. */
export const LINES = 24;

/* What the next shift needs first comes first, and each list is told of, however long the others are. */
const LEAST = { standing: 8, held: 5, deeds: 4, changed: 4, opened: 3 };

/* Rows that are of one alert each, and how those of one cause are told apart. */
const KEYS = { standing: causeKey, changed: changeKey, opened: changeKey };

/* lists: the rows by the names above. Gives, by the same names, {lines, more}: a line is {row} or,
   of many of one cause, {rows}; `more` counts the rows that stand in no line. */
export function sheet(lists, room = LINES) {
  const names = Object.keys(LEAST);
  const all = names.reduce((sum, name) => sum + lists[name].length, 0);
  // What fits as it is is read as it is.
  const lines = Object.fromEntries(names.map((name) => [name, all <= room ? lists[name].map((row) => ({ row })) : linesOf(name, lists[name])]));
  const shares = shared(names.map((name) => [name, lines[name].length]), room);
  return Object.fromEntries(names.map((name) => {
    const shown = lines[name].slice(0, shares[name]);
    return [name, { lines: shown, more: lists[name].length - shown.reduce((sum, line) => sum + (line.rows || [line.row]).length, 0) }];
  }));
}

function linesOf(name, rows) {
  // Of what people did the last is what is still to be known.
  if (!KEYS[name]) return (name === "deeds" ? [...rows].reverse() : rows).map((row) => ({ row }));
  return folded(ranked(rows), KEYS[name]).flatMap((level) => [
    ...level.alerts.map((row) => ({ row })), ...level.groups.map((group) => ({ rows: group.alerts }))]);
}

/* Changes that are one to who reads of them: what became of one cause, by whom and how. */
function changeKey(row) {
  return [causeKey(row), row.state, row.actor, row.resolution, row.assignee].map((one) => one || "").join("|");
}

/* Each list has its least; what one leaves is the next one's that has more, in their order. */
function shared(wanted, room) {
  const shares = Object.fromEntries(wanted.map(([name, many]) => [name, Math.min(many, LEAST[name])]));
  let left = room - Object.values(shares).reduce((sum, one) => sum + one, 0);
  for (const [name, many] of wanted) {
    const given = Math.min(left, many - shares[name]);
    shares[name] += given;
    left -= given;
  }
  return shares;
}
