// The journey from afar: boxes and lines on a 2D canvas in place of thousands of elements; it draws, view.js decides when.

import { h } from "../dom.js";
import { colourReader } from "./colours.js";
import { CARD, gridOf, intersects } from "./geometry.js";
import { noteKey } from "./model.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Rect} Rect
 */

/** How far the picture reaches beyond the view, in pixels. */
const AROUND = 128;
/** A title is written at this size, whatever the zoom, when its box has room. */
const TITLE = { size: 11, width: 56, height: 15, sample: "Send the welcome mail" };

export class Overview {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "overview", "aria-hidden": "true", hidden: true }));
    this.pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.colours = colourReader(view.root, () => view.schedule());
    view.root.prepend(this.canvas);
    /** Whether something in the journey changed since the picture was made. */
    this.stale = true;
    /** Dotted ground, by the distance of its dots. @type {Map<string, CanvasPattern | null>} */
    this.dotted = new Map();
    this.font = "";
    /** What the picture shows. @type {{x: number, y: number, zoom: number, width: number, height: number} | null} */
    this.drawn = null;
  }

  /** @param {"alone" | "below" | "no"} how `below`: under the elements, until all of them are there */
  show(how) {
    const alone = how === "alone";
    if (this.canvas.hidden !== (how === "no")) this.canvas.hidden = how === "no";
    if (this.view.root.classList.contains("afar") !== alone) this.view.root.classList.toggle("afar", alone);
    if (how !== "no") this.draw();
  }

  /** The picture is larger than the view, so most of a pan only moves it. */
  draw() {
    const { zoom, width, height } = this.view.viewport;
    const { x, y } = this.view.viewport.corner();
    const last = this.drawn;
    const same = last && !this.stale && last.zoom === zoom && last.width === width && last.height === height;
    if (!same || Math.abs(x - last.x) > AROUND || Math.abs(y - last.y) > AROUND) this.paint();
    const at = this.drawn ?? { x, y };
    this.canvas.style.transform = `translate(${x - at.x - AROUND}px,${y - at.y - AROUND}px)`;
  }

  paint() {
    const { view, pen } = this;
    const { zoom, width, height } = view.viewport;
    const { x, y } = view.viewport.corner();
    const scale = devicePixelRatio;
    const [wide, high] = [Math.round((width + 2 * AROUND) * scale), Math.round((height + 2 * AROUND) * scale)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      Object.assign(this.canvas, { width: wide, height: high });
      Object.assign(this.canvas.style, { width: `${width + 2 * AROUND}px`, height: `${height + 2 * AROUND}px` });
    }
    this.ground(wide, high);
    pen.setTransform(scale * zoom, 0, 0, scale * zoom, scale * (x + AROUND), scale * (y + AROUND));
    const area = view.viewport.visible(view.viewport, AROUND);
    const ids = view.places.meeting(area);
    this.frames(area);
    this.lines(area);
    this.boxes(ids);
    this.notes(area);
    this.rings(ids);
    // From here on in pixels of the screen.
    pen.setTransform(scale, 0, 0, scale, scale * (AROUND + x - view.viewport.x), scale * (AROUND + y - view.viewport.y));
    this.dots(ids);
    if (CARD.width * zoom >= TITLE.width) this.titles(ids);
    this.drawn = { x, y, zoom, width, height };
    this.stale = false;
  }

  /** The ground with its dots, as the style sheet draws it: a picture nobody sees through is put on the screen several
   * times faster. @param {number} wide @param {number} high */
  ground(wide, high) {
    const { view, pen } = this;
    const { paper, dot } = this.colours();
    const { gap, x, y } = gridOf(view.viewport);
    const [scale, name] = [devicePixelRatio, `${gap} ${devicePixelRatio} ${paper} ${dot}`];
    if (!this.dotted.has(name)) this.dotted.set(name, dots(pen, gap * scale, scale, paper, dot));
    const pattern = this.dotted.get(name);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = paper;
    pen.fillRect(0, 0, wide, high);
    if (!pattern) return;
    const start = (/** @type {number} */ at) => Math.round(((at + AROUND) % gap) * scale);
    pen.setTransform(1, 0, 0, 1, start(x), start(y));
    pen.fillStyle = pattern;
    pen.fillRect(-start(x), -start(y), wide, high);
  }

  /** @param {Rect} area */
  frames(area) {
    const { pen } = this;
    const colours = this.colours();
    pen.lineWidth = 1 / this.view.viewport.zoom;
    pen.strokeStyle = colours.firm;
    for (const id of this.view.editor.flow.groups.keys()) {
      const rect = this.view.editor.groupRect(id);
      if (rect && intersects(rect, area)) pen.strokeRect(rect.x, rect.y, rect.width, rect.height);
    }
  }

  /** Lines in three strokes, by look: a stroke for each would cost a hundred times as much. @param {Rect} area */
  lines(area) {
    const { view, pen } = this;
    const colours = this.colours();
    const dim = view.overlay.name === "path" || view.overlay.name === "diff";
    const [plain, lit] = [new Path2D(), new Path2D()];
    for (const wire of view.editor.flow.wires.values()) {
      const key = `${wire.from} ${wire.port}`;
      const ends = view.wires.endsOf(key);
      if (!ends || Math.max(ends.start.x, ends.end.x) < area.x || Math.min(ends.start.x, ends.end.x) > area.x + area.width) continue;
      const bright = view.editor.selection.has(key) || (dim && view.overlay.wire(key));
      const path = bright ? lit : plain;
      const middle = ends.end.x > ends.start.x + 44 ? Math.min((ends.start.x + ends.end.x) / 2, ends.start.x + 60) : ends.start.x + 24;
      path.moveTo(ends.start.x, ends.start.y);
      path.lineTo(middle, ends.start.y);
      path.lineTo(middle, ends.end.y);
      path.lineTo(ends.end.x, ends.end.y);
    }
    pen.lineWidth = 1 / view.viewport.zoom;
    pen.strokeStyle = colours.wire;
    pen.globalAlpha = dim ? 0.35 : 0.8;
    pen.stroke(plain);
    pen.globalAlpha = 1;
    pen.strokeStyle = colours.accent;
    pen.lineWidth = 2 / view.viewport.zoom;
    pen.stroke(lit);
  }

  /** @param {Set<string>} ids */
  boxes(ids) {
    const { view, pen } = this;
    const colours = this.colours();
    /** @type {Map<string, Rect[]>} */
    const byHue = new Map();
    for (const id of ids) {
      const hue = view.hueOf(view.editor.flow.steps.get(id)?.type ?? "");
      const rects = byHue.get(hue) ?? [];
      byHue.set(hue, rects);
      rects.push(/** @type {Rect} */ (view.places.rects.get(id)));
    }
    pen.lineWidth = 1 / view.viewport.zoom;
    for (const [hue, rects] of byHue) {
      pen.fillStyle = colours.fill(hue);
      for (const { x, y, width, height } of rects) pen.fillRect(x, y, width, height);
      pen.fillStyle = colours.mark(hue);
      for (const { x, y, height } of rects) pen.fillRect(x, y, 10, height);
    }
  }

  /** @param {Rect} area */
  notes(area) {
    const { editor } = this.view;
    for (const note of editor.flow.notes.values()) {
      const rect = editor.noteRect(note.id);
      if (!intersects(rect, area)) continue;
      this.pen.fillStyle = this.colours().note(note.hue ?? "yellow");
      this.pen.fillRect(rect.x, rect.y, rect.width, rect.height);
    }
  }

  /** What is selected, or lit by an overlay. @param {Set<string>} ids */
  rings(ids) {
    const { view, pen } = this;
    const colours = this.colours();
    const { selection } = view.editor;
    pen.lineWidth = 2.5 / view.viewport.zoom;
    const ring = (/** @type {Rect} */ { x, y, width, height }) => pen.strokeRect(x - 4, y - 4, width + 8, height + 8);
    for (const id of ids) {
      const name = view.marks.get(id)?.has("target") ? "is-added" : view.overlay.card(id)?.className ?? "";
      const colour = selection.has(id) ? colours.accent : ringColour(name, colours);
      if (!colour) continue;
      pen.strokeStyle = colour;
      ring(/** @type {Rect} */ (view.places.rects.get(id)));
    }
    pen.strokeStyle = colours.bad;
    for (const rect of view.ghosts.rects.values()) ring(rect);
    pen.strokeStyle = colours.accent;
    for (const id of view.editor.flow.notes.keys()) if (selection.has(noteKey(id))) ring(view.editor.noteRect(id));
  }

  /** A dot for each step that has problems. @param {Set<string>} ids */
  dots(ids) {
    const { view, pen } = this;
    const colours = this.colours();
    for (const [id, { errors }] of view.issues) {
      const rect = ids.has(id) ? view.places.rects.get(id) : null;
      if (!rect) continue;
      const at = view.viewport.toScreen({ x: rect.x + rect.width, y: rect.y });
      pen.fillStyle = errors ? colours.bad : colours.warn;
      pen.beginPath();
      pen.arc(at.x - 2, at.y + 2, 4, 0, 7);
      pen.fill();
    }
  }

  /** @param {Set<string>} ids */
  titles(ids) {
    const { view, pen } = this;
    const { zoom } = view.viewport;
    pen.fillStyle = this.colours().ink;
    this.font ||= getComputedStyle(view.root).fontFamily; // once: in a frame it would style the page
    pen.font = `600 ${TITLE.size}px ${this.font}`;
    // Measured once a frame on a line of usual letters: measuring each title would cost more than drawing it.
    const letter = pen.measureText(TITLE.sample).width / TITLE.sample.length;
    const letters = Math.floor((CARD.width * zoom - 14) / letter);
    pen.textBaseline = "top";
    for (const id of ids) {
      const rect = /** @type {Rect} */ (view.places.rects.get(id));
      if (rect.height * zoom < TITLE.height) continue;
      const at = view.viewport.toScreen(rect);
      pen.fillText(shortened(view.editor.titleOf(id), letters), at.x + 8, at.y + 5);
    }
  }
}

