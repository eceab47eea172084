// Where a new step goes and what makes room for it; how a path closes over a step that is taken away. Makes ops, commits none.

import { CARD, GRID, cardHeight, intersects, onGrid } from "./geometry.js";
import { wireKey } from "./model.js";
import { edit, removal } from "./ops.js";

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./model.js").Step} Step
 * @typedef {import("./model.js").Wire} Wire
 * @typedef {import("./ops.js").Op} Op
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {{after?: {id: string, port: string} | null, on?: string | null, at?: Point | null}} Place
 *   behind a port, on a wire (its key), or at a point
 */

export const GAP = { across: 72, down: 32 };
const TRIES = 60;

/** The first port of a step that leads nowhere yet. @param {Editor} editor @param {string} id */
export function freePort(editor, id) {
  const port = editor.portsOf(id).find((one) => !one.gone && !editor.flow.wireAt(id, one.name));
  return port?.name ?? null;
}

/**
 * Whether a step of this type may stand in this place; the reason if not.
 * @param {Editor} editor @param {string} type @param {Place} place @returns {"" | "entry" | "exit" | "unknown"}
 */
export function refusal(editor, type, place) {
  const known = editor.types[type];
  if (!known) return "unknown";
  if ((place.after || place.on) && known.is_entry) return "entry";
  if (place.on && known.ports && !known.ports.length) return "exit";
  return "";
}

/** The types that may stand there, in the order of the palette. @param {Editor} editor @param {Place} place */
export const allowed = (editor, place) => Object.keys(editor.types).filter((type) => !refusal(editor, type, place));

/** A step as it comes out of the palette. @param {Editor} editor @param {string} type @param {Point} at @returns {Step} */
function newStep(editor, type, at) {
  const known = /** @type {any} */ (editor.types[type]);
  const settings = structuredClone(known.settings ?? {});
  const step = { id: editor.flow.freshId(type), type, version: known.version ?? 1, settings };
  return { ...step, x: onGrid(at.x), y: onGrid(at.y) };
}

/**
 * The ops that add a step in a place, with its wires and the room it needs.
 * @param {Editor} editor @param {string} type @param {Place} place
 * @returns {{id: string, ops: Op[]}}
 */
export function addition(editor, type, place) {
  const wire = place.on ? editor.flow.wires.get(place.on) : null;
  if (wire) return spliced(editor, type, wire);
  const after = place.after ?? null;
  const at = place.at ?? (after ? besidePort(editor, after.id, after.port) : emptySpot(editor));
  const height = heightOf(editor, type);
  const spot = place.at ? place.at : clearOf(editor, { ...at, width: CARD.width, height });
  const node = newStep(editor, type, spot);
  /** @type {Op[]} */
  const ops = [{ op: "node+", node }];
  if (after) {
    const old = editor.flow.wireAt(after.id, after.port);
    if (old) ops.push({ op: "edge-", edge: old });
    ops.push({ op: "edge+", edge: { from: after.id, port: after.port, to: node.id } });
    // A port that led somewhere leads there through the new step.
    const port = portsOfType(editor, type)[0];
    if (old && port && old.to !== after.id) ops.push({ op: "edge+", edge: { from: node.id, port, to: old.to } });
  }
  return { id: node.id, ops };
}

/** @param {Editor} editor @param {string} type @param {Wire} wire */
function spliced(editor, type, wire) {
  const [from, to] = [editor.rectOf(wire.from), editor.rectOf(wire.to)];
  const forward = to.x > from.x;
  const x = forward ? Math.max(from.x + CARD.width + GAP.across, (from.x + to.x) / 2) : from.x + CARD.width + GAP.across;
  const far = to.x - from.x >= 2 * (CARD.width + GAP.across);
  const outlet = editor.outletOf(wire.from, wire.port);
  const y = far ? to.y : outlet.y - CARD.input;
  const between = Math.min(Math.max(y, Math.min(from.y, to.y)), Math.max(from.y, to.y));
  const at = { x: far ? x : from.x + CARD.width + GAP.across, y: forward ? between : from.y };
  const room = forward ? makeRoom(editor, wire, { ...at, width: CARD.width, height: heightOf(editor, type) }) : [];
  return wiredIn(editor, newStep(editor, type, at), wire, room);
}

/**
 * An existing or new step between the two ends of a wire.
 * @param {Editor} editor @param {Step} node @param {Wire} wire @param {Op[]} room
 */
