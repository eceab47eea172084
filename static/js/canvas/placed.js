// Which steps somebody placed by hand, in this browser, for this journey: a tidy-up can go round them when it is asked to.

import { TIDY } from "./ops.js";

/** @typedef {import("./editor.js").Editor} Editor */

/** Remembers from now on; what is undone was not placed. @param {Editor} editor @param {number} journey @returns {Set<string>} */
export function handPlaced(editor, journey) {
  const name = `placed ${journey}`;
  const placed = read(name);
  editor.on("change", ({ ops, cause, key }) => {
    // Making room for a new step, and tidying up, move steps as well: nobody meant those places.
    if (cause === "merge" || key === TIDY || ops.some((/** @type {any} */ op) => op.op === "node+")) return;
    const before = [...placed].join();
    for (const op of ops) {
      if (op.op === "node-") placed.delete(op.node.id);
      if (op.op !== "node=" || !("x" in op.after || "y" in op.after)) continue;
      if (cause === "undo") placed.delete(op.id);
      else placed.add(op.id);
    }
    if ([...placed].join() !== before) write(name, placed);
  });
  return placed;
}

/** @param {string} name @returns {Set<string>} */
function read(name) {
  try {
    return new Set(JSON.parse(localStorage.getItem(name) ?? "[]"));
  } catch {
    return new Set();
  }
}

/** @param {string} name @param {Set<string>} placed */
function write(name, placed) {
  try {
    localStorage.setItem(name, JSON.stringify([...placed]));
  } catch {
    // A full or shut storage: it is remembered until the page is closed.
  }
}
