/* Elements from text: no string ever becomes markup. */

/* el("a", {href: "/x", class: "y", onclick: f}, "text", child, [more]); null children are left out. */
export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else made.setAttribute(name, String(value));
  }
  fill(made, ...children);
  return made;
}

/* Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return element;
}

/* A section with a heading; the heading names it for a screen reader. */
let panels = 0;
export function panel(title, ...children) {
  const id = `panel-${(panels += 1)}`;
  return el("section", { class: "panel", "aria-labelledby": id }, el("h2", { id }, title), ...children);
}
