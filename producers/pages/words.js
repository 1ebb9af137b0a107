/* Words of a language: found by name, filled with values. Pure. */
(function (custody) {
  "use strict";

  const LANGUAGES = {
    en: "English",
    fr: "Fran\u00e7ais",
    es: "Espa\u00f1ol",
    pt: "Portugu\u00eas",
    sw: "Kiswahili",
    zh: "\u4e2d\u6587",
  };

  /* The first wanted language that there is; English where there is none. */
  function pick(wanted) {
    for (const tag of wanted) {
      const name = String(tag).toLowerCase().split("-")[0];
      if (Object.prototype.hasOwnProperty.call(LANGUAGES, name)) return name;
    }
    return "en";
  }

  /* A text with {name} replaced by values. The result is text: it is never read as HTML. */
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) {
      return values && values[name] !== undefined ? String(values[name]) : whole;
    });
  }

  /* Returns a function of a name and values; a name without words is shown as it is. */
  function speaker(words) {
    return function (name, values) {
      const known = Object.prototype.hasOwnProperty.call(words, name);
      return fill(known ? words[name] : name, values);
    };
  }

  custody.words = { LANGUAGES: LANGUAGES, pick: pick, fill: fill, speaker: speaker };
})((globalThis.custody = globalThis.custody || {}));
