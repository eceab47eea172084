// The wires: one SVG layer, a path each, run anew only where something moved; never text inside.

import { CARD, around, inflate, intersects } from "./geometry.js";
import { Layer } from "./layer.js";
import { middleOf, pathOf, route } from "./route.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./geometry.js").Point} Point
 */

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {string} name */
export function svg(tag, name) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  element.setAttribute("class", name);
  return element;
}

/** How far beside and below its ends a wire may run. */
const STRAY = 240;

/** A small number, the same for all wires of a step and different for most others. @param {string} id */
function phaseOf(id) {
  let sum = 0;
  for (let place = 0; place < id.length; place += 1) sum = (sum * 31 + id.charCodeAt(place)) % 997;
  return (sum % 5) - 2;
}

/** @type {SVGElement | null} */
let drawn = null;

/** A wire to copy others from: what is felt of it, and what is seen. */
function pattern() {
  if (drawn) return drawn;
  drawn = svg("g", "wire");
  drawn.append(svg("path", "reach"), svg("path", "line"));
  return drawn;
}

class WireItem {
  /** @param {WireLayer} layer @param {string} key */
  constructor(layer, key) {
    this.layer = layer;
    this.key = key;
    this.element = /** @type {SVGElement} */ (pattern().cloneNode(true));
    this.element.dataset.key = key;
    this.reach = /** @type {SVGElement} */ (this.element.firstElementChild);
    this.line = /** @type {SVGElement} */ (this.element.lastElementChild);
    this.path = "";
    this.className = "wire";
    this.width = "";
  }

  sync() {
    const { view } = this.layer;
    const path = pathOf(this.layer.wayOf(this.key));
    if (path !== this.path) {
      this.path = path;
      this.reach.setAttribute("d", path);
      this.line.setAttribute("d", path);
    }
    const look = view.overlay.wire(this.key);
    const names = ["wire", ...(view.marks.get(this.key) ?? [])];
    if (view.editor.selection.has(this.key)) names.push("selected");
    if (look?.className) names.push(look.className);
    const className = names.join(" ");
    if (className !== this.className) this.element.setAttribute("class", (this.className = className));
    const width = look?.width ? `${look.width}px` : "";
    if (width !== this.width) this.line.style.strokeWidth = this.width = width;
  }
}

export class WireLayer {
  /** @param {View} view @param {SVGElement} host */
  constructor(view, host) {
    this.view = view;
    this.host = host;
    this.layer = new Layer(host, (key) => new WireItem(this, key));
    /** @type {Map<string, Point[]>} */
    this.ways = new Map();
    /** @type {Map<string, Rect>} */
    this.boxes = new Map();
  }

  clear() {
    this.layer.clear();
    this.ways.clear();
    this.boxes.clear();
  }

  /** The ends of a wire; null when a step it names is not there. @param {string} key */
  endsOf(key) {
    const { editor } = this.view;
    const wire = editor.flow.wires.get(key);
    if (!wire || !editor.flow.steps.has(wire.from) || !editor.flow.steps.has(wire.to)) return null;
    return { wire, start: editor.outletOf(wire.from, wire.port), end: editor.inletOf(wire.to) };
  }

  /** The corners of a wire. @param {string} key @returns {Point[]} */
  wayOf(key) {
    const known = this.ways.get(key);
    if (known) return known;
    const ends = this.endsOf(key);
    if (!ends) return [{ x: 0, y: 0 }, { x: 0, y: 0 }];
    const way = this.run(ends);
    this.ways.set(key, way);
    this.boxes.set(key, inflate(/** @type {Rect} */ (around(way.map((at) => ({ ...at, width: 0, height: 0 })))), 8));
    return way;
  }

  /** @param {{wire: import("./model.js").Wire, start: Point, end: Point}} ends */
  run({ wire, start, end }) {
    const { editor, places } = this.view;
    const ports = editor.portsOf(wire.from);
    const [source, target] = [editor.rectOf(wire.from), editor.rectOf(wire.to)];
    const area = inflate(/** @type {Rect} */ (around([source, target])), CARD.row);
    const obstacles = [];
    for (const id of places.meeting(area)) {
      if (id !== wire.from && id !== wire.to) obstacles.push(/** @type {Rect} */ (places.rects.get(id)));
    }
    const lane = Math.max(0, ports.findIndex((port) => port.name === wire.port));
    return route({ start, end, lane, lanes: ports.length, phase: phaseOf(wire.from), obstacles, source, target });
  }

  /** A rectangle that surely holds the wire, without running it. @param {string} key @returns {Rect | null} */
  boxOf(key) {
    const known = this.boxes.get(key);
    if (known) return known;
    const ends = this.endsOf(key);
    if (!ends) return null;
    const back = ends.end.x < ends.start.x + CARD.width;
    const corners = [ends.start, ends.end].map((at) => ({ ...at, width: 0, height: 0 }));
    const box = inflate(/** @type {Rect} */ (around(corners)), back ? STRAY : 48);
    this.boxes.set(key, box);
    return box;
  }

  /** Shows the wires that meet an area, those in view first. @param {Rect} area @param {Rect} seen
   * @param {import("./layer.js").Showing} budget */
  cull(area, seen, budget) {
    const wanted = new Set();
    for (const key of this.view.editor.flow.wires.keys()) {
      const box = this.boxOf(key);
      if (box && intersects(box, area)) wanted.add(key);
    }
    return this.layer.show(wanted, { inView: (key) => intersects(/** @type {Rect} */ (this.boxOf(key)), seen), ...budget });
  }

  /** Runs wires anew. @param {Iterable<string>} keys */
  rerun(keys) {
    for (const key of keys) {
      this.ways.delete(key);
      this.boxes.delete(key);
      if (!this.view.editor.flow.wires.has(key)) this.layer.forget(key);
      else this.layer.refresh([key]);
    }
  }

  /** The wires that run through an area now. @param {Rect} area */
  through(area) {
    return [...this.ways.keys()].filter((key) => intersects(/** @type {Rect} */ (this.boxes.get(key)), area));
  }

  /** Where a button on the wire may sit. @param {string} key @returns {Point} */
  middle(key) {
    return middleOf(this.wayOf(key));
  }
}
