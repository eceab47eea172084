// What was done and can be undone, by name; never applies anything itself.

import { compact } from "./ops.js";

/**
 * @typedef {import("./ops.js").Op} Op
 * @typedef {{label: string, ops: Op[], key: string | null, at: number}} Entry
 */

/** Two edits with the same key this close are one: nudging with arrows, typing in a field. */
const COALESCE_MS = 800;

export class History {
  constructor() {
    /** @type {Entry[]} */
    this.past = [];
    /** @type {Entry[]} */
    this.future = [];
  }

  get undoLabel() { return this.past.at(-1)?.label ?? null; }

  get redoLabel() { return this.future.at(-1)?.label ?? null; }

  /**
   * Remembers what was just done. What had been undone is forgotten.
   * @param {string} label @param {Op[]} ops @param {{key?: string | null, at: number}} options
   */
  push(label, ops, { key = null, at }) {
    this.future = [];
    const last = this.past.at(-1);
    if (!last || !key || last.key !== key || at - last.at > COALESCE_MS) {
      this.past.push({ label, ops, key, at });
      return;
    }
    last.ops = compact([...last.ops, ...ops]);
    last.at = at;
    last.label = label;
    if (!last.ops.length) this.past.pop();
  }

  /** The entry to take back; it can be redone afterwards. @returns {Entry | undefined} */
  undo() {
    const entry = this.past.pop();
    if (entry) this.future.push({ ...entry, key: null });
    return entry;
  }

  /** The entry to do again. @returns {Entry | undefined} */
  redo() {
    const entry = this.future.pop();
    if (entry) this.past.push(entry);
    return entry;
  }

  clear() {
    this.past = [];
    this.future = [];
  }
}
