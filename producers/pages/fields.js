/* The fields of one form as elements. What is typed goes to `state.typed`; nothing is decided here. */
(function (custody) {
  "use strict";

  const page = custody.page;
  const make = page.make;

  /* view: {element, form, say, state, recent(name), changed()}. state: {typed, chosen, faults,
     questions, doubts, time (local text where typed, else null), zone (minutes or null)}. */
  function draw(view) {
    const drawn = view.form.fields.map((field) => fieldOf(field, view));
    const doubts = view.state.doubts.map(
      (item) => make("p", { class: "fault" }, [view.say("doubt." + item.say, item.values)]));
    const send = make("button", { type: "submit", class: "main", id: "submit" },
      [view.say(doubts.length > 0 ? "page.send_all_the_same" : "page.send")]);
    page.show(view.element, drawn.concat(doubts, [send]));
    net(view);
    tick(view);
  }

  function fieldOf(field, view) {
    const id = "f-" + field.name;
    const parts = (PARTS[field.kind] || plain)(field, id, view);
    const question = view.state.questions.find((item) => item.field === field.name);
    if (question) parts.push(questionOf(question, view));
    const fault = view.state.faults.find((item) => item.field === field.name);
    if (fault) {
      parts.push(make("p", { class: "fault", id: id + "-fault" }, [view.say("fault." + fault.say, fault.values)]));
    }
    return make("div", { "data-field": field.name }, parts);
  }

  function labelOf(field, id, view) {
    const text = view.say("field." + field.name) + (field.required ? " *" : "");
    const hint = view.say("hint." + field.name);
    const parts = [text];
    if (hint !== "hint." + field.name) parts.push(make("span", { class: "hint" }, [hint]));
    return make("label", { for: id }, parts);
  }

  function common(field, id, view) {
    const bad = view.state.faults.some((item) => item.field === field.name);
    return {
      id: id,
      name: field.name,
      "aria-invalid": bad ? "true" : null,
      "aria-describedby": bad ? id + "-fault" : null,
      "aria-required": field.required ? "true" : null,
    };
  }

  function kept(element, field, view) {
    element.value = view.state.typed[field.name] || "";
    element.addEventListener("input", function () {
      view.state.typed[field.name] = element.value;
      net(view);
      view.changed();
    });
    return element;
  }

  function plain(field, id, view) {
    const list = field.recent ? id + "-recent" : null;
    const input = make("input", Object.assign(common(field, id, view), {
      type: "text", list: list, autocapitalize: "characters", spellcheck: "false", maxlength: 200,
    }), []);
    const parts = [labelOf(field, id, view), kept(input, field, view)];
    if (list) {
      const options = view.recent(field.name).map((value) => make("option", { value: value }, []));
      parts.push(make("datalist", { id: list }, options));
    }
    return parts;
  }

  const PARTS = {
    choice: function (field, id, view) {
      const options = [make("option", { value: "" }, [view.say("page.choose")])].concat(
        field.of.map((name) => make("option", { value: name }, [view.say("choice." + name)])));
      const select = make("select", common(field, id, view), options);
      return [labelOf(field, id, view), kept(select, field, view)];
    },
    list: function (field, id, view) {
      const area = make("textarea", Object.assign(common(field, id, view), {
        rows: 3, autocapitalize: "characters", spellcheck: "false",
      }), []);
      return [labelOf(field, id, view), kept(area, field, view)];
    },
    unit: function (field, id, view) {
      const radios = field.of.map(function (unit) {
        const input = make("input", { type: "radio", name: field.name, value: unit, id: id + "-" + unit }, []);
        input.checked = view.state.typed[field.name] === unit;
        input.addEventListener("change", function () {
          view.state.typed[field.name] = unit;
          net(view);
          view.changed();
        });
        return make("label", { class: "radio", for: id + "-" + unit }, [input, view.say("unit." + unit)]);
      });
      const legend = make("legend", {}, [view.say("field." + field.name) + " *"]);
      return [make("fieldset", { id: id }, [legend, make("div", { class: "pair" }, radios)])];
    },
    mass: function (field, id, view) {
      const parts = numeric(field, id, view);
      if (field.name === "net_kg") parts.push(make("p", { class: "net", id: "net", role: "status" }, []));
      return parts;
    },
    percent: numeric,
    time: function (field, id, view) {
      const input = make("input", Object.assign(common(field, id, view), { type: "datetime-local" }), []);
      input.addEventListener("input", function () {
        view.state.time = input.value === "" ? null : input.value;
        tick(view);
        view.changed();
      });
      const zone = make("select", { id: "f-zone", "aria-label": view.say("field.zone") }, zones(view));
      zone.value = view.state.zone === null ? "" : String(view.state.zone);
      zone.addEventListener("change", function () {
        view.state.zone = zone.value === "" ? null : Number(zone.value);
        tick(view);
        view.changed();
      });
      const now = make("button", { type: "button" }, [view.say("page.now")]);
      now.addEventListener("click", function () {
        view.state.time = null;
        tick(view);
        view.changed();
      });
      return [labelOf(field, id, view), input, make("div", { class: "stack" }, [zone, now])];
    },
  };

  function numeric(field, id, view) {
    const input = make("input", Object.assign(common(field, id, view), {
      type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 30,
    }), []);
    return [labelOf(field, id, view), kept(input, field, view)];
  }

  function zones(view) {
    const own = make("option", { value: "" }, [view.say("page.zone_phone", { zone: zoneText(phoneOffset(null)) })]);
    return [own].concat(custody.times.OFFSETS.map(
      (minutes) => make("option", { value: minutes }, [zoneText(minutes)])));
  }

  function zoneText(minutes) {
    return "UTC" + custody.times.offset(minutes);
  }

  /* The phone's offset at a local time, or now. */
  function phoneOffset(localText) {
    const at = localText === null ? new Date() : new Date(localText);
    return -(Number.isNaN(at.getTime()) ? new Date() : at).getTimezoneOffset();
  }

  function offsetOf(state) {
    return state.zone === null ? phoneOffset(state.time) : state.zone;
  }

  /* RFC 3339 of what the time field says; null where that is no time. */
  function occurredAt(state, nowMs) {
    const offset = offsetOf(state);
    const local = state.time === null ? custody.times.local(nowMs, offset) : state.time;
    return custody.times.rfc3339(local, offset);
  }

  /* Let the time run on while nobody has typed another. */
  function tick(view) {
    const input = page.byId("f-occurred_at");
    if (input === null || document.activeElement === input) return;
    const now = custody.times.local(Date.now(), offsetOf(view.state));
    input.value = view.state.time === null ? now : view.state.time;
  }

  function net(view) {
    const element = page.byId("net");
    if (element === null) return;
    const found = custody.entries.shownNet(view.state.typed, view.state.chosen);
    element.hidden = found === null;
    if (found === null) return;
    const bad = found.value.charAt(0) === "-";
    const values = { net: custody.numbers.grouped(found.value), unit: found.unit, kg: custody.numbers.grouped(found.kg) };
    element.textContent = bad ? view.say("fault.tare_above_gross") : view.say("page.net", values);
  }

  /* The two things that a number may mean, as two buttons. */
  function questionOf(question, view) {
    const text = view.state.typed[question.field].trim();
    const unit = view.state.typed.unit || "";
    const buttons = question.options.map(function (value) {
      const shown = question.field.indexOf("moisture") === 0 ? value + " %" : custody.numbers.grouped(value) + " " + unit;
      const button = make("button", { type: "button" }, [shown]);
      button.addEventListener("click", function () {
        view.state.chosen[question.field] = { text: text, value: value };
        view.answered(question.field);
      });
      return button;
    });
    return make("div", { role: "group", "aria-label": view.say("page.which_number") }, [
      make("p", { class: "fault" }, [view.say("page.number_unclear", { found: text })]),
      make("div", { class: "pair" }, buttons),
    ]);
  }

  custody.fields = { draw: draw, tick: tick, occurredAt: occurredAt };
})((globalThis.custody = globalThis.custody || {}));
