// Which part of the world is seen and how large; never draws and never listens to the pointer.

import { center, inflate, intersects } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{x: number, y: number, zoom: number}} Look
 */

const ZOOM = { min: 0.05, max: 2.5, open: 0.72, step: 1.2 };
const GLIDE_MS = 180;
const REMEMBER_MS = 300;

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.min(high, Math.max(low, value));

export class Viewport {
  /** @param {{memory?: string | null, onChange?: () => void}} [options] `memory` names where the look is remembered */
  constructor({ memory = null, onChange = () => {} } = {}) {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
    /** Size of the window onto the world, and where it stands on the page. */
    this.width = 0;
    this.height = 0;
    this.left = 0;
    this.top = 0;
    /** What panels cover, left out when something is brought into view. */
    this.inset = { left: 0, top: 0, right: 0, bottom: 0 };
    this.memory = memory;
    this.onChange = onChange;
    this.gliding = 0;
    this.remembering = 0;
  }

  /** @param {DOMRect} box */
  resize(box) {
    Object.assign(this, { width: box.width, height: box.height, left: box.left, top: box.top });
    this.onChange();
  }

  // ── moving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {Look} look @param {{glide?: boolean}} [options] */
  set(look, { glide = false } = {}) {
    cancelAnimationFrame(this.gliding);
    const goal = { ...look, zoom: within(look.zoom, ZOOM.min, ZOOM.max) };
    if (glide && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.glideTo(goal);
    else this.take(goal);
  }

  /** @param {Look} look */
  take(look) {
    if (look.x === this.x && look.y === this.y && look.zoom === this.zoom) return;
    Object.assign(this, look);
    this.onChange();
    this.remember();
  }

  /** @param {Look} goal */
  glideTo(goal) {
    const from = { x: this.x, y: this.y, zoom: this.zoom };
    const began = performance.now();
    const step = (/** @type {number} */ now) => {
      const part = within((now - began) / GLIDE_MS, 0, 1);
      const eased = 1 - (1 - part) ** 3;
      const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * eased;
      this.take(part === 1 ? goal : { x: mix(from.x, goal.x), y: mix(from.y, goal.y), zoom: mix(from.zoom, goal.zoom) });
      if (part < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  /** @param {number} dx @param {number} dy in pixels of the screen */
  panBy(dx, dy) {
    this.set({ x: this.x + dx, y: this.y + dy, zoom: this.zoom });
  }

  /** Zooms so that what is under the point stays there. @param {number} factor @param {Point} [at] on the canvas */
  zoomBy(factor, at = { x: this.width / 2, y: this.height / 2 }) {
    const zoom = within(this.zoom * factor, ZOOM.min, ZOOM.max);
    const ratio = zoom / this.zoom;
    this.set({ x: at.x - (at.x - this.x) * ratio, y: at.y - (at.y - this.y) * ratio, zoom });
  }

  zoomIn() { this.zoomBy(ZOOM.step); }

  zoomOut() { this.zoomBy(1 / ZOOM.step); }

  /** To 100 %, about the middle. */
  actualSize() { this.zoomBy(1 / this.zoom); }

  /** Shows all of a rectangle, not larger than it is. @param {Rect | null} rect @param {{glide?: boolean, max?: number}} [options] */
  fit(rect, { glide = true, max = 1 } = {}) {
    if (!rect || !this.width) return;
    const room = this.room(40);
    const zoom = within(Math.min(room.width / rect.width, room.height / rect.height, max), ZOOM.min, ZOOM.max);
    this.centerOn(center(rect), { zoom, glide });
  }

  /** @param {Point} point of the world @param {{zoom?: number, glide?: boolean}} [options] */
  centerOn(point, { zoom = this.zoom, glide = false } = {}) {
    const middle = center(this.room(0));
    this.set({ x: middle.x - point.x * zoom, y: middle.y - point.y * zoom, zoom }, { glide });
  }

  /** Moves just as far as needed to see a rectangle. @param {Rect} rect @param {{glide?: boolean}} [options] */
  reveal(rect, { glide = true } = {}) {
    const zoom = this.zoom < 0.3 ? ZOOM.open : this.zoom;
    const room = this.room(32);
    const [width, height] = [rect.width * zoom, rect.height * zoom];
    if (zoom !== this.zoom || width > room.width || height > room.height) {
      this.centerOn(center(rect), { zoom, glide });
      return;
    }
    const at = this.toScreen(rect);
    const x = within(at.x, room.x, room.x + room.width - width);
    const y = within(at.y, room.y, room.y + room.height - height);
    if (x !== at.x || y !== at.y) this.set({ x: this.x + x - at.x, y: this.y + y - at.y, zoom }, { glide });
  }

  /** The part of the canvas no panel covers. @param {number} margin @returns {Rect} */
  room(margin) {
    const { left, top, right, bottom } = this.inset;
    return {
      x: left + margin, y: top + margin,
      width: Math.max(80, this.width - left - right - 2 * margin),
      height: Math.max(80, this.height - top - bottom - 2 * margin),
    };
  }

  // ── opening and remembering ────────────────────────────────────────────────────────────────────────────────────

  /**
   * The first look at a journey: as it was left, else all of it when that is readable, else its entry.
   * @param {Rect | null} bounds @param {Rect | null} entry
   */
  open(bounds, entry) {
    const last = this.recall();
    if (last && (!bounds || intersects(this.visible(last), bounds))) {
      this.set(last);
      return;
    }
    if (!bounds) {
      this.set({ x: 64, y: this.height / 2 - 60, zoom: 1 });
      return;
    }
    const room = this.room(40);
    const all = Math.min(room.width / bounds.width, room.height / bounds.height, 1);
    if (all >= ZOOM.open || !entry) {
      this.fit(bounds, { glide: false });
      return;
    }
    // The entry in the middle, but no empty ground above or below while there are steps on the other side.
    const [top, bottom] = [room.y - bounds.y * ZOOM.open, room.y + room.height - (bounds.y + bounds.height) * ZOOM.open];
    const y = within(room.y + room.height / 2 - center(entry).y * ZOOM.open, Math.min(top, bottom), Math.max(top, bottom));
    this.set({ x: room.x + 24 - entry.x * ZOOM.open, y, zoom: ZOOM.open });
  }

  /** @returns {Look | null} */
  recall() {
    if (!this.memory) return null;
    try {
      const look = JSON.parse(localStorage.getItem(this.memory) ?? "null");
      return look && [look.x, look.y, look.zoom].every(Number.isFinite) ? look : null;
    } catch {
      return null;
    }
  }

  remember() {
    if (!this.memory) return;
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => {
      const look = { x: Math.round(this.x), y: Math.round(this.y), zoom: this.zoom };
      // A full or forbidden storage only means that the next visit opens on the entry.
      try { localStorage.setItem(/** @type {string} */ (this.memory), JSON.stringify(look)); } catch { /* see above */ }
    }, REMEMBER_MS);
  }

  // ── translating ────────────────────────────────────────────────────────────────────────────────────────────────

  /** From pixels of the browser's window to the world. @param {number} clientX @param {number} clientY @returns {Point} */
  toWorld(clientX, clientY) {
    return { x: (clientX - this.left - this.x) / this.zoom, y: (clientY - this.top - this.y) / this.zoom };
  }

  /** From the world to pixels of the canvas. @param {Point} point @returns {Point} */
  toScreen(point) {
    return { x: point.x * this.zoom + this.x, y: point.y * this.zoom + this.y };
  }

  /** Where the world's corner is drawn: on whole pixels of the screen, which is sharper and much faster than between. */
  corner() {
    const whole = (/** @type {number} */ value) => Math.round(value * devicePixelRatio) / devicePixelRatio;
    return { x: whole(this.x), y: whole(this.y) };
  }

  /** The part of the world in view. @param {Look} [look] @param {number} [margin] in pixels @returns {Rect} */
  visible(look = this, margin = 0) {
    const { x, y, zoom } = look;
    const rect = { x: -x / zoom, y: -y / zoom, width: this.width / zoom, height: this.height / zoom };
    return margin ? inflate(rect, margin / zoom) : rect;
  }
}
