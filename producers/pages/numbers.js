/* Numbers as people type them. A separator that could mean two things is asked about, never
   guessed: 1,234 is a truck in one country and a handful in the next. Pure. */
(function (custody) {
  "use strict";

  const PLACES_MAX = 6;
  const DIGITS_MAX = 15;

  /* Returns {value} with a plain decimal string, {options} with the two that it may be,
     or {fault}: empty, not_a_number, negative, too_long. `max` is the greatest possible value:
     what lies above it is no option. */
  function read(text, max) {
    // Full-width digits and no-break spaces of some keyboards become plain ones; a Swiss
    // apostrophe stands between digits, and anywhere else is a slip.
    const plain = String(text).normalize("NFKC").trim().replace(/(\d)[\u2019'](?=\d)/g, "$1 ");
    if (plain === "") return { fault: "empty" };
    if (/^[-\u2212]/.test(plain)) return { fault: "negative" };
    const found = unambiguous(plain);
    if (found !== null) return limited(found);
    const single = /^([1-9]\d{0,2})[.,](\d{3})$/.exec(plain);
    if (single === null) return { fault: "not_a_number" };
    const whole = single[1] + single[2];
    const broken = single[1] + "." + single[2];
    if (max !== undefined && Number(whole) > max) return limited(broken);
    return { options: [whole, broken] };
  }

  function unambiguous(text) {
    if (/^\d+$/.test(text)) return text;
    if (/^\d{1,3}( \d{3})+$/.test(text)) return text.replace(/ /g, "");
    let found = /^(\d{1,3}(?: \d{3})+)[.,](\d+)$/.exec(text);
    if (found !== null) return found[1].replace(/ /g, "") + "." + found[2];
    // Two kinds of separators: the last is the decimal one.
    found = /^(\d{1,3}(?:,\d{3})+)\.(\d+)$/.exec(text) || /^(\d{1,3}(?:\.\d{3})+),(\d+)$/.exec(text);
    if (found !== null) return found[1].replace(/[.,]/g, "") + "." + found[2];
    // The same one twice can only stand between thousands.
    if (/^\d{1,3}(,\d{3}){2,}$/.test(text) || /^\d{1,3}(\.\d{3}){2,}$/.test(text)) {
      return text.replace(/[.,]/g, "");
    }
    found = /^(\d*)[.,](\d*)$/.exec(text);
    if (found === null || found[1] + found[2] === "") return null;
    const thousands = /^[1-9]\d{0,2}$/.test(found[1]) && found[2].length === 3;
    if (thousands) return null;
    return (found[1] || "0") + (found[2] === "" ? "" : "." + found[2]);
  }

  function limited(text) {
    const value = text.replace(/^0+(?=\d)/, "");
    const places = (value.split(".")[1] || "").length;
    if (places > PLACES_MAX || value.replace(".", "").length > DIGITS_MAX) {
      return { fault: "too_long" };
    }
    return { value: value };
  }

  /* A decimal string in millionths, exactly. */
  function millionths(value) {
    const parts = value.split(".");
    return BigInt(parts[0] + ((parts[1] || "") + "000000").slice(0, PLACES_MAX));
  }

  function text(amount) {
    const sign = amount < 0n ? "-" : "";
    const digits = String(amount < 0n ? -amount : amount).padStart(PLACES_MAX + 1, "0");
    const places = digits.slice(-PLACES_MAX).replace(/0+$/, "");
    return sign + digits.slice(0, -PLACES_MAX) + (places === "" ? "" : "." + places);
  }

  /* a - b of decimal strings, exactly; may be negative. */
  function minus(a, b) {
    return text(millionths(a) - millionths(b));
  }

  /* A mass in kilograms, exactly. */
  function kilograms(value, unit) {
    return text(millionths(value) * (unit === "t" ? 1000n : 1n));
  }

  /* A decimal string with narrow spaces between thousands, which no language reads as a point. */
  function grouped(value) {
    const parts = String(value).split(".");
    const whole = parts[0].replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
    return whole + (parts.length > 1 ? "." + parts[1] : "");
  }

  custody.numbers = { read: read, minus: minus, kilograms: kilograms, grouped: grouped };
})((globalThis.custody = globalThis.custody || {}));
