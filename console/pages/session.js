/* Who is logged in, and requests in their name. */

export const session = { user: "", role: "", rights: [], csrf: "", mustChange: false, completeTo: null, completeSites: {} };

/* A person who acts is told after so long that nobody has answered. */
const ACT_MS = 10_000;

/* What went wrong, in the server's words, and what to do next in ours. */
export class Trouble extends Error {
  constructor(status, name, detail, body) {
    super(detail);
    this.status = status;
    this.name = name;
    this.body = body || {};
  }

  /* Name of the text that says what to do. */
  get next() {
    if (this.status === 0) return this.name === "slow" ? "next.slow" : "next.away";
    if (this.status === 400 || this.name === "wrong-password") return "next.input";
    if (this.name === "no-session") return "next.login";
    if (this.status === 403) return "next.right";
    if (this.status === 404) return "next.unknown";
    if (this.name === "beyond-bounds") return "next.less";
    if (this.status === 409) return "next.conflict";
    return this.status === 429 || this.status === 503 ? "next.busy" : "next.any";
  }
}

export function may(right) { return session.rights.includes(right); }

export async function loadSession() {
  take(await getJson("/api/me"));
}

function take(me) {
  Object.assign(session, {
    user: me.user, role: me.role, rights: me.rights, csrf: me.csrf_token, mustChange: me.must_change_password,
  });
}

export async function getJson(path) {
  return (await sent(path, { headers: { Accept: "application/json" } })).json();
}

/* A change: JSON in, JSON out; `headers` such as Idempotency-Key. */
export async function postJson(path, body, headers) {
  const answer = await sent(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf, ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ACT_MS),
  });
  return answer.status === 204 ? null : { status: answer.status, ...(await answer.json()) };
}

/* A change whose body is no JSON, such as a statement of SQL; the answer as it comes. */
export function post(path, body, headers, signal) {
  return sent(path, { method: "POST", headers: { "X-CSRF-Token": session.csrf, ...headers }, body, signal });
}

/* Up to when by site, of a header such as MINE-KOV=2026-11-07T05:12:00Z, PORT=... */
function sitesOf(text) {
  const pairs = text.split(", ").filter(Boolean).map((pair) => pair.split("="));
  return Object.fromEntries(pairs.map(([site, to]) => [decodeURIComponent(site), to]));
}

async function sent(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (error.name === "TimeoutError") throw new Trouble(0, "slow", error.message);
    throw new Trouble(0, "away", String(error.message));
  }
  const to = answer.headers.get("X-Custody-Complete-To");
  if (to !== null) {
    session.completeTo = to || null;
    session.completeSites = sitesOf(answer.headers.get("X-Custody-Complete-Sites") || "");
    dispatchEvent(new CustomEvent("custody:complete"));
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  const wrong = new Trouble(answer.status, String(body.type || "").replace("/problems/", ""),
    body.detail || answer.statusText, body);
  // A present password that was mistyped is refused with 401, too, and ends no session.
  if (wrong.name === "no-session") toLogin("over");
  throw wrong;
}

/* To the login, which says why, and from there back to this page. */
export function toLogin(why) {
  const next = encodeURIComponent(location.pathname + location.search);
  location.assign(`/login?why=${why}&next=${next}`);
}

export async function logOut() {
  await postJson("/logout", {});
  location.assign("/login");
}

export async function changePassword(old, fresh) {
  take(await postJson("/api/password", { old, new: fresh }));
}
