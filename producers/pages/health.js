/* From /health to what somebody who keeps the machine reads: what is, how bad, what to do. Pure. */
(function (custody) {
  "use strict";

  const FULL_SHARE = 0.8;
  const CLOCK_OFF_S = 60;
  const OLD_S = 60;

  /* health: parsed /health or null where none came; nowMs: this device's clock when it came.
     Returns lines {about, level: ok|note|bad, say, values, todo (name of a sentence or null)}.
     Spans in values are named *_s, times *_at; the page writes them for its reader. */
  function lines(health, nowMs) {
    if (health === null) return [line("gateway", "bad", "no_answer", {}, "start_it")];
    return [
      taking(health),
      far("broker", health),
      waiting(health),
      far("registry", health),
      outbox(health),
      refused(health),
      disk(health),
      chain(health),
      clock(health, nowMs),
    ].filter((item) => item !== null);
  }

  function taking(health) {
    if (health.status === "ok") return line("gateway", "ok", "takes", {}, null);
    const stuck = health.accepting !== false;
    const say = stuck ? "stuck" : "takes_nothing";
    return line("gateway", "bad", say, { reason: health.reason }, stuck ? "see_log" : "make_room");
  }

  function far(name, health) {
    const state = health[name];
    const since = health[name + "_since"] || null;
    if (state === "up") return line(name, "ok", "up", { since_at: since }, null);
    if (state === "away") return line(name, "note", name + "_away", { since_at: since }, name + "_away");
    return line(name, "ok", name + "_unknown", {}, null);
  }

  function waiting(health) {
    if (!health.waiting) return line("waiting", "ok", "none_waits", {}, null);
    const values = { count: health.waiting, oldest_s: health.oldest_waiting_s };
    const level = health.oldest_waiting_s > OLD_S ? "note" : "ok";
    const todo = level === "note" && health.broker === "up" ? "see_publisher" : null;
    return line("waiting", level, todo ? "waits_because" : "waits",
      Object.assign(values, { reason: health.publisher }), todo);
  }

  function outbox(health) {
    if (typeof health.outbox_bytes !== "number") return null;
    const share = health.outbox_bytes / health.outbox_bytes_max;
    const values = {
      used: megabytes(health.outbox_bytes),
      max: megabytes(health.outbox_bytes_max),
      percent: Math.round(share * 100),
    };
    return line("outbox", share > FULL_SHARE ? "note" : "ok", "outbox_used", values,
      share > FULL_SHARE ? "outbox_full_soon" : null);
  }

  function refused(health) {
    if (typeof health.refused_bytes !== "number") return null;
    const values = {
      used: megabytes(health.refused_bytes),
      max: megabytes(health.refused_bytes_max),
      unkept: custody.numbers.grouped(String(health.refused_unkept)),
    };
    if (health.refused_full === true) {
      return line("refused", "note", "refused_full", values, "drop_refused");
    }
    return line("refused", "ok", "refused_kept", values, null);
  }

  function disk(health) {
    if (typeof health.disk_free_bytes !== "number") return null;
    const tight = health.disk_free_bytes < 4 * health.disk_free_bytes_min;
    const values = {
      free: megabytes(health.disk_free_bytes),
      min: megabytes(health.disk_free_bytes_min),
    };
    return line("disk", tight ? "note" : "ok", "disk_free", values, tight ? "disk_full_soon" : null);
  }

  function chain(health) {
    const values = { epoch: health.gateway_epoch, seq: health.gateway_seq, id: health.gateway_id };
    return line("chain", "ok", "chain_stands", values, null);
  }

  function clock(health, nowMs) {
    if (typeof health.clock_skew_ms === "number") {
      const off = Math.abs(health.clock_skew_ms) / 1000;
      const values = { off_s: off };
      if (off > CLOCK_OFF_S) return line("clock", "note", "clock_off", values, "set_clock");
      return line("clock", "ok", "clock_right", values, null);
    }
    const skew = skewMs(health, nowMs);
    if (skew === null) return null;
    if (Math.abs(skew) / 1000 <= CLOCK_OFF_S) return line("clock", "ok", "clocks_agree", {}, null);
    const values = { off_s: Math.abs(skew) / 1000 };
    return line("clock", "note", "clocks_differ", values, "set_clock");
  }

  /* How far this device's clock runs ahead of the gateway's, milliseconds; null where unknown. */
  function skewMs(health, nowMs) {
    const theirs = health === null ? NaN : Date.parse(health.now);
    return Number.isNaN(theirs) ? null : nowMs - theirs;
  }

  function megabytes(bytes) {
    return custody.numbers.grouped(String(Math.round(bytes / 1048576)));
  }

  /* Rows of the last day's counts: {name, accepted, duplicate, refused} by type, sorted. */
  function rows(day) {
    const names = {};
    ["accepted", "duplicate", "refused"].forEach(function (result) {
      Object.keys((day && day[result]) || {}).forEach((name) => { names[name] = true; });
    });
    return Object.keys(names).sort().map(function (name) {
      return {
        name: name,
        accepted: (day.accepted || {})[name] || 0,
        duplicate: (day.duplicate || {})[name] || 0,
        refused: (day.refused || {})[name] || 0,
      };
    });
  }

  function line(about, level, say, values, todo) {
    return { about: about, level: level, say: say, values: values, todo: todo };
  }

  custody.health = { lines: lines, rows: rows, skewMs: skewMs };
})((globalThis.custody = globalThis.custody || {}));
