// Where a dragged thing comes to rest: in line with its neighbours, else on the grid; pure numbers.

import { CARD, GRID } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {{x?: number, y?: number, from: number, to: number}} Line a line along x (upright) or y (level)
 */

/** How near, in pixels of the screen, before something snaps. */
const PULL = 6;

/**
 * How far the moved rectangle is to be shifted so that it lines up, and the lines to show.
 * @param {Rect} moving where the pointer has taken it @param {Rect[]} others what stands still nearby
 * @param {{zoom?: number, levels?: number[]}} [options] `levels`: heights at which a wire into it would run straight
 * @returns {{dx: number, dy: number, lines: Line[]}}
 */
export function snap(moving, others, { zoom = 1, levels = [] } = {}) {
  const reach = PULL / zoom;
  const across = nearest(edgesX(moving), others.flatMap((rect) => edgesX(rect).map((at) => ({ at, rect }))), reach);
  const tops = others.flatMap((rect) => edgesY(rect).map((at) => ({ at, rect })));
  let along = nearest(edgesY(moving), tops, reach);
  for (const level of levels) {
    const by = level - (moving.y + CARD.input);
    if (Math.abs(by) < (along ? Math.abs(along.by) : reach)) along = { by, at: level, rect: null };
  }
  const dx = across ? across.by : toGrid(moving.x);
  const dy = along ? along.by : toGrid(moving.y);
  const at = { ...moving, x: moving.x + dx, y: moving.y + dy };
  return { dx, dy, lines: linesFor(at, across, along) };
}

const toGrid = (/** @type {number} */ value) => Math.round(value / GRID) * GRID - value;
const edgesX = (/** @type {Rect} */ rect) => [rect.x, rect.x + rect.width / 2, rect.x + rect.width];
const edgesY = (/** @type {Rect} */ rect) => [rect.y, rect.y + rect.height / 2, rect.y + rect.height];

/** @typedef {{by: number, at: number, rect: Rect | null}} Found */

/**
 * The closest pair of like edges: left to left, middle to middle, right to right.
 * @param {number[]} mine @param {{at: number, rect: Rect}[]} theirs in threes @param {number} reach
 * @returns {Found | null}
 */
function nearest(mine, theirs, reach) {
  /** @type {Found | null} */
  let found = null;
  for (let place = 0; place < theirs.length; place += 1) {
    const by = theirs[place].at - mine[place % 3];
    if (Math.abs(by) < (found ? Math.abs(found.by) : reach)) found = { by, ...theirs[place] };
  }
  return found;
}

/** @param {Rect} at @param {Found | null} across @param {Found | null} along @returns {Line[]} */
function linesFor(at, across, along) {
  const lines = [];
  if (across?.rect) {
    const other = across.rect;
    const from = Math.min(at.y, other.y);
    lines.push({ x: across.at, from, to: Math.max(at.y + at.height, other.y + other.height) });
  }
  if (along?.rect) {
    const other = along.rect;
    const from = Math.min(at.x, other.x);
    lines.push({ y: along.at, from, to: Math.max(at.x + at.width, other.x + other.width) });
  }
  return lines;
}