function wiredIn(editor, node, wire, room) {
  const port = portsOfType(editor, node.type)[0];
  /** @type {Op[]} */
  const ops = [...room, { op: "node+", node }, { op: "edge-", edge: wire }];
  ops.push({ op: "edge+", edge: { from: wire.from, port: wire.port, to: node.id } });
  if (port) ops.push({ op: "edge+", edge: { from: node.id, port, to: wire.to } });
  return { id: node.id, ops };
}

/**
 * The ops that put a step that is there, with nothing wired to it, onto a wire.
 * @param {Editor} editor @param {string} id @param {string} key @returns {Op[]}
 */
export function splicing(editor, id, key) {
  const wire = editor.flow.wires.get(key);
  const port = freePort(editor, id);
  if (!wire || !port || wire.from === id || wire.to === id) return [];
  if (editor.types[/** @type {Step} */ (editor.flow.steps.get(id)).type]?.is_entry || editor.flow.wiresTo(id).length) return [];
  return [
    { op: "edge-", edge: wire },
    { op: "edge+", edge: { from: wire.from, port: wire.port, to: id } },
    { op: "edge+", edge: { from: id, port, to: wire.to } },
  ];
}

/**
 * The ops that take a step out of its path, which closes, and put it onto another wire.
 * @param {Editor} editor @param {string} id @param {string} key @returns {Op[]}
 */
export function moving(editor, id, key) {
  const { flow } = editor;
  const wire = flow.wires.get(key);
  if (!wire || wire.from === id || wire.to === id) return [];
  const next = onward(flow, id, new Set([id]));
  const way = flow.wiresFrom(id).find((one) => one.to === next);
  const port = way?.port ?? freePort(editor, id);
  if (!port) return [];
  /** @type {Op[]} */
  const ops = [];
  for (const edge of flow.wiresTo(id)) {
    ops.push({ op: "edge-", edge });
    if (next && next !== edge.from) ops.push({ op: "edge+", edge: { ...edge, to: next } });
  }
  if (way) ops.push({ op: "edge-", edge: way });
  ops.push(
    { op: "edge-", edge: wire }, { op: "edge+", edge: { ...wire, to: id } },
    { op: "edge+", edge: { from: id, port, to: wire.to } },
  );
  const from = editor.rectOf(wire.from);
  const spot = clearOf(
    editor, { ...editor.rectOf(id), x: from.x + CARD.width + GAP.across, y: from.y + from.height + GAP.down },
  );
  ops.push(edit("node", /** @type {Step} */ (flow.steps.get(id)), spot));
  return ops;
}

/**
 * Moves what comes after a wire to the right, only as far as a card in between needs it.
 * @param {Editor} editor @param {Wire} wire @param {Rect} card @returns {Op[]}
 */
function makeRoom(editor, wire, card) {
  const target = editor.rectOf(wire.to);
  const missing = card.x + card.width + GAP.across - target.x;
  if (missing <= 0) return [];
  const by = Math.ceil(missing / GRID) * GRID;
  const moved = downstream(editor, wire.to).filter((id) => editor.rectOf(id).x >= target.x && id !== wire.from);
  return moved.map((id) => {
    const step = /** @type {Step} */ (editor.flow.steps.get(id));
    return edit("node", step, { x: editor.rectOf(id).x + by });
  });
}

/** A step and all that can be come to from it. @param {Editor} editor @param {string} id @returns {string[]} */
export function downstream(editor, id) {
  return walk(id, (one) => editor.flow.wiresFrom(one).map((wire) => wire.to).filter((to) => editor.flow.steps.has(to)));
}

/** A step and all that lead to it. @param {Editor} editor @param {string} id @returns {string[]} */
export function upstream(editor, id) {
  return walk(id, (one) => editor.flow.wiresTo(one).map((wire) => wire.from));
}

/** @param {string} start @param {(id: string) => string[]} next */
function walk(start, next) {
  const seen = new Set([start]);
  for (const id of seen) for (const one of next(id)) seen.add(one);
  return [...seen];
}

/** @param {Editor} editor @param {string} type */
const portsOfType = (editor, type) => (editor.types[type]?.ports ?? []).map((port) => port.name);

/** @param {Editor} editor @param {string} type */
const heightOf = (editor, type) => cardHeight(portsOfType(editor, type).length);

/**
 * Right of a port: level with the card for the first, below for the others. @param {Editor} editor
 * @param {string} id @param {string} port
 */
