// Steps and wires that are no more, shown by a comparison; nobody can touch them.

import { h, nodeIcon } from "../dom.js";
import { _ } from "../i18n.js";
import { CARD, cardHeight, inputAnchor, intersects } from "./geometry.js";
import { pathOf, route } from "./route.js";
import { svg } from "./wires.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./overlay.js").Ghost} Ghost
 * @typedef {import("./geometry.js").Rect} Rect
 */

export class GhostLayer {
  /** @param {View} view @param {HTMLElement} cards @param {SVGElement} wires */
  constructor(view, cards, wires) {
    this.view = view;
    this.cards = cards;
    this.wires = wires;
    /** @type {Element[]} */
    this.shown = [];
    /** @type {Map<string, Rect>} */
    this.rects = new Map();
  }

  /** @param {import("./overlay.js").Overlay} overlay */
  show({ ghosts, ghostWires }) {
    for (const element of this.shown) element.remove();
    this.rects = new Map();
    for (const ghost of ghosts) this.rects.set(ghost.id, this.roomFor(ghost));
    const cards = ghosts.map((ghost) => this.card(ghost));
    const wires = ghostWires.map((wire) => this.wire(wire)).filter((element) => element !== null);
    this.cards.append(...cards);
    this.wires.prepend(...wires);
    this.shown = [...cards, ...wires];
  }

  /** Where it stood, moved down until it covers no card of today. @param {Ghost} ghost @returns {Rect} */
  roomFor({ x = 0, y = 0 }) {
    const rect = { x, y, width: CARD.width, height: CARD.header };
    const taken = () => [...this.view.places.meeting(rect)].map((id) => /** @type {Rect} */ (this.view.places.rects.get(id)))
      .concat([...this.rects.values()].filter((other) => intersects(other, rect)));
    for (let blocks = taken(); blocks.length; blocks = taken()) {
      rect.y = Math.max(...blocks.map((block) => block.y + block.height)) + 20;
    }
    return rect;
  }

  /** @param {Ghost} ghost */
  card(ghost) {
    const { x, y } = /** @type {Rect} */ (this.rects.get(ghost.id));
    const words = h("div", { class: "words" }, h("b", { class: "title" }, ghost.title), h("span", { class: "summary" }, ghost.summary ?? ""));
    const tile = h("span", { class: "tile" }, nodeIcon(ghost.type));
    const chip = h("span", { class: "chip" }, _("Removed"));
    const element = h("div", { class: `card ghost is-removed ${this.view.hueOf(ghost.type)}` }, h("div", { class: "face" }, tile, words), chip);
    element.style.transform = `translate(${x}px,${y}px)`;
    return element;
  }

  /** @param {{from: string, port: string, to: string}} wire */
  wire({ from, port, to }) {
    const { editor } = this.view;
    const rectOf = (/** @type {string} */ id) => this.rects.get(id) ?? (editor.flow.steps.has(id) ? editor.rectOf(id) : null);
    const [source, target] = [rectOf(from), rectOf(to)];
    if (!source || !target) return null;
    const start = this.rects.has(from)
      ? { x: source.x + source.width, y: source.y + CARD.input }
      : editor.outletOf(from, port);
    const path = svg("path", "wire-ghost");
    const rect = { ...source, height: this.rects.has(from) ? CARD.header : cardHeight(1) };
    path.setAttribute("d", pathOf(route({ start, end: inputAnchor(target), lane: 0, source: rect, target })));
    return path;
  }
}
