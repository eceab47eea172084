// Two people changed one draft: what both did, put together; what only a person can decide, named. Pure; loses nothing unsaid.

import { wireKey } from "./model.js";

/**
 * A step is merged in pieces: what it is (type, settings, name), where it stands, and each wire that leaves it.
 * A piece both changed differently is a conflict of that step; so is a step one took away and the other worked on.
 *
 * @typedef {"mine" | "theirs"} Side
 * @typedef {{kind: "step" | "note" | "group" | "journey", id: string, key: string, mine: any, theirs: any, base: any,
 *   what: string[]}} Conflict `what`: the pieces in question; a side of null took it away
 * @typedef {{document: any, conflicts: Conflict[], theirs: string[], mine: string[]}} Merged
 *   `theirs` and `mine`: the ids of steps each side changed
 */

/** @param {any} one @param {any} other */
export const same = (one, other) => one === other || canonical(one) === canonical(other);

/** @param {any} value @returns {string} */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!value || typeof value !== "object") return JSON.stringify(value ?? null);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined && value[key] !== null).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/**
 * @param {any} base what both began with @param {any} mine @param {any} theirs
 * @param {Map<string, Side>} [choices] by the key of a conflict; mine where nothing was chosen yet
 * @returns {Merged}
 */
export function merge(base, mine, theirs, choices = new Map()) {
  const [old, own, other] = [read(base), read(mine), read(theirs)];
  /** @type {Conflict[]} */
  const conflicts = [];
  const nodes = mergeSteps(old, own, other, choices, conflicts);
  const edges = mergeWires(old, own, other, nodes, choices, conflicts);
  const document = {
    ...theirs,
    ...("settings" in mine || "settings" in theirs
      ? { settings: mergeFields(base.settings ?? {}, mine.settings ?? {}, theirs.settings ?? {}, choices, conflicts) } : {}),
    nodes: [...nodes.values()],
    edges: [...edges.values()],
  };
  for (const [name, kind] of /** @type {["notes" | "groups", "note" | "group"][]} */ ([["notes", "note"], ["groups", "group"]])) {
    const merged = mergeItems(old[name], own[name], other[name], kind, choices, conflicts);
    if (merged.size) document[name] = [...merged.values()];
    else delete document[name];
  }
  return { document, conflicts, mine: changedIds(old, own), theirs: changedIds(old, other) };
}

/** @param {any} document */
function read(document) {
  /** @param {any[]} items */
  const byId = (items) => new Map((items ?? []).map((item) => [item.id, item]));
  const wires = new Map((document.edges ?? []).map((/** @type {any} */ wire) => [wireKey(wire.from, wire.port), wire]));
  return { nodes: byId(document.nodes), wires, notes: byId(document.notes), groups: byId(document.groups) };
}

/** @typedef {ReturnType<typeof read>} Parts */

/** What a step is, without its place. @param {any} node */
function content(node) {
  if (!node) return null;
  const { x, y, ...rest } = node;
  return rest;
}

/** @param {any} node */
const place = (node) => (node ? { x: node.x ?? null, y: node.y ?? null } : null);

/**
 * @param {Parts} old @param {Parts} own @param {Parts} other @param {Map<string, Side>} choices @param {Conflict[]} conflicts
 * @returns {Map<string, any>}
 */
function mergeSteps(old, own, other, choices, conflicts) {
  const kept = new Map();
  for (const id of new Set([...other.nodes.keys(), ...own.nodes.keys()])) {
    const [was, mine, theirs] = [old.nodes.get(id), own.nodes.get(id), other.nodes.get(id)];
    if (mine && theirs) kept.set(id, both(id, was, mine, theirs, choices, conflicts));
    else {
      const side = mine ? own : other;
      const node = mine ?? theirs;
      if (!was) kept.set(id, node);
      else if (worked(id, old, side)) {
        const conflict = {
          kind: /** @type {"step"} */ ("step"), id, key: `step ${id}`, mine: mine ?? null, theirs: theirs ?? null,
          base: was, what: ["removed"],
        };
        conflicts.push(conflict);
        if ((choices.get(conflict.key) ?? "mine") === (mine ? "mine" : "theirs")) kept.set(id, node);
      }
    }
  }
  return kept;
}

