// The one door to the journey being edited: commit, undo, selection, facets, problems; never touches the page.

import { CARD, GROUP, NOTE, around, cardHeight, inputAnchor, portAnchor } from "./geometry.js";
import { History } from "./history.js";
import { Flow, groupKey, idOf, kindOf, noteKey } from "./model.js";
import { applyAll, invertAll, touched } from "./ops.js";

/**
 * @typedef {import("./model.js").Step} Step
 * @typedef {import("./model.js").Port} Port
 * @typedef {import("./ops.js").Op} Op
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{title: string, summary?: string, ports: Port[]}} Facet
 * @typedef {{node: string | null, field?: string | null, code?: string, severity: "error" | "warning", text: string,
 *   fix?: {label: string, ops: Op[]}}} Problem
 * @typedef {{title: string, help?: string, group: string, group_title?: string, hue?: string, is_entry?: boolean,
 *   is_exit?: boolean, ports: Port[] | null, settings?: Record<string, any>, searchable?: string}} StepType
 * @typedef {"change" | "load" | "selection" | "facets" | "problems" | "viewport" | "counters" | "history" | "reveal"
 *   | "quickadd" | "open" | "hover" | "overlay" | "connectmode" | "announce" | "toast" | "move" | "note" | "count" | "menu"
 *   | "stale"} EventName
 * @typedef {{ops: Op[], label: string, cause: "commit" | "undo" | "redo" | "merge", key: string | null,
 *   touched: import("./ops.js").Touched}} Change
 * @typedef {{document: any, facets?: Record<string, Facet>, types?: Record<string, StepType>, problems?: Problem[],
 *   mode?: "edit" | "live" | "review" | "version", readOnly?: boolean, now?: () => number}} EditorOptions
 */

