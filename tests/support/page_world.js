/* What the console's scripts need of a browser, for a JavaScript engine that has none: elements with
   text, addresses, dates in two languages. Nothing is laid out; what is drawn is kept as it was asked. */

const VOID = () => undefined;

class Node_ {
  constructor() { this.parent = null; this.childNodes = []; }
  get isConnected() { return this === document.documentElement || Boolean(this.parent && this.parent.isConnected); }
  get textContent() { return this.childNodes.map((one) => one.textContent).join(""); }
  set textContent(text) { this.replaceChildren(String(text)); }
  get lastChild() { return this.childNodes.at(-1) || null; }
  adopt(child) {
    const made = child instanceof Node_ ? child : new Text_(String(child));
    if (made.parent) made.remove();
    made.parent = this;
    return made;
  }
  append(...children) { this.childNodes.push(...children.map((one) => this.adopt(one))); }
  replaceChildren(...children) {
    for (const one of this.childNodes) one.parent = null;
    this.childNodes = [];
    this.append(...children);
  }
  remove() {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter((one) => one !== this);
    this.parent = null;
  }
  replaceWith(other) {
    const { parent } = this;
    const at = parent.childNodes.indexOf(this);
    this.remove();
    parent.childNodes.splice(at, 0, parent.adopt(other));
  }
  after(other) { this.parent.childNodes.splice(this.parent.childNodes.indexOf(this) + 1, 0, this.parent.adopt(other)); }
  contains(other) { return other === this || Boolean(other && this.contains(other.parent)); }
}

class Text_ extends Node_ {
  constructor(text) { super(); this.data = text; }
  get textContent() { return this.data; }
}

