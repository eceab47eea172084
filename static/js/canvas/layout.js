// Tidies up: all steps or the selected ones, by a worker, as one step of undo; never on a page that only reads.

import { _ } from "../i18n.js";
import { around, cardHeight, inflate, intersects, onGrid } from "./geometry.js";
import { TIDY, edit } from "./ops.js";
import { GAP, columns, readingOrder } from "./tree.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./geometry.js").Point} Point
 */

const PATIENCE_MS = 3000;
const GLIDE_MS = 260;

/**
 * Where a worker would put the steps; a plainer answer when it takes too long.
 * @param {import("./tree.js").Graph} graph @returns {Promise<[string, number, number][]>}
 */
export function layOut(graph) {
  return new Promise((resolve) => {
    const worker = new Worker(new URL("./layout.worker.js", import.meta.url), { type: "module" });
    const answer = (/** @type {[string, number, number][]} */ places) => {
      clearTimeout(patience);
      worker.terminate();
      resolve(leveled(graph, places));
    };
    const patience = setTimeout(() => answer(columns(graph)), PATIENCE_MS);
    worker.addEventListener("message", ({ data }) => answer(data ?? columns(graph)));
    worker.addEventListener("error", () => answer(columns(graph)));
    worker.postMessage(graph);
  });
}

/** A layout lines up the middles of cards; people see their titles in line instead, as far as the gap allows it.
 * @param {import("./tree.js").Graph} graph @param {[string, number, number][]} places @returns {[string, number, number][]} */
function leveled(graph, places) {
  const heights = new Map(graph.nodes.map(({ id, height }) => [id, height]));
  return places.map(([id, x, y]) => {
    const extra = ((heights.get(id) ?? 0) - cardHeight(1)) / 2;
    return [id, x, y + Math.min(extra, GAP.y / 2)];
  });
}

/**
 * @param {View} view
 * @param {{ids?: string[] | null, keep?: Set<string> | null}} [options] `ids`: only these, else the selection if it has
 *   several steps, else all; `keep`: steps that stay where they are
 * @returns {Promise<boolean>} whether anything moved
 */
export async function tidy(view, { ids = null, keep = null } = {}) {
  const { editor } = view;
  if (editor.readOnly) return false;
  const stays = keep ?? new Set();
  const chosen = editor.selectedSteps();
  const all = ids ?? (chosen.length > 1 ? chosen : [...editor.flow.steps.keys()]);
  const graph = readingOrder(editor, all);
  if (!graph.nodes.length) return false;
  const flow = editor.flow;
  const found = await layOut(graph);
  // Somebody may have loaded another draft while the worker thought.
  if (editor.flow !== flow) return false;
  const places = settle(editor, found, stays);
  const ops = [...places].flatMap(([id, at]) => opsFor(editor, id, at));
  if (!ops.length) return false;
  glide(view.root);
  const label = stays.size ? _("Tidy up around placed steps") : chosen.length > 1 && !ids ? _("Tidy up selection") : _("Tidy up");
  return editor.commit(label, ops, { key: TIDY });
}

/**
 * The answer put where the steps were: the first one stays, so that the picture does not jump. Kept steps stay too, and
 * others give way to them.
 * @param {Editor} editor @param {[string, number, number][]} found @param {Set<string>} keep
 */
function settle(editor, found, keep) {
  const anchor = found.find(([id]) => keep.has(id)) ?? found[0];
  const home = editor.rectOf(anchor[0]);
  const [dx, dy] = [home.x - anchor[1], home.y - anchor[2]];
  const kept = [...keep].filter((id) => editor.flow.steps.has(id)).map((id) => inflate(editor.rectOf(id), 20));
  /** @type {Map<string, Point>} */
  const places = new Map();
  for (const [id, x, y] of found) {
    if (keep.has(id)) continue;
    const rect = { ...editor.rectOf(id), x: onGrid(x + dx), y: onGrid(y + dy) };
    for (let block = kept.find((one) => intersects(one, rect)); block; block = kept.find((one) => intersects(one, rect))) {
      rect.y = onGrid(block.y + block.height + 8);
    }
    if (keep.size) kept.push(inflate(rect, 8));
    places.set(id, { x: rect.x, y: rect.y });
  }
  return places;
}

/** Notes that were placed beside a step travel with it. @param {Editor} editor @param {string} id @param {Point} at */
function opsFor({ flow }, id, at) {
  const step = flow.steps.get(id);
  if (!step || (step.x === at.x && step.y === at.y)) return [];
  const [dx, dy] = [at.x - (step.x ?? 0), at.y - (step.y ?? 0)];
  const notes = [...flow.notes.values()].filter((note) => note.node === id && note.x !== undefined && note.x !== null);
  const moved = notes.map((note) => edit("note", note, { x: (note.x ?? 0) + dx, y: (note.y ?? 0) + dy }));
  return [edit("node", step, { x: at.x, y: at.y }), ...moved];
}

/** CSS moves the cards for a moment; with animations off they are just there. @param {HTMLElement} root */
export function glide(root) {
  root.classList.add("gliding");
  setTimeout(() => root.classList.remove("gliding"), GLIDE_MS);
}

/**
 * Gives places to steps that came without, before anything is drawn. No change: nothing is saved until somebody edits.
 * @param {Editor} editor
 */
export async function placeUnplaced(editor) {
  const { steps } = editor.flow;
  const lost = [...steps.values()].filter((step) => typeof step.x !== "number" || typeof step.y !== "number");
  if (!lost.length) return;
  const found = await layOut(readingOrder(editor, steps.keys()));
  const placed = [...steps.values()].filter((step) => !lost.includes(step)).map((step) => editor.rectOf(step.id));
  const below = around(placed);
  const missing = new Set(lost.map((step) => step.id));
  for (const [id, x, y] of found) {
    if (missing.has(id)) editor.place(id, { x: onGrid(x), y: onGrid(y + (below ? below.y + below.height + 80 : 0)) });
  }
}
