// How a wire runs: right-angled with round corners, around cards where there is a way; numbers in, points out.

import { CARD } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{start: Point, end: Point, lane: number, lanes?: number, phase?: number, obstacles?: Rect[], source?: Rect, target?: Rect}} Trip
 */

const STUB = 22;
const LANE = 9;
/** Wires of different cards that turn in one gap are set apart by this. */
const PHASE = 3;
const CLEAR = 18;
const RADIUS = 9;
const TRIES = 14;
const COST = { hit: 5000, bend: 14, above: 40 };

/** A wire needs this much room to run forward; with less it turns back around the cards. */
const FORWARD = 12;

/**
 * The corners of a wire from a port to a card. Wires of one card keep to lanes of their own, so that they do not lie
 * upon each other; among the ways that meet the fewest cards the shortest is taken.
 * @param {Trip} trip @returns {Point[]}
 */
export function route({ start, end, lane, lanes = 1, phase = 0, obstacles = [], source, target }) {
  const gap = end.x - start.x;
  const walls = obstacles.map((rect) => wall(rect, 7));
  if (gap >= FORWARD && Math.abs(end.y - start.y) < 1 && !hits(walls, [start, end])) return [start, end];
  const ways = gap >= FORWARD ? forward({ start, end, lane, lanes, phase }) : [];
  const direct = best(walls, ways);
  if (direct && direct.hits === 0) return direct.way;
  // Its own two cards are touched by its ends, but a way around must not run through them either.
  const own = [source, target].filter((rect) => rect !== undefined).map((rect) => wall(rect, -1));
  const around = best([...walls, ...own], detours({ start, end, lane, phase, obstacles, source, target }));
  if (!direct) return around ? around.way : [start, end];
  return around && around.cost < direct.cost ? around.way : direct.way;
}

/**
 * Three runs: out, up or down, in. Where wires of one card go up, the lower port turns last, else the upper one:
 * so they never cross.
 * @param {Trip} trip @returns {Point[][]}
 */
function forward({ start, end, lane, lanes = 1, phase = 0 }) {
  const gap = end.x - start.x;
  const order = end.y < start.y ? lane : lanes - 1 - lane;
  const stub = Math.min(STUB, gap / 2);
  const room = gap - 2 * stub;
  const aside = order * LANE + phase * PHASE;
  const shift = Math.min(room / 2, Math.max(-room / 2, aside - ((lanes - 1) * LANE) / 2));
  const near = start.x + stub + Math.max(0, Math.min(aside, room));
  const far = end.x - stub - Math.max(0, Math.min(aside, room));
  const middle = start.x + gap / 2 + shift;
  const turns = gap < CARD.width ? [middle, near, far] : [near, far, middle];
  return turns.map((x) => [start, { x, y: start.y }, { x, y: end.y }, end]);
}

/**
 * Five runs by a free channel above or below what stands in between; a way back runs below.
 * @param {Trip} trip @returns {Point[][]}
 */
function detours({ start, end, lane, phase = 0, obstacles = [], source, target }) {
  const out = start.x + STUB + lane * LANE + phase * PHASE;
  const into = end.x - STUB - (lane % 3) * 5 - phase * PHASE;
  const [left, right] = [Math.min(out, into), Math.max(out, into)];
  const between = [...obstacles, ...[source, target].filter((rect) => rect !== undefined)]
    .filter((rect) => rect.x < right && rect.x + rect.width > left);
  const aside = CLEAR + (lane % 3) * 6 + phase * 2;
  const levels = between.flatMap((rect) => [rect.y + rect.height + aside, rect.y - aside]);
  const middle = (start.y + end.y) / 2;
  levels.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
  return [middle, ...levels].slice(0, TRIES).map((y) => [
    start, { x: out, y: start.y }, { x: out, y }, { x: into, y }, { x: into, y: end.y }, end,
  ]);
}

/** @typedef {{left: number, right: number, top: number, bottom: number}} Wall */