export class Editor {
  /** @param {EditorOptions} options */
  constructor({ document, facets = {}, types = {}, problems = [], mode = "edit", readOnly = mode !== "edit", now = Date.now }) {
    this.flow = Flow.fromDocument(document);
    this.history = new History();
    this.mode = mode;
    this.readOnly = readOnly;
    /** @type {Record<string, StepType>} */
    this.types = types;
    /** @type {Map<string, Facet>} */
    this.facets = new Map(Object.entries(facets));
    /** @type {Problem[]} */
    this.problems = problems;
    /** Keys of what is selected: see model.js. @type {Set<string>} */
    this.selection = new Set();
    /** Where things are while they are being dragged; the flow learns it on release. @type {Map<string, Point>} */
    this.lifted = new Map();
    /** Numbers under "entered", "waiting" and so on by step, and by "step port". */
    this.counters = { nodes: /** @type {Record<string, any>} */ ({}), ports: /** @type {Record<string, number>} */ ({}) };
    this.now = now;
    /** @type {Map<string, Set<(detail: any) => void>>} */
    this.listeners = new Map();
    /** @type {Map<string, Port[]>} */
    this.portsSeen = new Map();
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * @param {EventName} event @param {(detail: any) => void} listener
   * @returns {() => void} stops listening
   */
  on(event, listener) {
    const listeners = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** @param {EventName} event @param {any} [detail] */
  emit(event, detail) {
    for (const listener of this.listeners.get(event) ?? []) listener(detail);
  }

  // ── change ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Does one thing the person can undo. The only writer of the flow.
   * @param {string} label said in "Undo: …" @param {Op[]} ops
   * @param {{key?: string | null, select?: Iterable<string>}} [options] the same key within 800 ms makes one step
   * @returns {boolean} false when nothing was to be done or the page only reads
   */
  commit(label, ops, { key = null, select } = {}) {
    if (this.readOnly || !ops.length) return false;
    applyAll(this.flow, ops);
    this.history.push(label, ops, { key, at: this.now() });
    this.changed(ops, label, "commit", key);
    if (select) this.select(select);
    return true;
  }

  /** @returns {string | null} what was undone */
  undo() {
    if (this.readOnly) return null;
    const entry = this.history.undo();
    return entry ? this.replay(invertAll(entry.ops), entry.label, "undo") : null;
  }

  /** @returns {string | null} what was done again */
  redo() {
    if (this.readOnly) return null;
    const entry = this.history.redo();
    return entry ? this.replay(entry.ops, entry.label, "redo") : null;
  }

  /** @param {Op[]} ops @param {string} label @param {"undo" | "redo"} cause */
  replay(ops, label, cause) {
    try {
      applyAll(this.flow, ops);
    } catch {
      // What it was about has been changed by somebody else meanwhile; the flow is as it was.
      this.emit("stale", { label });
      this.emit("history", { undo: this.history.undoLabel, redo: this.history.redoLabel });
      return null;
    }
    this.changed(ops, label, cause, null);
    const seen = [...touched(ops).nodes].filter((id) => this.flow.steps.has(id));
    if (seen.length) this.emit("reveal", { ids: seen, focus: false });
    return label;
  }

  /** Takes in what somebody else did to the draft: nothing to undo here. @param {Op[]} ops */
  absorb(ops) {
    if (!ops.length) return;
    applyAll(this.flow, ops);
    this.changed(ops, "", "merge", null);
  }

  /** @param {Op[]} ops @param {string} label @param {Change["cause"]} cause @param {string | null} key */
  changed(ops, label, cause, key) {
    const about = touched(ops);
    for (const id of about.nodes) this.portsSeen.delete(id);
    this.emit("change", { ops, label, cause, key, touched: about });
    this.emit("history", { undo: this.history.undoLabel, redo: this.history.redoLabel });
    const left = [...this.selection].filter((one) => this.has(one));
    if (left.length < this.selection.size) this.select(left);
  }

  /**
   * Another document in place of this one, after a merge or a restore. The history starts anew.
   * @param {any} document @param {{facets?: Record<string, Facet>, problems?: Problem[]}} [more]
   */
  load(document, { facets, problems } = {}) {
    this.flow = Flow.fromDocument(document);
    this.history.clear();
    this.lifted.clear();
    this.portsSeen.clear();
    if (facets) this.facets = new Map(Object.entries(facets));
    if (problems) this.problems = problems;
    this.emit("load", {});
    this.emit("history", { undo: null, redo: null });
    this.select([...this.selection].filter((key) => this.has(key)));
  }

  /**
   * Gives a place to a step that came without one. No change to be saved or undone: only before the page is drawn.
   * @param {string} id @param {Point} at
   */
  place(id, at) {
    const step = this.flow.steps.get(id);
    if (step) this.flow.steps.set(id, { ...step, ...at });
  }

  // ── selection ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {Iterable<string>} keys @param {{add?: boolean}} [options] */
  select(keys, { add = false } = {}) {
    const next = new Set([...(add ? this.selection : []), ...keys].filter((key) => this.has(key)));
    const before = this.selection;
    if (next.size === before.size && [...next].every((key) => before.has(key))) return;
    this.selection = next;
    this.emit("selection", { keys: next, before });
  }

  /** @param {string} key */
  toggle(key) {
    this.select(this.selection.has(key) ? [...this.selection].filter((one) => one !== key) : [...this.selection, key]);
  }

  /** The ids of selected steps. @returns {string[]} */
  selectedSteps() {
    return [...this.selection].filter((key) => kindOf(key) === "step");
  }

  /** Brings a step into view, and gives it the focus. @param {string} id @param {{focus?: boolean}} [options] */
  reveal(id, { focus = true } = {}) {
    this.emit("reveal", { ids: [id], focus });
  }

  /** Whether something of this key is there. @param {string} key */
  has(key) {
    const { steps, wires, notes, groups } = this.flow;
    return { step: steps, wire: wires, note: notes, group: groups }[kindOf(key)].has(idOf(key));
  }

  // ── what the server says ───────────────────────────────────────────────────────────────────────────────────────

  /** @param {Record<string, Facet>} facets of some steps or of all */
  setFacets(facets) {
    const ids = Object.keys(facets);
    for (const id of ids) {
      this.facets.set(id, facets[id]);
      this.portsSeen.delete(id);
    }
    this.emit("facets", { ids });
  }

  /** @param {Problem[]} problems */
  setProblems(problems) {
    this.problems = problems;
    this.emit("problems", { problems });
  }

  // ── sizes and places ───────────────────────────────────────────────────────────────────────────────────────────

  /** The name of a step as people see it. @param {string} id */
  titleOf(id) {
    const step = this.flow.steps.get(id);
    return step?.name || this.facets.get(id)?.title || this.types[step?.type ?? ""]?.title || step?.type || id;
  }

  /**
   * The ports of a step: as its facet says, else as its type does; a wired port nobody declares any more is shown
   * as gone, so that nobody loses a wire unseen.
   * @param {string} id @returns {Port[]}
   */
  portsOf(id) {
    const seen = this.portsSeen.get(id);
    if (seen) return seen;
    const step = this.flow.steps.get(id);
    const declared = this.facets.get(id)?.ports ?? this.types[step?.type ?? ""]?.ports ?? [];
    const names = new Set(declared.map((port) => port.name));
    const gone = this.flow.wiresFrom(id).filter((wire) => !names.has(wire.port));
    const ports = [...declared, ...gone.map(({ port }) => ({ name: port, label: port, gone: true }))];
    this.portsSeen.set(id, ports);
    return ports;
  }

  /** Where a step's card is now, dragged or not. @param {string} id @returns {Rect} */
  rectOf(id) {
    const at = this.lifted.get(id) ?? this.flow.steps.get(id);
    return { x: at?.x ?? 0, y: at?.y ?? 0, width: CARD.width, height: cardHeight(this.portsOf(id).length) };
  }

  /** @param {string} id @param {string} port @returns {Point} */
  outletOf(id, port) {
    return portAnchor(this.rectOf(id), Math.max(0, this.portsOf(id).findIndex((one) => one.name === port)));
  }

  /** @param {string} id @returns {Point} */
  inletOf(id) {
    return inputAnchor(this.rectOf(id));
  }

  /** A note hangs above its step until it has been placed by hand. @param {string} id @returns {Rect} */
  noteRect(id) {
    const note = this.flow.notes.get(id);
    const [width, height] = [note?.width ?? NOTE.width, note?.height ?? NOTE.height];
    const lifted = this.lifted.get(noteKey(id));
    if (lifted) return { ...lifted, width, height };
    const home = note?.node && this.flow.steps.has(note.node) ? this.rectOf(note.node) : { x: 0, y: 0 };
    return { x: note?.x ?? home.x, y: note?.y ?? home.y - height - 16, width, height };
  }

  /** The frame around a group's steps; null while it has none. @param {string} id @returns {Rect | null} */
  groupRect(id) {
    const steps = (this.flow.groups.get(id)?.nodes ?? []).filter((one) => this.flow.steps.has(one));
    const inner = around(steps.map((one) => this.rectOf(one)));
    if (!inner) return null;
    const { pad, title } = GROUP;
    return {
      x: inner.x - pad, y: inner.y - pad - title, width: inner.width + 2 * pad, height: inner.height + 2 * pad + title,
    };
  }

  /** The rectangle of anything that can be selected, wires apart. @param {string} key @returns {Rect | null} */
  rectOfKey(key) {
    if (!this.has(key)) return null;
    const kind = kindOf(key);
    if (kind === "step") return this.rectOf(key);
    if (kind === "note") return this.noteRect(idOf(key));
    return kind === "group" ? this.groupRect(idOf(key)) : null;
  }

  /** Everything there is. @returns {Rect | null} */
  bounds() {
    const keys = [...this.flow.steps.keys(), ...[...this.flow.notes.keys()].map(noteKey)];
    const frames = [...this.flow.groups.keys()].map(groupKey);
    return around([...keys, ...frames].map((key) => this.rectOfKey(key)).filter((rect) => rect !== null));
  }
}