/* "button.main[type=x]" and lists of them, the parts of a path being anywhere within each other. */
function simple(element, selector) {
  const bare = selector.replace(/:not\([^)]*\)|:\w+/g, "");
  for (const [, mark, name] of bare.matchAll(/(^|[.#])([\w-]+)/g)) {
    if (mark === "" && element.tagName.toLowerCase() !== name) return false;
    if (mark === "." && !element.className.split(" ").includes(name)) return false;
    if (mark === "#" && element.getAttribute("id") !== name) return false;
  }
  for (const [, name, value] of bare.matchAll(/\[([\w-]+)(?:="?([^\]"]*)"?)?\]/g)) {
    if (!element.hasAttribute(name) || (value !== undefined && element.getAttribute(name) !== value)) return false;
  }
  return !(selector.includes(":not(:empty)") && !element.childNodes.length);
}
function matches(element, selector) {
  return selector.split(",").some((one) => {
    const path = one.trim().split(/\s+(?:>\s+)?/);
    if (!simple(element, path.pop())) return false;
    let above = element.parent;
    while (path.length && above) {
      if (above instanceof Element_ && simple(above, path.at(-1))) path.pop();
      above = above.parent;
    }
    return !path.length;
  });
}

class Element_ extends Node_ {
  constructor(tag) {
    super();
    Object.assign(this, { tagName: tag.toUpperCase(), attributes: new Map(), listeners: {}, style: {}, dataset: {} });
    this.classList = { toggle: VOID, add: VOID, remove: VOID, contains: (name) => this.className.split(" ").includes(name) };
  }
  setAttribute(name, value) { this.attributes.set(name, String(value)); }
  getAttribute(name) { return this.attributes.has(name) ? this.attributes.get(name) : null; }
  hasAttribute(name) { return this.attributes.has(name); }
  removeAttribute(name) { this.attributes.delete(name); }
  addEventListener(name, listener) { (this.listeners[name] = this.listeners[name] || []).push(listener); }
  focus() { document.activeElement = this; }
  get children() { return this.childNodes.filter((one) => one instanceof Element_); }
  get childElementCount() { return this.children.length; }
  *within() { for (const one of this.children) { yield one; yield* one.within(); } }
  querySelectorAll(selector) { return [...this.within()].filter((one) => matches(one, selector)); }
  querySelector(selector) { return this.querySelectorAll(selector)[0] || null; }
}
for (const [name, attribute] of [["className", "class"], ["id", "id"], ["name", "name"], ["value", "value"], ["lang", "lang"], ["href", "href"]]) {
  Object.defineProperty(Element_.prototype, name, {
    get() { return this.getAttribute(attribute) || ""; }, set(value) { this.setAttribute(attribute, value); } });
}
for (const name of ["hidden", "open", "disabled", "selected"]) {
  Object.defineProperty(Element_.prototype, name, {
    get() { return this.hasAttribute(name); }, set(on) { if (on) this.setAttribute(name, ""); else this.removeAttribute(name); } });
}

const root = new Element_("html");
const byId = (id) => root.querySelector(`#${id}`);
globalThis.document = {
  documentElement: root, body: new Element_("body"), activeElement: null, cookie: "", title: "",
  createElement: (tag) => new Element_(tag), getElementById: byId,
  querySelectorAll: (selector) => root.querySelectorAll(selector), addEventListener: VOID,
};
root.append(document.body);
const main = new Element_("main");
main.setAttribute("id", "main");
document.body.append(main);

/* Addresses: those of this console alone. */
globalThis.URLSearchParams = class {
  constructor(text) {
    this.pairs = String(text || "").replace(/^\?/, "").split("&").filter(Boolean)
      .map((pair) => pair.split("=").map((part) => decodeURIComponent(part.replaceAll("+", " "))));
  }
  get(name) { const found = this.pairs.find(([key]) => key === name); return found ? found[1] || "" : null; }
  getAll(name) { return this.pairs.filter(([key]) => key === name).map(([, value]) => value); }
  delete(name) { this.pairs = this.pairs.filter(([key]) => key !== name); }
  set(name, value) { this.delete(name); this.append(name, value); }
  append(name, value) { this.pairs.push([name, String(value)]); }
  toString() { return this.pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&"); }
};
globalThis.URL = class {
  constructor(address) {
    const [path, query] = address.split("?");
    Object.assign(this, { pathname: path, searchParams: new URLSearchParams(query) });
  }
  get search() { const text = this.searchParams.toString(); return text ? `?${text}` : ""; }
};
globalThis.location = { pathname: "/", search: "", origin: "", assign: VOID, replace: VOID, reload: VOID };
globalThis.history = { replaceState: VOID };

/* Dates as the two languages write them, in UTC. */
const MONTHS = { "en-GB": "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec", "fr-FR": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc." };
globalThis.Intl = {
  DateTimeFormat: class {
    constructor(name, options) { Object.assign(this, { name, options }); }
    format(at) {
      const two = (value) => String(value).padStart(2, "0");
      const month = (MONTHS[this.name] || MONTHS["en-GB"]).split(" ")[at.getUTCMonth()];
      const year = this.options.year ? ` ${at.getUTCFullYear()}` : "";
      return `${at.getUTCDate()} ${month}${year} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    }
  },
  PluralRules: class {
    constructor(name) { this.name = name; }
    select(count) { return count === 1 || (this.name === "fr" && count === 0) ? "one" : "other"; }
  },
};

/* What waits is done when the test says so: timers never, frames by `frames()`. */
const waiting = [];
Object.assign(globalThis, {
  requestAnimationFrame: (draw) => waiting.push(draw), setTimeout: VOID, setInterval: VOID, clearTimeout: VOID,
  addEventListener: VOID, dispatchEvent: VOID, CustomEvent: class {}, EventSource: class { addEventListener() {} },
  AbortController: class { abort() {} }, performance: { now: () => 0 }, matchMedia: () => ({ addEventListener: VOID }),
  getComputedStyle: () => ({ getPropertyValue: () => "#808080" }), navigator: { languages: ["en"] },
  localStorage: { kept: {}, getItem(name) { return this.kept[name] || null; }, setItem(name, text) { this.kept[name] = text; }, removeItem(name) { delete this.kept[name]; } },
  crypto: { getRandomValues: (bytes) => bytes }, console: { error: (text) => { throw new Error(String(text)); } },
});
globalThis.frames = () => { while (waiting.length) waiting.shift()(); };

/* Charts are drawn by nobody: what they would say is kept. */
globalThis.drawn = [];
globalThis.Plotly = { register: VOID, react: (place, traces, layout) => { globalThis.drawn.push({ traces, layout }); } };

/* asked(method, path, body) -> [status, headers as JSON, text]: the console that the test has. */
globalThis.fetch = async (path, options = {}) => {
  const [status, headers, text] = asked(options.method || "GET", path, options.body === undefined ? null : String(options.body));
  const named = JSON.parse(headers);
  return { ok: status < 400, status, statusText: String(status), headers: { get: (name) => named[name.toLowerCase()] ?? null },
    json: async () => JSON.parse(text), text: async () => text };
};

/* Texts a reader gets, without ids, code, what people wrote by hand, and what is marked as another language's:
   of elements, of labels, and of charts. */
const APART = ["id", "mono"];
function* texts(element) {
  for (const one of element.childNodes) {
    if (one instanceof Text_) { yield one.data; continue; }
    if (one.getAttribute("lang") === "en" || ["TEXTAREA", "CODE"].includes(one.tagName)) continue;
    for (const name of ["aria-label", "placeholder", "data-title"]) if (one.hasAttribute(name)) yield one.getAttribute(name);
    if (!one.className.split(" ").some((name) => APART.includes(name))) yield* texts(one);
  }
}
function chartTexts({ traces, layout }) {
  const axes = [layout.xaxis, layout.yaxis, layout.yaxis2].filter(Boolean);
  return [...axes.flatMap((axis) => [axis.title && axis.title.text, ...(axis.ticktext || [])]),
    ...traces.flatMap((one) => [one.name, one.hovertemplate, ...(Array.isArray(one.text) ? one.text : [])])].filter(Boolean);
}
globalThis.toldTexts = () => [...texts(main), ...globalThis.drawn.flatMap(chartTexts)];
globalThis.shown = main;