/** Whether a side did anything to a step that the other took away. @param {string} id @param {Parts} old @param {Parts} side */
function worked(id, old, side) {
  if (!same(content(old.nodes.get(id)), content(side.nodes.get(id)))) return true;
  for (const [key, wire] of side.wires) {
    const touches = /** @type {any} */ (wire).from === id || /** @type {any} */ (wire).to === id;
    if (touches && !same(old.wires.get(key), wire)) return true;
  }
  return false;
}

/**
 * @param {string} id @param {any} was @param {any} mine @param {any} theirs @param {Map<string, Side>} choices
 * @param {Conflict[]} conflicts
 */
function both(id, was, mine, theirs, choices, conflicts) {
  const inside = pick(content(was), content(mine), content(theirs));
  let meant = inside.value;
  if (inside.clash) {
    const key = `step ${id}`;
    conflicts.push({ kind: "step", id, key, mine, theirs, base: was ?? null, what: clashing(was, mine, theirs) });
    meant = content(choices.get(key) === "theirs" ? theirs : mine);
  }
  // Where both moved a card it stays where it is on this screen: places are no work that could be lost.
  const spot = pick(place(was), place(mine), place(theirs)).value;
  const node = { ...meant, ...spot };
  for (const axis of ["x", "y"]) if (node[axis] === null) delete node[axis];
  return node;
}

/** The fields in question. @param {any} was @param {any} mine @param {any} theirs */
function clashing(was, mine, theirs) {
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return [...names].filter((name) => name !== "x" && name !== "y" && !same(mine[name], theirs[name])
    && (!was || !same(was[name], mine[name]) || !same(was[name], theirs[name])));
}

/** @param {any} was @param {any} mine @param {any} theirs */
function pick(was, mine, theirs) {
  if (same(mine, theirs) || same(was, theirs)) return { value: mine, clash: false };
  if (same(was, mine)) return { value: theirs, clash: false };
  return { value: mine, clash: true };
}

/**
 * @param {Parts} old @param {Parts} own @param {Parts} other @param {Map<string, any>} nodes
 * @param {Map<string, Side>} choices @param {Conflict[]} conflicts
 */
function mergeWires(old, own, other, nodes, choices, conflicts) {
  const back = conflicts.filter((one) => one.what[0] === "removed" && nodes.has(one.id));
  const restored = new Map(back.map((one) => [one.id, one.mine ? own : other]));
  const edges = new Map();
  for (const key of new Set([...other.wires.keys(), ...own.wires.keys()])) {
    const [was, mine, theirs] = /** @type {any[]} */ ([old.wires.get(key), own.wires.get(key), other.wires.get(key)]);
    let { value: wire, clash } = pick(was ?? null, mine ?? null, theirs ?? null);
    const from = (mine ?? theirs).from;
    const keeper = restored.get(mine?.to) ?? restored.get(theirs?.to) ?? restored.get(from);
    if (keeper) wire = keeper.wires.get(key) ?? wire;
    else if (clash) {
      const name = `wire ${key}`;
      conflicts.push({
        kind: "step", id: from, key: name, mine: mine ?? null, theirs: theirs ?? null, base: was ?? null,
        what: ["wire"],
      });
      wire = (choices.get(name) === "theirs" ? theirs : mine) ?? null;
    }
    if (wire && nodes.has(wire.from) && nodes.has(wire.to)) edges.set(key, wire);
  }
  return edges;
}

/**
 * Notes and groups, each as a whole.
 * @param {Map<string, any>} old @param {Map<string, any>} own @param {Map<string, any>} other @param {"note" | "group"} kind
 * @param {Map<string, Side>} choices @param {Conflict[]} conflicts
 */
