/* From what was typed to a request, or to what is wrong, unclear or doubtful about it. Pure. */
(function (custody) {
  "use strict";

  const NET_KG_OFF = 20;
  const TRUCK_KG = [1000, 200000];
  const RATIO_ODD = 50;

  /* typed: name to text. context: {occurred_at, skewMs (null where unknown or where the time was
     typed), chosen: {name: {text, value}} for numbers that were asked about, lastKg (of this
     scale, or null)}.
     Returns {request, faults: [{field, say, values}], questions: [{field, options}],
     doubts: [{say, values}]}. Only without faults and questions is the request to be sent. */
  function build(form, typed, context) {
    const made = { request: { type: form.type }, faults: [], questions: [], doubts: [] };
    Object.assign(made.request, form.fixed || {});
    const numbers = {};
    form.fields.forEach(function (field) {
      const text = String(typed[field.name] === undefined ? "" : typed[field.name]).trim();
      KINDS[field.kind](field, text, { made: made, typed: typed, context: context, numbers: numbers });
    });
    if (form.type === "weighing") masses(made, numbers, typed.unit, context.lastKg);
    if (context.skewMs !== null && context.skewMs !== undefined) {
      made.request.clock_skew_ms = Math.round(context.skewMs);
    }
    return made;
  }

  const KINDS = {
    text: function (field, text, at) {
      if (text === "") return absent(field, at);
      at.made.request[field.name] = text;
    },
    choice: function (field, text, at) {
      if (text === "") return absent(field, at);
      at.made.request[field.name] = text;
    },
    list: function (field, text, at) {
      const items = text.split(/[\n,;]+/).map((item) => item.trim()).filter((item) => item !== "");
      if (items.length === 0) return absent(field, at);
      const twice = items.filter((item, index) => items.indexOf(item) !== index);
      if (twice.length > 0) doubt(at.made, "twice", { found: twice.join(", ") });
      at.made.request[field.name] = items.filter((item, index) => items.indexOf(item) === index);
    },
    time: function (field, text, at) {
      if (at.context.occurred_at === null) return fault(at.made, field.name, "time", {});
      at.made.request[field.name] = at.context.occurred_at;
    },
    unit: function (field, text, at) {
      if (text === "") absent(field, at);
    },
    mass: function (field, text, at) {
      const value = number(field, text, at, undefined);
      if (value === null || at.typed.unit === "" || at.typed.unit === undefined) return;
      at.numbers[field.name] = value;
      at.made.request[field.name] = { value: value, unit: at.typed.unit };
    },
    percent: function (field, text, at) {
      const value = number(field, text, at, 100);
      if (value === null) return;
      if (Number(value) > 100) return fault(at.made, field.name, "over_100", { found: value });
      const path = field.name.split(".");
      const whole = at.made.request[path[0]] || { unit: "pct" };
      whole[path[1]] = value;
      at.made.request[path[0]] = whole;
    },
    origin: function (field, text, at) {
      if (text === "") return absent(field, at);
      at.made.request.declared_origins = [{ level: "site", id: text, share: 1 }];
    },
  };

  function absent(field, at) {
    const unless = field.optional_when;
    const waived = unless && Object.keys(unless).every((name) => at.typed[name] === unless[name]);
    if (field.required && !waived) return fault(at.made, field.name, "missing", {});
    if (field.nullable) at.made.request[field.name] = null;
  }

  function number(field, text, at, max) {
    if (text === "") {
      absent(field, at);
      return null;
    }
    const found = custody.numbers.read(text, max);
    if (found.value !== undefined) return found.value;
    if (found.options === undefined) {
      fault(at.made, field.name, "number_" + found.fault, { found: text });
      return null;
    }
    const chosen = (at.context.chosen || {})[field.name];
    if (chosen && chosen.text === text && found.options.indexOf(chosen.value) >= 0) {
      return chosen.value;
    }
    at.made.questions.push({ field: field.name, options: found.options });
    return null;
  }

  function masses(made, numbers, unit, lastKg) {
    if (!unit) return;
    const net = netOf(numbers);
    const asked = made.questions.length > 0 || made.faults.some((item) => /_kg$/.test(item.field));
    if (net === null) {
      if (!asked) fault(made, "gross_kg", "no_net", {});
      return;
    }
    if (net.charAt(0) === "-") {
      return fault(made, "tare_kg", "tare_above_gross", {});
    }
    if (numbers.net_kg !== undefined && numbers.gross_kg !== undefined && numbers.tare_kg !== undefined) {
      const off = custody.numbers.minus(numbers.net_kg, net).replace("-", "");
      if (Number(custody.numbers.kilograms(off, unit)) > NET_KG_OFF) {
        doubt(made, "net_off", { found: numbers.net_kg, expected: net, unit: unit });
      }
    }
    plausible(made, numbers.gross_kg === undefined ? net : numbers.gross_kg, unit, lastKg);
  }

  /* Kilograms taken for tonnes are a thousand times off. What is far from the last ticket of the
     same scale, or from a truck where there was none yet, is asked about. */
  function plausible(made, value, unit, lastKg) {
    const kg = Number(custody.numbers.kilograms(value, unit));
    if (lastKg) {
      const ratio = kg / lastKg;
      if (ratio > RATIO_ODD || ratio < 1 / RATIO_ODD) {
        doubt(made, "unlike_last", { found: value, unit: unit, last: String(lastKg) });
      }
    } else if (kg < TRUCK_KG[0] || kg > TRUCK_KG[1]) {
      doubt(made, "no_truck", { found: value, unit: unit });
    }
  }

  /* Gross less tare; else the net that was typed; null where neither is known. Decimal string. */
  function netOf(numbers) {
    if (numbers.gross_kg !== undefined && numbers.tare_kg !== undefined) {
      return custody.numbers.minus(numbers.gross_kg, numbers.tare_kg);
    }
    return numbers.net_kg === undefined ? null : numbers.net_kg;
  }

  /* The masses and the net to show while somebody types; null where there is no net yet. */
  function shownNet(typed, chosen) {
    const numbers = {};
    ["gross_kg", "tare_kg", "net_kg"].forEach(function (name) {
      const text = String(typed[name] || "").trim();
      const found = custody.numbers.read(text);
      const picked = (chosen || {})[name];
      if (found.value !== undefined) numbers[name] = found.value;
      else if (found.options && picked && picked.text === text) numbers[name] = picked.value;
    });
    const net = netOf(numbers);
    if (net === null || !typed.unit) return null;
    return { value: net, unit: typed.unit, kg: custody.numbers.kilograms(net.replace("-", ""), typed.unit) };
  }

  /* The greatest mass of a ticket in kilograms, to compare the scale's next one with. */
  function heaviestKg(request) {
    const mass = request.gross_kg || request.net_kg;
    return mass ? Number(custody.numbers.kilograms(mass.value, mass.unit)) : null;
  }

  /* What a person calls an entry by. */
  function nameOf(request) {
    const names = [request.ticket_no, request.certificate_no, request.movement_id, request.lot_id];
    return names.filter((name) => name !== undefined && name !== null && name !== "").join(" \u00b7 ");
  }

  const IDENTITY = {
    weighing: ["device_id", "ticket_no"],
    lot: ["site_id", "lot_id"],
    shipment: ["movement_id", "lot_id", "kind", "site_id"],
    assay: ["lab_id", "certificate_no", "sample_id", "stage", "party"],
  };

  /* An entry of this phone about the same thing, or null. One that the new one corrects is none.
     Of a shipment the time is no part here: typed again a minute later it is another event to the
     gateway, and most likely not to the driver. */
  function twin(request, entries, replaces) {
    const same = (entry) => entry.id !== replaces && entry.state !== "attention"
      && entry.request.type === request.type
      && IDENTITY[request.type].every((name) => entry.request[name] === request[name]);
    return entries.find(same) || null;
  }

  function fault(made, field, say, values) {
    made.faults.push({ field: field, say: say, values: values });
  }

  function doubt(made, say, values) {
    made.doubts.push({ say: say, values: values });
  }

  custody.twin = twin;
  custody.entries = { build: build, shownNet: shownNet, heaviestKg: heaviestKg, nameOf: nameOf };
})((globalThis.custody = globalThis.custody || {}));