/** One dot in the middle of its tile. @param {CanvasRenderingContext2D} pen @param {number} size @param {number} scale
 * @param {string} paper @param {string} dot */
function dots(pen, size, scale, paper, dot) {
  const whole = Math.round(size);
  const tile = Object.assign(document.createElement("canvas"), { width: whole, height: whole });
  const on = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  on.fillStyle = paper;
  on.fillRect(0, 0, whole, whole);
  on.fillStyle = dot;
  on.beginPath();
  on.arc(size / 2, size / 2, 1.25 * scale, 0, 7);
  on.fill();
  return pen.createPattern(tile, "repeat");
}

/** @param {string} className @param {import("./colours.js").Colours} colours */
function ringColour(className, colours) {
  if (className.includes("is-added")) return colours.good;
  if (className.includes("is-changed")) return colours.warn;
  return className.includes("is-walked") ? colours.accent : null;
}

/** A text cut to so many letters; a Chinese one takes the room of two. @param {string} text @param {number} letters */
function shortened(text, letters) {
  let used = 0;
  let end = 0;
  for (const letter of text) {
    used += /** @type {number} */ (letter.codePointAt(0)) > 0x2e7f ? 2 : 1;
    if (used > letters) return `${text.slice(0, Math.max(0, end - 1))}…`;
    end += letter.length;
  }
  return text;
}
