// Moves steps and notes to places. Makes ops, commits none.

import { idOf, kindOf } from "./model.js";
import { edit } from "./ops.js";

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./ops.js").Op} Op
 */

/** @param {Editor} editor @param {Iterable<string>} keys */
export const movable = (editor, keys) => [...keys].filter((key) => ["step", "note"].includes(kindOf(key)) && editor.has(key));

/**
 * The op that puts something somewhere. @param {Editor} editor @param {string} key
 * @param {{x?: number, y?: number}} at @returns {Op}
 */
export function placing(editor, key, at) {
  const rect = /** @type {import("./geometry.js").Rect} */ (editor.rectOfKey(key));
  const after = { x: at.x ?? rect.x, y: at.y ?? rect.y };
  if (kindOf(key) === "note") return edit("note", /** @type {any} */ (editor.flow.notes.get(idOf(key))), after);
  return edit("node", /** @type {any} */ (editor.flow.steps.get(key)), after);
}

/**
 * Moved by so much, all alike. @param {Editor} editor @param {Iterable<string>} keys @param {number} dx
 * @param {number} dy @returns {Op[]}
 */
export function shifting(editor, keys, dx, dy) {
  return movable(editor, keys).map((key) => {
    const rect = /** @type {any} */ (editor.rectOfKey(key));
    return placing(editor, key, { x: rect.x + dx, y: rect.y + dy });
  });
}
