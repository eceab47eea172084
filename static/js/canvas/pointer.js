// One pointer, one gesture: finds what is under it and hands it to whoever wants it; never changes the journey itself.

import { noteKey, groupKey } from "./model.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {"port" | "end" | "wire" | "step" | "note" | "grip" | "group" | "count" | "here" | "empty" | "control"} HitKind
 * @typedef {{kind: HitKind, key: string | null, port?: string, element: Element | null}} Hit
 * @typedef {{client: Point, world: Point, event: PointerEvent}} At
 * @typedef {{begin?: (at: At) => void, move: (at: At) => void, drop: (at: At) => void, cancel: () => void,
 *   click?: (at: At) => void, scrolls?: boolean}} Gesture
 * @typedef {(hit: Hit, at: At) => Gesture | null} Maker
 */

/** A pointer that moved less than this has clicked. */
const STILL = 4;
/** Nearer to the edge of the view than this, a drag scrolls it. */
const EDGE = 44;
const EDGE_SPEED = 16;

export class Pointer {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    /** Asked in this order, the first answer is taken. @type {Maker[]} */
    this.makers = [];
    /** @type {Gesture | null} */
    this.gesture = null;
    this.begun = false;
    /** @type {At | null} */
    this.start = null;
    /** @type {At | null} */
    this.last = null;
    this.scrolling = 0;
    this.listen();
  }

  /** @param {Maker} maker @param {{first?: boolean}} [options] */
  offer(maker, { first = false } = {}) {
    if (first) this.makers.unshift(maker);
    else this.makers.push(maker);
  }

  listen() {
    const { root } = this.view;
    root.addEventListener("pointerdown", (event) => this.down(event));
    root.addEventListener("pointermove", (event) => this.move(event));
    root.addEventListener("pointerup", (event) => this.up(event));
    root.addEventListener("pointercancel", () => this.cancel());
    root.addEventListener("canvas-pinch", () => this.cancel());
    root.addEventListener("dragstart", (event) => event.preventDefault());
    addEventListener("blur", () => this.cancel());
    // Before anybody else: Escape drops what is being dragged and does nothing more.
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.begun) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.cancel();
    }, { capture: true });
  }

  /** @param {PointerEvent} event @returns {At} */
  at(event) {
    const client = { x: event.clientX, y: event.clientY };
    return { client, world: this.view.viewport.toWorld(client.x, client.y), event };
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0 || this.gesture || !event.isPrimary) return;
    const at = this.at(event);
    const hit = hitOf(this.view, /** @type {Element} */ (event.target), at.world);
    if (hit.kind === "control") return;
    for (const maker of this.makers) {
      const gesture = maker(hit, at);
      if (!gesture) continue;
      Object.assign(this, { gesture, begun: false, start: at, last: at });
      return;
    }
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.gesture || !this.start || event.pointerId !== this.start.event.pointerId) return;
    const at = this.at(event);
    this.last = at;
    if (!this.begun) {
      if (Math.hypot(at.client.x - this.start.client.x, at.client.y - this.start.client.y) < STILL) return;
      this.begun = true;
      this.view.root.setPointerCapture(event.pointerId);
      this.view.root.classList.add("gesturing");
      this.gesture.begin?.(this.start);
    }
    this.gesture.move(at);
    if (this.gesture.scrolls) this.scroll();
  }

  /** @param {PointerEvent} event */
  up(event) {
    const { gesture, begun, start } = this;
    if (!gesture || !start || event.pointerId !== start.event.pointerId) return;
    this.end();
    if (begun) gesture.drop(this.at(event));
    else gesture.click?.(this.at(event));
  }

  /** Drops what is being done, as if it had not begun. */
  cancel() {
    const { gesture, begun } = this;
    this.end();
    if (gesture && begun) gesture.cancel();
  }

  end() {
    const { root } = this.view;
    if (this.start && root.hasPointerCapture(this.start.event.pointerId)) root.releasePointerCapture(this.start.event.pointerId);
    root.classList.remove("gesturing");
    cancelAnimationFrame(this.scrolling);
    Object.assign(this, { gesture: null, begun: false, start: null, last: null, scrolling: 0 });
  }

  /** While the pointer rests near the edge, the view moves on by itself. */
  scroll() {
    this.scrolling ||= requestAnimationFrame(() => {
      this.scrolling = 0;
      if (!this.gesture || !this.last) return;
      const { viewport } = this.view;
      const { x, y } = this.last.client;
      const dx = push(x - viewport.left, viewport.width);
      const dy = push(y - viewport.top, viewport.height);
      if (!dx && !dy) return;
      viewport.panBy(dx, dy);
      this.last = this.at(this.last.event);
      this.gesture.move(this.last);
      this.scroll();
    });
  }
}

