// The language of change: every edit is a list of small steps that can be undone; never reads the page or the clock.

import { wireKey } from "./model.js";

/**
 * @typedef {import("./model.js").Flow} Flow
 * @typedef {import("./model.js").Step} Step
 * @typedef {import("./model.js").Wire} Wire
 * @typedef {Record<string, any>} Fields
 * @typedef {{op: "node+" | "node-", node: Step}
 *   | {op: "edge+" | "edge-", edge: Wire}
 *   | {op: "note+" | "note-", note: import("./model.js").Note}
 *   | {op: "group+" | "group-", group: import("./model.js").Group}
 *   | {op: "node=" | "note=" | "group=", id: string, before: Fields, after: Fields}
 *   | {op: "flow=", before: Fields, after: Fields}} Op
 * @typedef {{nodes: Set<string>, wires: Set<string>, notes: Set<string>, groups: Set<string>, settings: boolean}} Touched
 */

/** The key of a tidy-up's commit, so that it is not taken for placing by hand. */
export const TIDY = "tidy";

/** @type {Record<string, "steps" | "notes" | "groups">} */
const PLACES = { node: "steps", note: "notes", group: "groups" };

/**
 * Applies all or nothing: when one step does not fit, what was done before it is taken back.
 * @param {Flow} flow @param {Op[]} ops
 */
export function applyAll(flow, ops) {
  let done = 0;
  try {
    for (const op of ops) {
      apply(flow, op);
      done += 1;
    }
  } catch (error) {
    for (const op of invertAll(ops.slice(0, done))) apply(flow, op);
    throw error;
  }
}

/** @param {Flow} flow @param {Op} op */
export function apply(flow, op) {
  if (op.op === "flow=") flow.settings = patched(flow.settings, op.after);
  else if (op.op === "edge+" || op.op === "edge-") applyWire(flow, op);
  else applyItem(flow, op);
}

/** @param {Flow} flow @param {any} op */
function applyWire(flow, op) {
  const key = wireKey(op.edge.from, op.edge.port);
  const adding = op.op === "edge+";
  if (flow.wires.has(key) === adding) throw new Error(`${op.op}: port ${key} is ${adding ? "taken" : "open"}`);
  if (adding) flow.link(op.edge);
  else flow.unlink(key);
}

/** @param {Flow} flow @param {any} op */
function applyItem(flow, op) {
  const [what, deed] = [op.op.slice(0, -1), op.op.slice(-1)];
  const place = /** @type {Map<string, any>} */ (flow[PLACES[what]]);
  const id = deed === "=" ? op.id : op[what].id;
  if (place.has(id) === (deed === "+")) throw new Error(`${op.op}: ${id} is ${deed === "+" ? "there" : "not there"}`);
  if (deed === "+") place.set(id, op[what]);
  else if (deed === "-") place.delete(id);
  else place.set(id, patched(place.get(id), op.after));
}

/** A field set to null or undefined goes away, so that a document never carries empty fields. */
/** @template {Fields} T @param {T} item @param {Fields} fields @returns {T} */
function patched(item, fields) {
  /** @type {Fields} */
  const next = { ...item };
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined) delete next[name];
    else next[name] = value;
  }
  return /** @type {T} */ (next);
}

/** @param {Op} op @returns {Op} */
function invert(op) {
  if ("after" in op) return { ...op, before: op.after, after: op.before };
  const name = op.op.endsWith("+") ? op.op.replace("+", "-") : op.op.replace("-", "+");
  return /** @type {Op} */ ({ ...op, op: name });
}

/** @param {Op[]} ops @returns {Op[]} */
export const invertAll = (ops) => ops.map(invert).reverse();

/**
 * Everything a list of ops is about. A wire touches both its steps.
 * @param {Op[]} ops @returns {Touched}
 */
export function touched(ops) {
  /** @type {Touched} */
  const all = { nodes: new Set(), wires: new Set(), notes: new Set(), groups: new Set(), settings: false };
  for (const op of /** @type {any[]} */ (ops)) {
    if (op.op === "flow=") all.settings = true;
    else if (op.edge) {
      all.wires.add(wireKey(op.edge.from, op.edge.port));
      all.nodes.add(op.edge.from).add(op.edge.to);
    } else {
      const what = op.op.slice(0, -1);
      const ids = { node: all.nodes, note: all.notes, group: all.groups }[/** @type {"node"} */ (what)];
      ids.add(op.id ?? op[what].id);
    }
  }
  return all;
}

/**
 * The same change in fewer ops: edits of one item become one edit, an edit that changes nothing goes.
 * @param {Op[]} ops @returns {Op[]}
 */
export function compact(ops) {
  /** @type {any[]} */
  const kept = [];
  /** @type {Map<string, number>} */
  const last = new Map();
  for (const op of /** @type {any[]} */ (ops)) {
    const deed = op.op.slice(-1);
    const name = `${op.op.slice(0, -1)} ${op.id ?? (op.node ?? op.note ?? op.group)?.id ?? ""}`;
    const place = deed === "=" ? last.get(name) : undefined;
    if (place !== undefined) {
      const earlier = kept[place];
      kept[place] = { ...earlier, before: { ...op.before, ...earlier.before }, after: { ...earlier.after, ...op.after } };
      continue;
    }
    if (deed === "=") last.set(name, kept.length);
    else last.delete(name);
    kept.push(op);
  }
  return kept.filter((op) => !op.after || !same(op.before, op.after));
}

/** @param {any} one @param {any} other */
const same = (one, other) => Object.keys({ ...one, ...other }).every((key) => (
  JSON.stringify(one[key] ?? null) === JSON.stringify(other[key] ?? null)
));

/**
 * The op that changes fields of a step, note or group, with what was there before.
 * @param {"node" | "note" | "group"} what @param {{id: string} & Fields} item @param {Fields} after
 * @returns {Op}
 */
export function edit(what, item, after) {
  return { op: `${what}=`, id: item.id, before: fieldsBefore(item, after), after };
}

/** The op that changes settings of the journey. @param {Flow} flow @param {Fields} after @returns {Op} */
export function editSettings(flow, after) {
  return { op: "flow=", before: fieldsBefore(flow.settings, after), after };
}

/** @param {Fields} item @param {Fields} after @returns {Fields} */
function fieldsBefore(item, after) {
  return Object.fromEntries(Object.keys(after).map((name) => [name, item[name] ?? null]));
}

/**
 * The ops that take steps away with their wires; notes stay and stand free, groups lose the members.
 * @param {Flow} flow @param {Iterable<string>} ids @returns {Op[]}
 */
export function removal(flow, ids) {
  const going = new Set([...ids].filter((id) => flow.steps.has(id)));
  const wires = new Map();
  for (const id of going) for (const wire of flow.wiresOf(id)) wires.set(wireKey(wire.from, wire.port), wire);
  /** @type {Op[]} */
  const ops = [...wires.values()].map((edge) => ({ op: "edge-", edge }));
  for (const note of flow.notes.values()) {
    if (note.node && going.has(note.node)) ops.push(edit("note", note, { node: null }));
  }
  for (const group of flow.groups.values()) {
    const nodes = group.nodes.filter((id) => !going.has(id));
    if (!nodes.length && group.nodes.length) ops.push({ op: "group-", group });
    else if (nodes.length < group.nodes.length) ops.push(edit("group", group, { nodes }));
  }
  for (const id of going) ops.push({ op: "node-", node: /** @type {Step} */ (flow.steps.get(id)) });
  return ops;
}