/** @param {Rect} rect @param {number} by @returns {Wall} */
const wall = (rect, by) => ({
  left: rect.x - by, right: rect.x + rect.width + by, top: rect.y - by, bottom: rect.y + rect.height + by,
});

/** @param {Wall[]} walls @param {Point[][]} ways */
function best(walls, ways) {
  /** @type {{way: Point[], cost: number, hits: number} | null} */
  let chosen = null;
  for (const way of ways) {
    const met = hits(walls, way);
    const first = way[0];
    const above = way.length > 4 && way[2].y < Math.min(first.y, way[way.length - 1].y) ? COST.above : 0;
    const cost = met * COST.hit + length(way) + way.length * COST.bend + above;
    if (!chosen || cost < chosen.cost - 0.5) chosen = { way, cost, hits: met };
  }
  return chosen;
}

/** How many times a way runs through a card. @param {Wall[]} walls @param {Point[]} way */
function hits(walls, way) {
  let count = 0;
  for (let place = 1; place < way.length; place += 1) {
    const [one, other] = [way[place - 1], way[place]];
    const [left, right] = one.x < other.x ? [one.x, other.x] : [other.x, one.x];
    const [top, bottom] = one.y < other.y ? [one.y, other.y] : [other.y, one.y];
    for (const wall of walls) {
      if (left < wall.right && right > wall.left && top < wall.bottom && bottom > wall.top) count += 1;
    }
  }
  return count;
}

/** @param {Point[]} way */
export function length(way) {
  let sum = 0;
  for (let place = 1; place < way.length; place += 1) {
    sum += Math.abs(way[place].x - way[place - 1].x) + Math.abs(way[place].y - way[place - 1].y);
  }
  return sum;
}

/** The way as SVG draws it, with round corners. @param {Point[]} way */
export function pathOf(way) {
  const last = way.length - 1;
  let d = `M${round(way[0].x)} ${round(way[0].y)}`;
  for (let place = 1; place < last; place += 1) {
    const [before, corner, after] = [way[place - 1], way[place], way[place + 1]];
    const radius = Math.min(RADIUS, apart(before, corner) / 2, apart(corner, after) / 2);
    if (radius < 0.5) continue;
    const enter = toward(corner, before, radius);
    const leave = toward(corner, after, radius);
    d += `L${round(enter.x)} ${round(enter.y)}Q${round(corner.x)} ${round(corner.y)} ${round(leave.x)} ${round(leave.y)}`;
  }
  return `${d}L${round(way[last].x)} ${round(way[last].y)}`;
}

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;

/** @param {Point} one @param {Point} other */
const apart = (one, other) => Math.abs(one.x - other.x) + Math.abs(one.y - other.y);

/** @param {Point} from @param {Point} to @param {number} by @returns {Point} */
function toward(from, to, by) {
  const far = apart(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / far, y: from.y + ((to.y - from.y) * by) / far };
}

/** The middle of a way, where a button can sit. @param {Point[]} way @returns {Point} */
export function middleOf(way) {
  let left = length(way) / 2;
  for (let place = 1; place < way.length; place += 1) {
    const far = apart(way[place - 1], way[place]);
    if (left <= far) return toward(way[place - 1], way[place], left);
    left -= far;
  }
  return way[way.length - 1];
}

/** How far a point is from a way. @param {Point[]} way @param {Point} point */
export function distance(way, { x, y }) {
  let least = Infinity;
  for (let place = 1; place < way.length; place += 1) {
    const [one, other] = [way[place - 1], way[place]];
    const [dx, dy] = [other.x - one.x, other.y - one.y];
    const squared = dx * dx + dy * dy;
    const part = squared ? Math.max(0, Math.min(1, ((x - one.x) * dx + (y - one.y) * dy) / squared)) : 0;
    least = Math.min(least, Math.hypot(x - one.x - part * dx, y - one.y - part * dy));
  }
  return least;
}
