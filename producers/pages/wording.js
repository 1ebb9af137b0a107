/* Answers in the sender's words. Pure: a speaker comes in, text goes out. */
(function (custody) {
  "use strict";

  /* A field's label; of `results.0.unit` the first part that has one. */
  function label(say, field) {
    if (!field) return say("field.whole");
    const names = [field, field.split(".")[0]];
    for (const name of names) {
      const found = say("field." + name);
      if (found !== "field." + name) return found;
    }
    return field;
  }

  /* Why a request was refused: which field, what stood there, what may stand there. */
  function refused(say, item) {
    const values = {
      field: label(say, item.field),
      found: item.found === null || item.found === undefined ? "" : String(item.found),
      allowed: custody.answers.allowedText(item.allowed),
    };
    const known = say("refused." + item.code, values);
    const text = known === "refused." + item.code ? say("refused.any", { code: item.code }) : known;
    const parts = [values.field + ": " + text];
    if (values.found !== "") parts.push(say("refused.found", values));
    if (values.allowed !== "") parts.push(say("refused.allowed", values));
    return parts.join(" ");
  }

  function warning(say, item) {
    const known = say("warning." + item.code);
    const text = known === "warning." + item.code ? item.code : known;
    return label(say, item.field) + " (" + String(item.found) + "): " + text;
  }

  /* What an entry's state says, as lines of text. */
  function outcome(say, entry) {
    const item = entry.item || {};
    const lines = [say("say." + (entry.say || "unsent"), {
      number: item.gateway_seq === undefined ? "" : item.gateway_seq,
      id: item.event_id || "",
      detail: item.detail || "",
    })];
    if (entry.say === "refused") lines.push(refused(say, item));
    (item.warnings || []).forEach((one) => lines.push(warning(say, one)));
    return lines;
  }

  custody.wording = { label: label, refused: refused, warning: warning, outcome: outcome };
})((globalThis.custody = globalThis.custody || {}));
