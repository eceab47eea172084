// Steps, wires and notes as JSON text, and back with ids of their own; between journeys and from any text. Makes ops only.

import { around, onGrid } from "./geometry.js";
import { idOf, kindOf } from "./model.js";

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./model.js").Step} Step
 * @typedef {import("./model.js").Wire} Wire
 * @typedef {import("./model.js").Note} Note
 * @typedef {import("./ops.js").Op} Op
 * @typedef {{nodes: Step[], edges: Wire[], notes: Note[], groups: any[]}} Parts
 */

export const MARK = "journey-canvas";
const PARTS_AT_MOST = 5000;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What is selected as text; the wires between selected steps come along. Empty when there is nothing to copy. */
/** @param {Editor} editor @param {Iterable<string>} keys @returns {string} */
export function pack(editor, keys) {
  const { flow } = editor;
  const ids = new Set(steps(editor, keys));
  const nodes = [...ids].map((id) => ({
    .../** @type {Step} */ (flow.steps.get(id)), x: editor.rectOf(id).x, y: editor.rectOf(id).y,
  }));
  const edges = [...flow.wires.values()].filter((wire) => ids.has(wire.from) && ids.has(wire.to));
  const chosen = new Set([...keys].filter((key) => kindOf(key) === "note").map(idOf));
  const notes = [...flow.notes.values()].filter((note) => chosen.has(note.id) || (note.node && ids.has(note.node)));
  const groups = [...flow.groups.values()].filter((group) => group.nodes.length && group.nodes.every((id) => ids.has(id)));
  if (!nodes.length && !notes.length) return "";
  const placed = notes.map((note) => ({ ...note, ...corner(editor.noteRect(note.id)) }));
  return JSON.stringify({ [MARK]: 1, nodes, edges, notes: placed, groups }, null, 2);
}

/** Steps selected, those of selected groups included. @param {Editor} editor @param {Iterable<string>} keys */
function steps(editor, keys) {
  const found = [];
  for (const key of keys) {
    if (kindOf(key) === "step") found.push(key);
    if (kindOf(key) === "group") found.push(...(editor.flow.groups.get(idOf(key))?.nodes ?? []));
  }
  return found.filter((id) => editor.flow.steps.has(id));
}

/** @param {{x: number, y: number}} rect */
const corner = ({ x, y }) => ({ x, y });

/**
 * What a text holds: our own copies, a whole flow document, or a list of steps; null when it is something else.
 * @param {string} text @returns {Parts | null}
 */
export function unpack(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(value)) value = { nodes: value };
  if (!Array.isArray(value?.nodes) || value.nodes.length > PARTS_AT_MOST) return null;
  const nodes = value.nodes.filter(isStep);
  const notes = list(value.notes).filter((note) => typeof note?.text === "string");
  if (nodes.length < value.nodes.length || (!nodes.length && !notes.length)) return null;
  const edges = list(value.edges).filter((wire) => [wire?.from, wire?.port, wire?.to].every((one) => typeof one === "string"));
  return { nodes, edges, notes, groups: list(value.groups).filter((group) => Array.isArray(group?.nodes)) };
}

/** @param {any} value @returns {any[]} */
const list = (value) => (Array.isArray(value) ? value.slice(0, PARTS_AT_MOST) : []);

/** @param {any} one */
const isStep = (one) => typeof one?.type === "string" && typeof one.id === "string" && ID.test(one.id);

/** Types in the parts that are not installed here. @param {Editor} editor @param {Parts} parts @returns {string[]} */
export const unknownTypes = (editor, parts) => [...new Set(parts.nodes.map((node) => node.type).filter((type) => !editor.types[type]))];

/**
 * The ops that put parts on the canvas with fresh ids, and the keys of what is new.
 * @param {Editor} editor @param {Parts} parts @param {{at?: {x: number, y: number} | null, by?: number}} [place]
 *   the upper left corner comes to `at`, else everything moves by `by`
 * @returns {{ops: Op[], keys: string[]}}
 */
