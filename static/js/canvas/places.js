// Where every card is, in buckets, so that what is near a place is found without asking each card; never draws.

import { intersects } from "./geometry.js";

/** @typedef {import("./geometry.js").Rect} Rect */

const CELL = 640;

export class Places {
  constructor() {
    /** @type {Map<string, Rect>} */
    this.rects = new Map();
    /** @type {Map<string, Set<string>>} */
    this.cells = new Map();
  }

  clear() {
    this.rects.clear();
    this.cells.clear();
  }

  /** @param {string} id @param {Rect} rect */
  set(id, rect) {
    this.delete(id);
    this.rects.set(id, rect);
    for (const cell of cellsOf(rect)) {
      const ids = this.cells.get(cell);
      if (ids) ids.add(id);
      else this.cells.set(cell, new Set([id]));
    }
  }

  /** @param {string} id */
  delete(id) {
    const rect = this.rects.get(id);
    if (!rect) return;
    for (const cell of cellsOf(rect)) this.cells.get(cell)?.delete(id);
    this.rects.delete(id);
  }

  /** Ids of all cards that meet a rectangle. @param {Rect} area @returns {Set<string>} */
  meeting(area) {
    /** @type {Set<string>} */
    const found = new Set();
    // A view of everything has more cells than there are cards.
    if ((area.width / CELL) * (area.height / CELL) > this.rects.size) {
      for (const [id, rect] of this.rects) if (intersects(rect, area)) found.add(id);
      return found;
    }
    for (const cell of cellsOf(area)) {
      for (const id of this.cells.get(cell) ?? []) {
        if (intersects(/** @type {Rect} */ (this.rects.get(id)), area)) found.add(id);
      }
    }
    return found;
  }

  /** The card at a point; of several, the one drawn last. @param {{x: number, y: number}} point @param {number} [slack] */
  at(point, slack = 0) {
    const size = Math.max(1, 2 * slack);
    return [...this.meeting({ x: point.x - size / 2, y: point.y - size / 2, width: size, height: size })].at(-1) ?? null;
  }
}

/** @param {Rect} rect */
function* cellsOf(rect) {
  for (let column = Math.floor(rect.x / CELL); column <= Math.floor((rect.x + rect.width) / CELL); column += 1) {
    for (let row = Math.floor(rect.y / CELL); row <= Math.floor((rect.y + rect.height) / CELL); row += 1) {
      yield `${column} ${row}`;
    }
  }
}
