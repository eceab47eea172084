// The small map: where the view is in the journey, and a way to move it by pointer and by keys.

import { h } from "../dom.js";
import { _ } from "../i18n.js";
import { around, inflate } from "./geometry.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Rect} Rect
 */

const SIZE = { width: 196, height: 124 };
const KEY_STEP = 120;
const KEYS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
});

export class Minimap {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", {
      class: "minimap", tabindex: 0, role: "application", "aria-roledescription": _("map"),
      "aria-label": _("Map of the journey. Arrow keys move the view, plus and minus zoom."),
    }));
    this.pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.picture = document.createElement("canvas");
    /** @type {{x: number, y: number, scale: number} | null} */
    this.frame = null;
    view.root.append(this.canvas);
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
    if (!this.canvas.clientWidth) return;
    const scale = devicePixelRatio;
    const [wide, high] = [SIZE.width * scale, SIZE.height * scale];
    if (this.canvas.width !== wide) Object.assign(this.canvas, { width: wide, height: high });
    if (!this.frame) this.paint(wide, high);
    const { pen, frame } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.drawImage(this.picture, 0, 0);
    if (!frame) return;
    const seen = this.view.viewport.visible();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.strokeStyle = this.view.overview.colours().accent;
    pen.lineWidth = 1.5;
    const at = { x: (seen.x - frame.x) * frame.scale, y: (seen.y - frame.y) * frame.scale };
    pen.beginPath();
    pen.roundRect(at.x, at.y, seen.width * frame.scale, seen.height * frame.scale, 3);
    pen.stroke();
    pen.globalAlpha = 0.08;
    pen.fillStyle = pen.strokeStyle;
    pen.fill();
    pen.globalAlpha = 1;
  }

  /** @param {number} wide @param {number} high */
  paint(wide, high) {
    const { view } = this;
    const bounds = view.editor.bounds();
    Object.assign(this.picture, { width: wide, height: high });
    if (!bounds) return;
    const all = inflate(bounds, 60);
    const scale = Math.min(SIZE.width / all.width, SIZE.height / all.height);
    const [spareX, spareY] = [SIZE.width / scale - all.width, SIZE.height / scale - all.height];
    this.frame = { x: all.x - spareX / 2, y: all.y - spareY / 2, scale };
    const pen = /** @type {CanvasRenderingContext2D} */ (this.picture.getContext("2d"));
    pen.scale(devicePixelRatio, devicePixelRatio);
    const colours = view.overview.colours();
    const box = (/** @type {Rect} */ rect, /** @type {string} */ colour) => {
      pen.fillStyle = colour;
      const [x, y] = [(rect.x - this.frameX()) * scale, (rect.y - this.frameY()) * scale];
      pen.fillRect(x, y, Math.max(2, rect.width * scale), Math.max(1.5, rect.height * scale));
    };
    for (const note of view.editor.flow.notes.values()) box(view.editor.noteRect(note.id), colours.note(note.hue ?? "yellow"));
    for (const [id, rect] of view.places.rects) {
      const hue = view.hueOf(view.editor.flow.steps.get(id)?.type ?? "");
      const wrong = view.issues.get(id)?.errors;
      box(rect, view.editor.selection.has(id) ? colours.accent : wrong ? colours.bad : colours.mark(hue));
    }
  }

  frameX() { return this.frame?.x ?? 0; }

  frameY() { return this.frame?.y ?? 0; }

  listen() {
    const { canvas, view } = this;
    const go = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      if (!this.frame) return;
      const x = this.frame.x + (event.clientX - box.left) / this.frame.scale;
      const y = this.frame.y + (event.clientY - box.top) / this.frame.scale;
      view.viewport.centerOn({ x, y });
    };
    canvas.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      go(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (canvas.hasPointerCapture(event.pointerId)) go(event); });
    canvas.addEventListener("keydown", (event) => {
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