function mergeItems(old, own, other, kind, choices, conflicts) {
  const kept = new Map();
  for (const id of new Set([...other.keys(), ...own.keys()])) {
    const [was, mine, theirs] = [old.get(id) ?? null, own.get(id) ?? null, other.get(id) ?? null];
    let { value, clash } = pick(was, mine, theirs);
    if (clash) {
      const key = `${kind} ${id}`;
      conflicts.push({ kind, id, key, mine, theirs, base: was, what: mine && theirs ? ["text"] : ["removed"] });
      value = choices.get(key) === "theirs" ? theirs : mine;
    }
    if (value) kept.set(id, value);
  }
  return kept;
}

/**
 * Settings of the journey, field by field. @param {any} was @param {any} mine @param {any} theirs
 * @param {Map<string, Side>} choices @param {Conflict[]} conflicts
 */
function mergeFields(was, mine, theirs, choices, conflicts) {
  /** @type {Record<string, any>} */
  const merged = {};
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    let { value, clash } = pick(was[name], mine[name], theirs[name]);
    if (clash) {
      const key = `journey ${name}`;
      conflicts.push({
        kind: "journey", id: name, key, mine: mine[name] ?? null, theirs: theirs[name] ?? null,
        base: was[name] ?? null, what: [name],
      });
      value = choices.get(key) === "theirs" ? theirs[name] : mine[name];
    }
    if (value !== undefined && value !== null) merged[name] = value;
  }
  return merged;
}

/** @param {Parts} old @param {Parts} side */
function changedIds(old, side) {
  const ids = new Set();
  for (const id of new Set([
    ...old.nodes.keys(), ...side.nodes.keys(),
  ])) if (!same(old.nodes.get(id), side.nodes.get(id))) ids.add(id);
  for (const key of new Set([...old.wires.keys(), ...side.wires.keys()])) {
    const [was, now] = /** @type {any[]} */ ([old.wires.get(key), side.wires.get(key)]);
    if (!same(was, now)) ids.add((now ?? was).from);
  }
  return [...ids];
}

// ── from one document to another ─────────────────────────────────────────────────────────────────────────────────────

/**
 * The ops that make one document into another, so that a merge can be shown without starting anew.
 * @param {any} before @param {any} after @returns {import("./ops.js").Op[]}
 */
export function difference(before, after) {
  const [old, next] = [read(before), read(after)];
  /** @type {any[]} */
  const ops = [];
  for (const [key, wire] of old.wires) if (!same(wire, next.wires.get(key))) ops.push({ op: "edge-", edge: wire });
  for (const [name, what] of /** @type {["nodes" | "notes" | "groups", string][]} */ ([["nodes", "node"], ["notes", "note"], ["groups", "group"]])) {
    for (const [id, item] of old[name]) if (!next[name].has(id)) ops.push({ op: `${what}-`, [what]: item });
    for (const [id, item] of next[name]) {
      const was = old[name].get(id);
      if (!was) ops.push({ op: `${what}+`, [what]: item });
      else if (!same(was, item)) ops.push({ op: `${what}=`, id, ...fields(was, item) });
    }
  }
  for (const [key, wire] of next.wires) if (!same(wire, old.wires.get(key))) ops.push({ op: "edge+", edge: wire });
  const [was, now] = [before.settings ?? {}, after.settings ?? {}];
  if (!same(was, now)) ops.push({ op: "flow=", ...fields(was, now) });
  return ops;
}

/** @param {any} was @param {any} now */
function fields(was, now) {
  /** @type {Record<string, any>} */
  const before = {};
  /** @type {Record<string, any>} */
  const after = {};
  for (const name of new Set([...Object.keys(was), ...Object.keys(now)])) {
    if (same(was[name], now[name])) continue;
    before[name] = was[name] ?? null;
    after[name] = now[name] ?? null;
  }
  return { before, after };
}
