// The wires: one SVG layer, a path each, run anew only where something moved; never text inside.

import { CARD, around, inflate, intersects } from "./geometry.js";
import { Layer } from "./layer.js";
import { distance, middleOf, pathOf, route } from "./route.js";

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
/** A pointer this near to a wire is on it: in the world, and in pixels where the world is small. */
const FELT = { world: 8, pixels: 5 };

/** A small number, the same for all wires of a step and different for most others. @param {string} id */
function phaseOf(id) {
  let sum = 0;
  for (let place = 0; place < id.length; place += 1) sum = (sum * 31 + id.charCodeAt(place)) % 997;
  return (sum % 5) - 2;
}

/** @type {SVGElement | null} */
let drawn = null;

/** A wire to copy others from. What is felt of it is a matter of numbers: see `near`. */
const pattern = () => (drawn ??= svg("path", "wire"));

class WireItem {
  /** @param {WireLayer} layer @param {string} key */
  constructor(layer, key) {
    this.layer = layer;
    this.key = key;
    this.element = /** @type {SVGElement} */ (pattern().cloneNode(true));
    this.element.dataset.key = key;
    this.path = "";
    this.className = "wire";
    this.width = "";
  }

  sync() {
    const { view } = this.layer;
    const path = pathOf(this.layer.wayOf(this.key));
    if (path !== this.path) this.element.setAttribute("d", (this.path = path));
    const lit = this.key === this.layer.lit;
    if (lit) this.layer.reach.setAttribute("d", path);
    const look = view.overlay.wire(this.key);
    const names = ["wire", ...(view.marks.get(this.key) ?? [])];
    if (lit) names.push("lit");
    if (view.editor.selection.has(this.key)) names.push("selected");
    if (look?.className) names.push(look.className);
    const className = names.join(" ");
    if (className !== this.className) this.element.setAttribute("class", (this.className = className));
    const width = look?.width ? `${look.width}px` : "";
    if (width !== this.width) this.element.style.strokeWidth = this.width = width;
  }
}

export class WireLayer {
  /** @param {View} view @param {SVGElement} host */
  constructor(view, host) {
    this.view = view;
    this.host = host;
    this.layer = new Layer(host, (key) => new WireItem(this, key));
    /** The one under the pointer, wide enough to bear its cursor. */
    this.reach = svg("path", "reach");
    host.append(this.reach);
    /** @type {string | null} */
    this.lit = null;
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

  /**
   * The wire that runs nearest to a place, near enough. @param {Point} point @param {number} [reach]
   * @param {string} [but] a step whose own wires are not meant
   */
  near(point, reach = Math.max(FELT.world, FELT.pixels / this.view.viewport.zoom), but = "") {
    let [nearest, least] = [/** @type {string | null} */ (null), reach];
    for (const key of this.through(inflate({ ...point, width: 0, height: 0 }, reach))) {
      const wire = this.view.editor.flow.wires.get(key);
      if (!wire || wire.from === but || wire.to === but) continue;
      const far = distance(this.wayOf(key), point);
      if (far < least) [nearest, least] = [key, far];
    }
    return nearest;
  }

  /** Shows that the pointer is on a wire. @param {string | null} key */
  light(key) {
    const both = [this.lit, key].filter((one) => one !== null);
    this.lit = key;
    if (!key) this.reach.removeAttribute("d");
    this.layer.refresh(both);
  }

  /** Where a button on the wire may sit. @param {string} key @returns {Point} */
  middle(key) {
    return middleOf(this.wayOf(key));
  }
}
