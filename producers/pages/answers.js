/* What an answer of the gateway means for an entry. Pure. */
(function (custody) {
  "use strict";

  const WAIT_S = 10;
  const WAIT_MAX_S = 600;

  /* answer: {status, body (parsed JSON or null), retryAfter (text or null)}, or null where none
     came. Returns {state, say, stop, waitS, item}:
     state   sent, attention (a person has to correct it), denied (another token is needed) or
             unsent (it is sent again by itself);
     say     name of the sentence that tells it;
     stop    no use to send the next one now;
     waitS   seconds until the next try, where it is known.
     What is not understood is never taken for a success: a network's log-in page answers 200. */
  function judge(answer) {
    if (answer === null) return kept("unreachable", WAIT_S);
    const item = answer.body;
    if (answer.status === 202 && item !== null && typeof item === "object") {
      if (item.result === "accepted") return settled("sent", "accepted", item);
      if (item.result === "duplicate") return settled("sent", "duplicate", item);
      if (item.result === "refused") return settled("attention", "refused", item);
    }
    const wait = waitOf(answer.retryAfter);
    switch (answer.status) {
      case 401:
        return { state: "unsent", say: "no_token", stop: true, waitS: null, item: item };
      case 403:
        return settled("denied", "not_for_token", item);
      case 400:
      case 413:
      case 415:
      case 422:
        return settled("attention", answer.status === 413 ? "too_large" : "not_understood", item);
      case 429:
        return kept("too_fast", wait, item);
      case 503:
        return kept("takes_nothing", wait, item);
      default:
        return kept("odd_answer", wait, item);
    }
  }

  function waitOf(text) {
    const seconds = Number(text);
    if (text === null || text === undefined || !(seconds > 0)) return WAIT_S;
    return Math.min(Math.ceil(seconds), WAIT_MAX_S);
  }

  function settled(state, say, item) {
    return { state: state, say: say, stop: false, waitS: null, item: item };
  }

  function kept(say, waitS, item) {
    return { state: "unsent", say: say, stop: true, waitS: waitS, item: item || null };
  }

  /* What is allowed, as text: a list of names, a bound or a sentence. */
  function allowedText(allowed) {
    if (allowed === null || allowed === undefined) return "";
    return Array.isArray(allowed) ? allowed.map(String).join(", ") : String(allowed);
  }

  custody.answers = { judge: judge, allowedText: allowedText };
})((globalThis.custody = globalThis.custody || {}));
