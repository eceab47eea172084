// The small map: where the view is in the journey, and a way to move it by pointer and by keys.

import { h } from "../dom.js";
import { _ } from "../i18n.js";
import { around, inflate } from "./geometry.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Rect} Rect
 */

/** Of the picture; the frame around it is the style sheet's. */
const SIZE = { width: 182, height: 110 };
/** Ground shown around the journey, in the world. */
const EDGE = 24;
const KEY_STEP = 120;
const KEYS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
});

export class Minimap {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas"));
    this.pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** What is in view: an element of its own, moved and not drawn, so that a pan paints nothing here. */
    this.seen = h("span", { class: "seen" });
    this.element = h("div", {
      class: "minimap", tabindex: 0, role: "application", "aria-roledescription": _("map"),
      "aria-label": _("Map of the journey. Arrow keys move the view, plus and minus zoom."),
    }, h("div", { class: "picture" }, this.canvas, this.seen));
    /** Whether it has room on the page. Told by the browser: asking it in a frame would make it lay the page out. */
    this.shown = false;
    /** Those it was painted in; another scheme has others. @type {import("./colours.js").Colours | null} */
    this.colours = null;
    /** @type {{x: number, y: number, scale: number} | null} */
    this.frame = null;
    view.root.append(this.element);
    new ResizeObserver(([{ contentRect }]) => {
      this.shown = contentRect.width > 0;
      view.schedule({ moved: true });
    }).observe(this.element);
    for (const event of /** @type {const} */ (["load", "change", "facets", "problems", "selection", "move"])) {
      view.editor.on(event, () => this.forget());
    }
    view.onDraw = () => this.draw();
    this.listen();
  }

  /** The boxes are painted once and kept until the journey changes. */
  forget() {
    this.frame = null;
    this.view.schedule();
  }

  draw() {
    if (!this.shown) return;
    if (!this.frame || this.colours !== this.view.overview.colours()) this.paint();
    if (!this.frame) return;
    const { x, y, scale } = this.frame;
    const view = this.view.viewport.visible();
    const [left, top] = [Math.round((view.x - x) * scale), Math.round((view.y - y) * scale)];
    const { style } = this.seen;
    style.transform = `translate(${left}px,${top}px)`;
    // Only a zoom changes its size.
    const [width, height] = [`${Math.round(view.width * scale)}px`, `${Math.round(view.height * scale)}px`];
    if (style.width !== width) style.width = width;
    if (style.height !== height) style.height = height;
  }

  paint() {
    const { view, canvas, pen } = this;
    const [wide, high] = [Math.round(SIZE.width * devicePixelRatio), Math.round(SIZE.height * devicePixelRatio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const bounds = view.editor.bounds();
    this.seen.hidden = !bounds;
    if (!bounds) return;
    const all = inflate(bounds, EDGE);
    const scale = Math.min(SIZE.width / all.width, SIZE.height / all.height);
    const [spareX, spareY] = [SIZE.width / scale - all.width, SIZE.height / scale - all.height];
    const frame = { x: all.x - spareX / 2, y: all.y - spareY / 2, scale };
    this.frame = frame;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const colours = (this.colours = view.overview.colours());
    const box = (/** @type {Rect} */ rect, /** @type {string} */ colour) => {
      pen.fillStyle = colour;
      const [x, y] = [(rect.x - frame.x) * scale, (rect.y - frame.y) * scale];
      pen.fillRect(x, y, Math.max(2, rect.width * scale), Math.max(1.5, rect.height * scale));
    };
    for (const note of view.editor.flow.notes.values()) box(view.editor.noteRect(note.id), colours.note(note.hue ?? "yellow"));
    for (const [id, rect] of view.places.rects) {
      const hue = view.hueOf(view.editor.flow.steps.get(id)?.type ?? "");
      const wrong = view.issues.get(id)?.errors;
      box(rect, view.editor.selection.has(id) ? colours.accent : wrong ? colours.bad : colours.mark(hue));
    }
  }

  listen() {
    const { canvas, element, view } = this;
    const go = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      if (!this.frame) return;
      const x = this.frame.x + (event.clientX - box.left) / this.frame.scale;
      const y = this.frame.y + (event.clientY - box.top) / this.frame.scale;
      view.viewport.centerOn({ x, y });
    };
    element.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      go(event);
    });
    element.addEventListener("pointermove", (event) => { if (element.hasPointerCapture(event.pointerId)) go(event); });
    element.addEventListener("keydown", (event) => {
      const push = KEYS[event.key];
      if (push) view.viewport.panBy(push[0] * KEY_STEP, push[1] * KEY_STEP);
      else if (event.key === "+" || event.key === "=") view.viewport.zoomIn();
      else if (event.key === "-") view.viewport.zoomOut();
      else if (event.key === "Home") view.viewport.fit(around([view.editor.bounds()].filter((rect) => rect !== null)));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}
