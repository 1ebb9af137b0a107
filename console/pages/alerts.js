/* Alerts as they are listed: worth first, folded by cause when there are many. Pure. */

const SEVERITIES = ["critical", "high", "medium", "low"];

/* More than so many and they are folded by cause. */
export const FOLD_FROM = 40;

export const UNSETTLED = new Set(["open", "acknowledged", "shelved"]);

/* What the evidence says: the reason of a version that a person made is that person's. */
export function whyOf(alert) {
  return alert.why === undefined || alert.why === null ? alert.reason : alert.why;
}

/* Whether the reason of a version is what the evidence says: not of one that a person made, nor of a
   retraction, nor of the end of shelving, which opens again what nothing else would. */
export function isEvidence(version, before) {
  const byClock = before && before.state === "shelved" && version.state === "open";
  return !version.actor && version.state !== "retracted" && !byClock;
}

/* The newer of two of one alert; news that is no evidence keeps what the evidence says. */
export function newer(known, fresh) {
  if (known && known.version > fresh.version) return known;
  const why = fresh.why !== undefined ? fresh.why : isEvidence(fresh, known) ? fresh.reason : known && whyOf(known);
  return { ...fresh, why: why === undefined ? fresh.reason : why };
}

export function severityRank(severity) {
  const at = SEVERITIES.indexOf(severity);
  return at < 0 ? SEVERITIES.length : at;
}

/* What an alert says that cannot tell them apart (custody.detect.lot_undecided). */
const EITHER = { water_or_waste: [["water", "water_falsified"], ["waste"]] };

/* The probabilities of the two that an alert cannot tell apart; null of one that names one. */
export function eitherOf(alert) {
  const two = EITHER[alert.family];
  return two && alert.posterior ? two.map((one) => one.reduce((sum, name) => sum + (alert.posterior[name] || 0), 0)) : null;
}

/* The probability of the family that is named; null of a rule that is certain. */
export function surenessOf(alert) {
  const either = eitherOf(alert);
  const found = either ? Math.min(either[0] + either[1], 1) : (alert.posterior || {})[alert.family];
  return found === undefined || alert.statistic === "rule" ? null : found;
}

/* The worst first; of one severity what is at stake, in money before shares; then the oldest. */
export function ranked(alerts) {
  const keyed = alerts.map((alert) => ({ alert, rank: severityRank(alert.severity), amount: stakeRank(alert) }));
  keyed.sort((a, b) => a.rank - b.rank || b.amount - a.amount ||
    (a.alert.raised_at < b.alert.raised_at ? -1 : a.alert.raised_at > b.alert.raised_at ? 1 : 0));
  return keyed.map((one) => one.alert);
}

function stakeRank({ stake_share: share, stake_amount: amount }) {
  if (share === null || share === undefined) return -1;
  return amount === null ? share : 1 + amount;
}

/* Where and between whom, as the worker says it: the family and its size stand beside it already. */
export function workersWhere(alert) {
  return whyOf(alert).split("; ")[0].replace(/^\w+ [\d.]+% \(sigma [\d.]+%\) /, "");
}

/* The measurement that is furthest from what was expected: {quantity, analyte, expected, observed, u, z,
   unit, instruments}; in a list the warehouse has picked it. Null where the alert rests on none. */
export function furthestOf(alert) {
  if (alert.furthest_quantity !== undefined) {
    const of = (name) => alert[`furthest_${name}`];
    return of("quantity") ? { quantity: of("quantity"), analyte: of("analyte"), expected: of("expected"), observed: of("observed"),
      u: of("u"), z: of("z"), unit: of("unit"), instruments: alert.instruments } : null;
  }
  const evidence = alert.evidence || [];
  return evidence.length ? evidence.reduce((a, b) => (Math.abs(b.z) > Math.abs(a.z) ? b : a)) : null;
}

/* What alerts of one cause share: what is said to have happened, and what measured it. */
export function causeOf(alert) {
  const instruments = alert.instruments || (furthestOf(alert) || {}).instruments || [];
  return [alert.statistic === "rule" ? alert.rule : alert.family, [...instruments].sort().join(", ")];
}

/* So many of one cause make a group; fewer are read as they are. */
const GROUP_FROM = 5;

/* The name of a cause, by which a group is known. */
export function causeKey(alert) { return causeOf(alert).join("|"); }

/* When it began, as far as is known; the same in a row and of a group. */
export function sinceOf(alert) { return alert.onset_at || alert.raised_at; }

/* What is shown of many: for each severity, the worst first, the alerts that stand for themselves
   and the groups whose worst has it: [{alerts, groups}]. `keyOf` says what makes a group. */
export function folded(rankedAlerts, keyOf = causeKey) {
  const levels = new Map();
  for (const group of groups(rankedAlerts, keyOf)) {
    const rank = severityRank(group.alerts[0].severity);
    if (group.alerts.length >= GROUP_FROM) {
      levelOf(levels, rank).groups.push(group);
    } else {
      for (const alert of group.alerts) levelOf(levels, severityRank(alert.severity)).alerts.push(alert);
    }
  }
  const shown = [...levels].sort(([a], [b]) => a - b).map(([, level]) => level);
  return shown.map((level) => ({ ...level, alerts: ranked(level.alerts) }));
}

function levelOf(levels, rank) {
  if (!levels.has(rank)) levels.set(rank, { alerts: [], groups: [] });
  return levels.get(rank);
}

/* Groups by cause, in the order of their worst: [{key, family, instruments, alerts}]. */
function groups(rankedAlerts, keyOf) {
  const found = new Map();
  for (const alert of rankedAlerts) {
    const [family, instruments] = causeOf(alert);
    const key = keyOf(alert);
    if (!found.has(key)) found.set(key, { key, family, instruments, alerts: [] });
    found.get(key).alerts.push(alert);
  }
  return [...found.values()];
}

export function countsOf(alerts) {
  const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0]));
  for (const alert of alerts) counts[alert.severity] = (counts[alert.severity] || 0) + 1;
  return counts;
}
