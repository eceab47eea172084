// Lines steps and notes up and spreads them evenly. Makes ops, commits none.

import { movable, placing } from "./align.js";
import { around, onGrid } from "./geometry.js";

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./ops.js").Op} Op
 * @typedef {"left" | "center" | "right" | "top" | "middle" | "bottom"} Side
 */

/** @param {Editor} editor @param {Iterable<string>} keys @param {Side} side @returns {Op[]} */
export function alignment(editor, keys, side) {
  const all = movable(editor, keys);
  const frame = around(all.map((key) => /** @type {any} */ (editor.rectOfKey(key))));
  if (!frame || all.length < 2) return [];
  return all.map((key) => {
    const { width, height } = /** @type {any} */ (editor.rectOfKey(key));
    const places = {
      left: { x: frame.x },
      center: { x: onGrid(frame.x + (frame.width - width) / 2) },
      right: { x: frame.x + frame.width - width },
      top: { y: frame.y },
      middle: { y: onGrid(frame.y + (frame.height - height) / 2) },
      bottom: { y: frame.y + frame.height - height },
    };
    return placing(editor, key, places[side]);
  }).filter(changes);
}

/**
 * Equal gaps between neighbours; the outermost stay. @param {Editor} editor @param {Iterable<string>} keys
 * @param {"across" | "down"} way @returns {Op[]}
 */
export function distribution(editor, keys, way) {
  const all = movable(editor, keys).map((key) => ({ key, rect: /** @type {any} */ (editor.rectOfKey(key)) }));
  if (all.length < 3) return [];
  const [axis, size] = way === "across" ? ["x", "width"] : ["y", "height"];
  all.sort((one, other) => one.rect[axis] - other.rect[axis]);
  const [first, last] = [all[0].rect, all[all.length - 1].rect];
  const used = all.reduce((sum, { rect }) => sum + rect[size], 0);
  const gap = (last[axis] + last[size] - first[axis] - used) / (all.length - 1);
  let at = first[axis];
  return all.map(({ key, rect }, place) => {
    const to = place === 0 || place === all.length - 1 ? rect[axis] : onGrid(at);
    at += rect[size] + gap;
    return placing(editor, key, { [axis]: to });
  }).filter(changes);
}

/** @param {Op} op */
const changes = (op) => "after" in op && Object.entries(op.after).some(([name, value]) => op.before[name] !== value);
