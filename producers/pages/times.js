/* Times as a form has them: a local time and an offset from UTC, both to be seen. Pure. */
(function (custody) {
  "use strict";

  const MINUTE_MS = 60000;

  /* Every offset in use on Earth, minutes east of UTC. */
  const OFFSETS = [
    -720, -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -150, -120, -60, 0, 60,
    120, 180, 210, 240, 270, 300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720,
    765, 780, 825, 840,
  ];

  function two(number) {
    return String(number).padStart(2, "0");
  }

  /* +02:00 for 120. */
  function offset(minutes) {
    const size = Math.abs(minutes);
    return (minutes < 0 ? "-" : "+") + two(Math.floor(size / 60)) + ":" + two(size % 60);
  }

  /* The local time to the minute, as an input of type datetime-local has it. */
  function local(nowMs, offsetMin) {
    return new Date(nowMs + offsetMin * MINUTE_MS).toISOString().slice(0, 16);
  }

  /* RFC 3339 of a local time; null where it is none. To the minute, so that what is typed twice
     within one is the same event and not a second one. */
  function rfc3339(localText, offsetMin) {
    const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d(?:\.\d+)?)?$/.exec(localText);
    if (found === null || Number.isNaN(Date.parse(found[1] + ":00Z"))) return null;
    return found[1] + ":00" + offset(offsetMin);
  }

  /* How long ago or how long, as {count, unit} with unit s, min, h or d. */
  function span(seconds) {
    const size = Math.max(0, Math.round(seconds));
    if (size < 120) return { count: size, unit: "s" };
    if (size < 7200) return { count: Math.round(size / 60), unit: "min" };
    if (size < 172800) return { count: Math.round(size / 3600), unit: "h" };
    return { count: Math.round(size / 86400), unit: "d" };
  }

  custody.times = { OFFSETS: OFFSETS, offset: offset, local: local, rfc3339: rfc3339, span: span };
})((globalThis.custody = globalThis.custody || {}));