/** @param {number} at @param {number} size */
function push(at, size) {
  const speed = (/** @type {number} */ depth) => Math.min(1, depth / EDGE) * EDGE_SPEED;
  if (at < EDGE) return speed(EDGE - at);
  return at > size - EDGE ? -speed(at - size + EDGE) : 0;
}

/**
 * What an element of the canvas stands for. From afar there are no elements: the journey's rectangles answer.
 * @param {View} view @param {Element | null} target @param {Point} world
 * @returns {Hit}
 */
export function hitOf(view, target, world) {
  if (view.isOverview() && (!target || target === view.root || target.matches("canvas.overview"))) return hitAfar(view, world);
  const on = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (target?.closest(selector) ?? null);
  const card = on(".card");
  const id = card?.dataset.id ?? null;
  const row = on(".port[data-port]");
  if (id && row && on(".ring")) return { kind: "port", key: id, port: row.dataset.port, element: row };
  if (id && row && on(".count") && row.querySelector(".count")?.textContent) return { kind: "count", key: id, port: row.dataset.port, element: row };
  if (id && on(".here")) return { kind: "here", key: id, element: card };
  if (on("button, input, textarea, select, a, [contenteditable], [data-control]")) return { kind: "control", key: null, element: target };
  if (id) return { kind: "step", key: id, element: card };
  const handle = on(".wire-end");
  if (handle) return { kind: "end", key: handle.dataset.key ?? null, element: handle };
  const note = on(".sticky");
  if (note) return { kind: on(".grip") ? "grip" : "note", key: note.dataset.key ?? null, element: note };
  const wire = wireUnder(view, target, world);
  if (wire) return { kind: "wire", key: wire, element: null };
  const frame = on(".frame-title")?.parentElement;
  return frame ? { kind: "group", key: frame.dataset.key ?? null, element: frame } : { kind: "empty", key: null, element: null };
}

/**
 * The wire under the pointer where nothing lies upon it: told by numbers, elements wide enough to be felt would double
 * what the page has to lay out. A line being drawn and a card being carried look for what is behind.
 * @param {View} view @param {Element | null} target @param {Point} world
 */
export function wireUnder(view, target, world) {
  const open = target === view.root || target?.closest(".frame, .reach");
  return open && !view.isOverview() && !view.root.matches(".connecting, .carrying") ? view.wires.near(world) : null;
}

/** @param {View} view @param {Point} world @returns {Hit} */
function hitAfar(view, world) {
  const { editor } = view;
  const id = view.places.at(world, 3 / view.viewport.zoom);
  if (id) return { kind: "step", key: id, element: null };
  for (const note of editor.flow.notes.keys()) if (inside(editor.noteRect(note), world)) return { kind: "note", key: noteKey(note), element: null };
  for (const group of editor.flow.groups.keys()) {
    const rect = editor.groupRect(group);
    if (rect && inside({ ...rect, height: 56 }, world)) return { kind: "group", key: groupKey(group), element: null };
  }
  return { kind: "empty", key: null, element: null };
}

/** @param {import("./geometry.js").Rect} rect @param {Point} at */
const inside = (rect, at) => at.x >= rect.x && at.x <= rect.x + rect.width && at.y >= rect.y && at.y <= rect.y + rect.height;

/** What stands at a place of the browser's window; for drop targets, which pointer capture hides.
 * @param {View} view @param {Point} client @returns {Hit} */
export function hitAt(view, client) {
  const element = document.elementFromPoint(client.x, client.y);
  const world = view.viewport.toWorld(client.x, client.y);
  if (!element || !view.root.contains(element)) return { kind: "empty", key: null, element: null };
  return hitOf(view, element, world);
}