export function pasting(editor, parts, { at = null, by = 32 } = {}) {
  const shift = shiftTo(parts, at, by);
  /** @type {Map<string, string>} */
  const names = new Map();
  const taken = new Set();
  const fresh = (/** @type {string} */ base) => {
    let id = editor.flow.freshId(base);
    while (taken.has(id)) id = editor.flow.freshId(base);
    taken.add(id);
    return id;
  };
  for (const node of parts.nodes) names.set(node.id, fresh(node.type));
  const renamed = (/** @type {string} */ id) => names.get(id) ?? id;
  /** @type {Op[]} */
  const ops = parts.nodes.map((node) => ({ op: "node+", node: pasted(node, renamed(node.id), shift, names) }));
  ops.push(...wires(parts, names));
  const notes = parts.notes.map((note) => pastedNote(note, fresh("note"), shift, names));
  ops.push(...notes.map((note) => /** @type {Op} */ ({ op: "note+", note })));
  for (const group of parts.groups) {
    const nodes = group.nodes.filter((/** @type {string} */ id) => names.has(id)).map(renamed);
    if (nodes.length) ops.push({
      op: "group+", group: { ...clean(group, ["title", "hue"]), id: fresh("group"), title: group.title ?? "", nodes },
    });
  }
  return { ops, keys: [...names.values(), ...notes.map((note) => `note:${note.id}`)] };
}

/** @param {Parts} parts @param {{x: number, y: number} | null} at @param {number} by */
function shiftTo(parts, at, by) {
  const placed = [...parts.nodes, ...parts.notes].map((one) => ({ x: number(one.x), y: number(one.y), width: 0, height: 0 }));
  const frame = around(placed);
  if (!at || !frame) return { x: by, y: by };
  return { x: onGrid(at.x - frame.x), y: onGrid(at.y - frame.y) };
}

/** @param {any} value */
const number = (value) => (Number.isFinite(value) ? Number(value) : 0);

/**
 * Only fields a document knows; settings that name a copied step (a jump, a message) follow the copy.
 * @param {Step} node @param {string} id @param {{x: number, y: number}} shift @param {Map<string, string>} names
 */
function pasted(node, id, shift, names) {
  const settings = following(structuredClone(node.settings ?? {}), names);
  const step = { id, type: node.type, version: Number.isInteger(node.version) ? node.version : 1, settings };
  return {
    ...step, ...(node.name ? { name: String(node.name).slice(0, 200) } : {}), x: number(node.x) + shift.x,
    y: number(node.y) + shift.y,
  };
}

/** @param {any} value @param {Map<string, string>} names @returns {any} */
function following(value, names) {
  if (Array.isArray(value)) return value.map((item) => following(item, names));
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => {
    const points = (key === "node" || key === "message") && typeof item === "string" && names.has(item);
    return [key, points ? names.get(item) : following(item, names)];
  }));
}

/**
 * @param {Note} note @param {string} id @param {{x: number, y: number}} shift @param {Map<string, string>} names
 * @returns {Note}
 */
function pastedNote(note, id, shift, names) {
  const home = note.node ? names.get(note.node) : null;
  const kept = clean(note, ["width", "height", "hue"]);
  return {
    ...kept, id, text: String(note.text).slice(0, 4000), ...(home ? { node: home } : {}), x: number(note.x) + shift.x,
    y: number(note.y) + shift.y,
  };
}

/** @param {any} item @param {string[]} fields */
const clean = (item, fields) => {
  const known = fields.filter((name) => item[name] !== undefined && item[name] !== null);
  return Object.fromEntries(known.map((name) => [name, item[name]]));
};

/** @param {Parts} parts @param {Map<string, string>} names @returns {Op[]} */
function wires(parts, names) {
  const seen = new Set();
  /** @type {Op[]} */
  const ops = [];
  for (const { from, port, to } of parts.edges) {
    const [source, target] = [names.get(from), names.get(to)];
    if (!source || !target || seen.has(`${source} ${port}`)) continue;
    seen.add(`${source} ${port}`);
    ops.push({ op: "edge+", edge: { from: source, port, to: target } });
  }
  return ops;
}