function besidePort(editor, id, port) {
  const card = editor.rectOf(id);
  const row = Math.max(0, editor.portsOf(id).findIndex((one) => one.name === port));
  return { x: onGrid(card.x + CARD.width + GAP.across), y: onGrid(card.y + row * (cardHeight(1) + GAP.down)) };
}

/** Where the first step of an empty journey goes, or one that belongs to nothing. @param {Editor} editor */
function emptySpot(editor) {
  const all = editor.bounds();
  return all ? { x: onGrid(all.x), y: onGrid(all.y + all.height + 2 * GAP.down) } : { x: 0, y: 0 };
}

/** The nearest place below that meets no card. @param {Editor} editor @param {Rect} wish @returns {Point} */
function clearOf(editor, wish) {
  const rects = [...editor.flow.steps.keys()].map((id) => editor.rectOf(id));
  const wide = (/** @type {Rect} */ rect) => ({ ...rect, y: rect.y - GAP.down / 2, height: rect.height + GAP.down });
  let { x, y } = wish;
  for (let turn = 0; turn < TRIES; turn += 1) {
    const here = { ...wish, x, y };
    const met = rects.find((rect) => intersects(wide(rect), here));
    if (!met) break;
    y = onGrid(met.y + met.height + GAP.down);
  }
  return { x, y };
}

// ── taking away ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The ops that take steps away and lead those who came to them on to where they would have gone, if there is one way.
 * @param {import("./model.js").Flow} flow @param {Iterable<string>} ids @returns {Op[]}
 */
export function healing(flow, ids) {
  const going = new Set([...ids].filter((id) => flow.steps.has(id)));
  /** @type {Op[]} */
  const healed = [];
  for (const id of going) {
    for (const wire of flow.wiresTo(id)) {
      const to = going.has(wire.from) ? null : onward(flow, id, going);
      if (to && to !== wire.from) healed.push({ op: "edge+", edge: { from: wire.from, port: wire.port, to } });
    }
  }
  return [...removal(flow, going), ...healed];
}

/** The one step beyond all that goes. @param {import("./model.js").Flow} flow @param {string} id @param {Set<string>} going */
function onward(flow, id, going) {
  const seen = new Set();
  let at = id;
  while (going.has(at)) {
    if (seen.has(at)) return null;
    seen.add(at);
    const wires = flow.wiresFrom(at);
    const targets = new Set(wires.map((wire) => wire.to));
    const next = targets.size === 1 ? [...targets][0] : wires.find((wire) => wire.port === "next")?.to;
    if (next === undefined || !flow.steps.has(next)) return null;
    at = next;
  }
  return at;
}

/**
 * The ops that take away whatever is selected: steps (with healing), wires, notes, groups (their steps stay).
 * @param {Editor} editor @param {Iterable<string>} keys @returns {Op[]}
 */
export function deletion(editor, keys) {
  const { flow } = editor;
  const all = [...keys];
  const ops = healing(flow, all.filter((key) => flow.steps.has(key)));
  const cuts = /** @type {any[]} */ (ops.filter((op) => op.op === "edge-"));
  const gone = new Set(cuts.map(({ edge }) => wireKey(edge.from, edge.port)));
  for (const key of all) {
    const wire = flow.wires.get(key);
    if (wire && !gone.has(key)) ops.push({ op: "edge-", edge: wire });
    const note = key.startsWith("note:") ? flow.notes.get(key.slice(5)) : null;
    if (note) ops.push({ op: "note-", note: /** @type {any} */ (latest(ops, "note=", note)) });
    const group = key.startsWith("group:") ? flow.groups.get(key.slice(6)) : null;
    if (group && !ops.some((op) => op.op === "group-" && op.group.id === group.id)) {
      ops.push({ op: "group-", group: /** @type {any} */ (latest(ops, "group=", group)) });
    }
  }
  return ops;
}

/**
 * An item as the ops so far leave it: what is put back by undo must be what was taken. @param {Op[]} ops
 * @param {string} name @param {{id: string}} item
 */
function latest(ops, name, item) {
  const changed = /** @type {any} */ (ops.findLast((op) => op.op === name && /** @type {any} */ (op).id === item.id));
  if (!changed) return item;
  const next = /** @type {Record<string, any>} */ ({ ...item });
  for (const [field, value] of Object.entries(changed.after)) {
    if (value === null) delete next[field];
    else next[field] = value;
  }
  return next;
}
