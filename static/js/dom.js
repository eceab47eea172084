// Elements out of data: text stays text. Never innerHTML.
const SVG = "http://www.w3.org/2000/svg";
const sprite = new URL("../vendor/icons.svg", import.meta.url).pathname;

/**
 * An element with attributes, listeners (`onclick`) and children. `class` is the class, `dataset` an object.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** @param {string} href @param {string} kind */
function drawing(href, kind) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", kind);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 24 24");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", href);
  svg.append(use);
  return svg;
}

/** A drawing of the sprite. @param {string} name @param {string} [kind] */
export const icon = (name, kind = "ico") => drawing(`${sprite}#${name}`, kind);
/** The drawing of a node type; the page holds them. @param {string} type @param {string} [kind] */
export const nodeIcon = (type, kind = "ico") => drawing(`#type-${type}`, kind);

/**
 * The drawing of a node type with its lines in it: where there are hundreds, a reference to each costs far more.
 * @param {string} type @param {string} [kind]
 */
export function typeDrawing(type, kind = "ico") {
  const svg = nodeIcon(type, kind);
  const lines = document.getElementById(`type-${type}`)?.cloneNode(true).childNodes;
  if (lines) svg.replaceChildren(...lines);
  return svg;
}

/** The data that the page carries in a JSON block. @param {string} id */
export function pageData(id) {
  const block = document.getElementById(id);
  return block?.textContent ? JSON.parse(block.textContent) : null;
}
