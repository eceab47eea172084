// Sizes and places of everything on the canvas, computed from data; never asks the page how large something is.

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 */

export const CARD = { width: 224, header: 56, row: 26, pad: 6, input: 28 };
export const GRID = 8;
const DOTS = { apart: 24, least: 14 };
export const NOTE = { width: 208, height: 104 };
export const GROUP = { pad: 24, title: 32 };

/** @param {number} ports how many rows of ports a card shows; without any it says "ends here" */
export const cardHeight = (ports) => CARD.header + CARD.row * Math.max(1, ports) + CARD.pad;

/** Where a wire leaves: the middle of its row on the right edge. @param {Rect} card @param {number} row @returns {Point} */
export const portAnchor = (card, row) => ({
  x: card.x + CARD.width,
  y: card.y + CARD.header + CARD.row * row + CARD.row / 2,
});

/** Where wires arrive. @param {Rect} card @returns {Point} */
export const inputAnchor = (card) => ({ x: card.x, y: card.y + CARD.input });

/**
 * The dots on the ground: how far apart, and where they begin, in whole pixels, which draws faster. From afar, fewer.
 * @param {{x: number, y: number, zoom: number}} look
 */
export function gridOf({ x, y, zoom }) {
  let gap = DOTS.apart * zoom;
  while (gap < DOTS.least) gap *= 2;
  const whole = Math.round(gap);
  return { gap: whole, x: Math.round(x % whole), y: Math.round(y % whole) };
}

/** @param {number} value */
export const onGrid = (value) => Math.round(value / GRID) * GRID;

/** @param {Rect} one @param {Rect} other */
export const intersects = (one, other) => (
  one.x < other.x + other.width && other.x < one.x + one.width
  && one.y < other.y + other.height && other.y < one.y + one.height
);

/** @param {Rect} rect @param {Point} point */
export const contains = (rect, point) => (
  point.x >= rect.x && point.x <= rect.x + rect.width && point.y >= rect.y && point.y <= rect.y + rect.height
);

/** @param {Rect} rect @param {number} by @returns {Rect} */
export const inflate = (rect, by) => ({
  x: rect.x - by, y: rect.y - by, width: rect.width + 2 * by, height: rect.height + 2 * by,
});

/** @param {Rect} rect @returns {Point} */
export const center = (rect) => ({ x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 });

/** The rectangle between two corners, whichever they are. @param {Point} one @param {Point} other @returns {Rect} */
export const between = (one, other) => ({
  x: Math.min(one.x, other.x), y: Math.min(one.y, other.y),
  width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y),
});

/** The smallest rectangle around all; null without any. @param {Iterable<Rect>} rects @returns {Rect | null} */
export function around(rects) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const rect of rects) {
    left = Math.min(left, rect.x);
    top = Math.min(top, rect.y);
    right = Math.max(right, rect.x + rect.width);
    bottom = Math.max(bottom, rect.y + rect.height);
  }
  return left === Infinity ? null : { x: left, y: top, width: right - left, height: bottom - top };
}
