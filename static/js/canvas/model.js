// The journey in memory: steps, wires by (from, port), notes, groups, settings; never written but by ops.js.

/**
 * Ids of steps never hold spaces or colons, so one set of strings can name everything that can be selected:
 * a step by its id, a wire as "from port", a note as "note:id", a group as "group:id".
 *
 * @typedef {{id: string, type: string, version?: number, settings?: Record<string, any>, name?: string | null,
 *   x?: number | null, y?: number | null}} Step
 * @typedef {{from: string, port: string, to: string}} Wire
 * @typedef {{id: string, text: string, node?: string | null, x?: number | null, y?: number | null,
 *   width?: number | null, height?: number | null, hue?: string | null}} Note
 * @typedef {{id: string, title: string, nodes: string[], hue?: string | null}} Group
 * @typedef {{name: string, label: string, gone?: boolean}} Port
 * @typedef {{x: number, y: number}} Point
 */

/** @param {string} from @param {string} port */
export const wireKey = (from, port) => `${from} ${port}`;

/** @param {string} id */
export const noteKey = (id) => `note:${id}`;

/** @param {string} id */
export const groupKey = (id) => `group:${id}`;

/**
 * What a key of the selection names.
 * @param {string} key
 * @returns {"step" | "wire" | "note" | "group"}
 */
export function kindOf(key) {
  if (key.startsWith("note:")) return "note";
  if (key.startsWith("group:")) return "group";
  return key.includes(" ") ? "wire" : "step";
}

/** The id inside a key of a note or a group; other keys are ids themselves. @param {string} key */
export const idOf = (key) => (/^(note|group):/.test(key) ? key.slice(key.indexOf(":") + 1) : key);

export class Flow {
  constructor() {
    /** @type {Map<string, Step>} */
    this.steps = new Map();
    /** @type {Map<string, Wire>} */
    this.wires = new Map();
    /** @type {Map<string, Note>} */
    this.notes = new Map();
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    /** @type {Record<string, any>} */
    this.settings = {};
    /** Fields of the document this page knows nothing about; they go out as they came in. @type {Record<string, any>} */
    this.rest = {};
    /** Wires of the document that shared a port with an earlier one. @type {Wire[]} */
    this.dropped = [];
    /** @type {Map<string, Set<string>>} */
    this.outgoing = new Map();
    /** @type {Map<string, Set<string>>} */
    this.incoming = new Map();
  }

  /**
   * The flow a document of schema 1 means. Whatever is unknown is kept.
   * @param {any} document
   * @returns {Flow}
   */
  static fromDocument(document) {
    const { nodes, edges, notes, groups, settings, ...rest } = document;
    const flow = new Flow();
    flow.rest = rest;
    flow.settings = settings ?? {};
    for (const step of nodes ?? []) flow.steps.set(step.id, step);
    for (const wire of edges ?? []) {
      if (flow.wires.has(wireKey(wire.from, wire.port))) flow.dropped.push(wire);
      else flow.link(wire);
    }
    keep(flow.notes, notes, "note");
    keep(flow.groups, groups, "group");
    return flow;
  }

  /** The document to save: what came in plus what was changed. @returns {any} */
  toDocument() {
    /** @type {any} */
    const document = {
      schema: 1,
      ...this.rest,
      settings: this.settings,
      nodes: [...this.steps.values()],
      edges: [...this.wires.values()],
    };
    if (this.notes.size) document.notes = [...this.notes.values()];
    if (this.groups.size) document.groups = [...this.groups.values()];
    return document;
  }

  /** Only ops.js calls this. @param {Wire} wire */
  link(wire) {
    const key = wireKey(wire.from, wire.port);
    this.wires.set(key, wire);
    into(this.outgoing, wire.from).add(key);
    into(this.incoming, wire.to).add(key);
  }

  /** Only ops.js calls this. @param {string} key */
  unlink(key) {
    const wire = this.wires.get(key);
    if (!wire) return;
    this.wires.delete(key);
    this.outgoing.get(wire.from)?.delete(key);
    this.incoming.get(wire.to)?.delete(key);
  }

  /** @param {string} from @param {string} port @returns {Wire | undefined} */
  wireAt(from, port) {
    return this.wires.get(wireKey(from, port));
  }

  /** @param {string} id @returns {Wire[]} */
  wiresFrom(id) {
    return [...(this.outgoing.get(id) ?? [])].map((key) => /** @type {Wire} */ (this.wires.get(key)));
  }

  /** @param {string} id @returns {Wire[]} */
  wiresTo(id) {
    return [...(this.incoming.get(id) ?? [])].map((key) => /** @type {Wire} */ (this.wires.get(key)));
  }

  /** Every wire that touches the step. A loop to itself counts once. @param {string} id @returns {Wire[]} */
  wiresOf(id) {
    return [...this.wiresFrom(id), ...this.wiresTo(id).filter((wire) => wire.from !== id)];
  }

  /** Whether somebody at `from` can come to `to`. @param {string} from @param {string} to */
  reaches(from, to) {
    const seen = new Set([from]);
    const open = [from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (id === to) return true;
      for (const wire of this.wiresFrom(id)) {
        if (!seen.has(wire.to)) open.push(wire.to);
        seen.add(wire.to);
      }
    }
    return false;
  }

  /**
   * An id nobody has, random at the end so that two people who add a step at once do not meet.
   * @param {string} base for example the type of the step
   */
  freshId(base) {
    const start = base.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 48) || "step";
    for (;;) {
      const id = `${start}_${Math.random().toString(36).slice(2, 6).padEnd(4, "0")}`;
      if (!this.steps.has(id) && !this.notes.has(id) && !this.groups.has(id)) return id;
    }
  }
}

/** @param {Map<string, Set<string>>} index @param {string} id */
function into(index, id) {
  let keys = index.get(id);
  if (!keys) index.set(id, (keys = new Set()));
  return keys;
}

/**
 * Notes and groups may come without an id; here each has one.
 * @template {{id: string}} T
 * @param {Map<string, T>} place @param {T[] | undefined} items @param {string} base
 */
function keep(place, items, base) {
  for (const [position, item] of (items ?? []).entries()) {
    let id = item.id ?? `${base}_${position + 1}`;
    while (place.has(id)) id += "_";
    place.set(id, item.id === id ? item : { ...item, id });
  }
}
