/* Entries on the phone: stored before they are sent, and until somebody has an answer. Each has a
   key of its own, so that two open pages do not write over one another. Storage is given. */
(function (custody) {
  "use strict";

  const PREFIX = "custody.entry.";
  const DAY_MS = 86400000;
  const KEEP_SENT_MS = 3 * DAY_MS;

  function Queue(storage) {
    this.storage = storage;
  }

  /* Store an entry; returns false where the phone's storage takes nothing. */
  Queue.prototype.put = function (entry) {
    try {
      this.storage.setItem(PREFIX + entry.id, JSON.stringify(entry));
      return true;
    } catch (error) {
      return false;
    }
  };

  Queue.prototype.get = function (id) {
    return parsed(this.storage.getItem(PREFIX + id));
  };

  Queue.prototype.remove = function (id) {
    this.storage.removeItem(PREFIX + id);
  };

  /* All entries, oldest first. */
  Queue.prototype.all = function () {
    const found = [];
    for (let index = 0; index < this.storage.length; index += 1) {
      const key = this.storage.key(index);
      if (key.indexOf(PREFIX) === 0) {
        const entry = parsed(this.storage.getItem(key));
        if (entry !== null) found.push(entry);
      }
    }
    return found.sort((a, b) => a.made_ms - b.made_ms || (a.id < b.id ? -1 : 1));
  };

  Queue.prototype.waiting = function () {
    return this.all().filter((entry) => entry.state === "unsent" || entry.state === "denied");
  };

  /* Note what became of an entry. What is known to be sent stays so, whatever another page heard;
     an entry that was removed meanwhile does not come back. */
  Queue.prototype.settle = function (id, verdict, nowMs) {
    const entry = this.get(id);
    if (entry === null || entry.state === "sent") return entry;
    entry.state = verdict.state;
    entry.say = verdict.say;
    entry.item = verdict.item;
    entry.answered_ms = nowMs;
    // Where nothing more can be written the old text stays: it is sent again, a duplicate.
    this.put(entry);
    return entry;
  };

  /* Forget what was sent days ago; what has no good end stays. */
  Queue.prototype.prune = function (nowMs) {
    this.all().forEach((entry) => {
      if (entry.state === "sent" && nowMs - entry.made_ms > KEEP_SENT_MS) this.remove(entry.id);
    });
  };

  /* The unsent requests as NDJSON, for whoever carries them to the gateway by hand. */
  Queue.prototype.ndjson = function () {
    return this.waiting().map((entry) => JSON.stringify(entry.request) + "\n").join("");
  };

  /* Send what waits, oldest first, one at a time: one that a token may not send must not hold the
     others. post(request) gives an answer for `judge`. Returns the verdict that ended it, or null
     when all had their turn. */
  async function drain(queue, post, nowMs) {
    for (const entry of queue.waiting()) {
      const verdict = custody.answers.judge(await post(entry.request));
      queue.settle(entry.id, verdict, nowMs());
      if (verdict.stop) {
        // Why this one waits is why the others do.
        const why = Object.assign({}, verdict, { item: null });
        queue.waiting().forEach(function (other) {
          if (other.state === "unsent" && other.id !== entry.id) queue.settle(other.id, why, nowMs());
        });
        return verdict;
      }
    }
    return null;
  }

  function parsed(text) {
    try {
      const entry = JSON.parse(text);
      return entry !== null && typeof entry === "object" && entry.id ? entry : null;
    } catch (error) {
      return null;
    }
  }

  custody.Queue = Queue;
  custody.drain = drain;
})((globalThis.custody = globalThis.custody || {}));
