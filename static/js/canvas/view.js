// What is seen: cards, wires, notes and frames near the view, drawn once a frame; never changes the journey.

import { h } from "../dom.js";
import { Card } from "./card.js";
import { around, gridOf, inflate, intersects as meets } from "./geometry.js";
import { GhostLayer } from "./ghosts.js";
import { GroupItem } from "./groups.js";
import { Layer } from "./layer.js";
import { groupKey, idOf, kindOf, noteKey } from "./model.js";
import { Mounting } from "./mounting.js";
import { NoteItem } from "./notes.js";
import { NONE, overlayFor } from "./overlay.js";
import { Overview } from "./overview.js";
import { Places } from "./places.js";
import { WireLayer, svg } from "./wires.js";

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./viewport.js").Viewport} Viewport
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{errors: number, warnings: number, texts: string[]}} Issues
 */

const OVERVIEW = { below: 0.45, above: 150, slack: 0.03 };
/** When more steps than this change at once, every wire is run anew. */
const MANY = 200;
/** Below this zoom cards show their titles only. */
const LESS = 0.55;

export class View {
  /** @param {Editor} editor @param {Viewport} viewport @param {HTMLElement} root */
  constructor(editor, viewport, root) {
    this.editor = editor;
    this.viewport = viewport;
    this.root = root;
    this.places = new Places();
    /** Classes put on steps and wires by other parts. @type {Map<string, Set<string>>} */
    this.marks = new Map();
    /** @type {Map<string, Issues>} */
    this.issues = new Map();
    this.overlay = NONE;
    /** @type {{name: string | null, data: any}} */
    this.overlaid = { name: null, data: null };
    /** From where on boxes stand for cards; a bench sets `above` to Infinity to have every card in the page. */
    this.far = { ...OVERVIEW };
    this.pending = 0;
    /** Whether nothing of this journey has been drawn. */
    this.fresh = true;
    /** Whether the last frame was drawn from afar. */
    this.afar = false;
    /** Where the page was last made to match the view. @type {{x: number, y: number, zoom: number} | null} */
    this.culled = null;
    this.mounting = new Mounting(this);
    const wires = svg("svg", "wires");
    wires.setAttribute("aria-hidden", "true");
    const [frames, cards, notes] = ["frames", "cards", "notes"].map((name) => h("div", { class: name }));
    /** The one element that is moved and scaled. */
    this.world = h("div", { class: "world" }, frames, wires, cards, notes);
    this.root.append(this.world);
    this.wires = new WireLayer(this, wires);
    this.cards = new Layer(cards, (id) => new Card(this, id));
    this.notes = new Layer(notes, (key) => new NoteItem(this, key));
    this.frames = new Layer(frames, (key) => new GroupItem(this, key));
    this.ghosts = new GhostLayer(this, cards, wires);
    this.overview = new Overview(this);
    this.listen();
    this.reload();
  }

  listen() {
    const { editor } = this;
    this.viewport.onChange = () => {
      this.schedule({ moved: true });
      editor.emit("viewport", this.viewport);
    };
    editor.on("load", () => this.reload());
    editor.on("change", ({ touched }) => this.changed(touched));
    editor.on("facets", ({ ids }) => this.restep(ids));
    editor.on("problems", () => this.reissue());
    editor.on("selection", ({ keys, before }) => this.refresh([...keys, ...before].filter((key) => !(keys.has(key) && before.has(key)))));
    editor.on("reveal", ({ ids, focus }) => this.reveal(ids, focus));
    // The browser scrolls to what is focused or found; here only the viewport moves.
    this.root.addEventListener("scroll", () => this.root.scrollTo(0, 0));
  }

  // ── reading the journey ────────────────────────────────────────────────────────────────────────────────────────

  /** Everything anew. */
  reload() {
    for (const layer of [this.cards, this.notes, this.frames, this.wires]) layer.clear();
    this.places.clear();
    for (const id of this.editor.flow.steps.keys()) this.places.set(id, this.editor.rectOf(id));
    this.reissue();
    this.culled = null;
    this.fresh = true;
    this.schedule();
  }

  /** @param {import("./ops.js").Touched} touched */
  changed(touched) {
    const gone = (/** @type {string} */ key) => !this.editor.has(key);
    for (const id of touched.nodes) if (gone(id)) this.cards.forget(id);
    for (const id of touched.notes) if (gone(noteKey(id))) this.notes.forget(noteKey(id));
    for (const id of touched.groups) if (gone(groupKey(id))) this.frames.forget(groupKey(id));
    this.wires.rerun(touched.wires);
    this.restep(touched.nodes);
    this.notes.refresh([...touched.notes].map(noteKey));
    this.frames.refresh([...touched.groups].map(groupKey));
  }

  /** Steps whose place, size or content differs: their cards, their wires, those they stand in the way of.
   * @param {Iterable<string>} ids */
  restep(ids) {
    const { flow } = this.editor;
    const [wires, cards] = [new Set(), new Set(ids)];
    const many = cards.size > MANY;
    if (many) for (const key of flow.wires.keys()) wires.add(key);
    for (const id of ids) {
      const before = this.places.rects.get(id);
      const now = flow.steps.has(id) ? this.editor.rectOf(id) : null;
      for (const wire of flow.wiresOf(id)) wires.add(`${wire.from} ${wire.port}`);
      for (const wire of flow.wiresTo(id)) cards.add(wire.from);
      if (before && now && same(before, now)) continue;
      for (const rect of many ? [] : [before, now]) if (rect) for (const key of this.wires.through(inflate(rect, 4))) wires.add(key);
      if (now) this.places.set(id, now);
      else this.places.delete(id);
    }
    this.wires.rerun(wires);
    this.cards.refresh(cards);
    this.reframe(new Set(ids));
    this.culled = null;
    this.schedule();
  }

  /** Frames and hanging notes follow their steps. @param {Set<string>} ids */
  reframe(ids) {
    const { flow } = this.editor;
    const frames = [...flow.groups.values()].filter((group) => group.nodes.some((id) => ids.has(id)));
    const notes = [...flow.notes.values()].filter((note) => note.node && ids.has(note.node));
    this.frames.refresh(frames.map((group) => groupKey(group.id)));
    this.notes.refresh(notes.map((note) => noteKey(note.id)));
  }

  /** What the server finds wrong, by step. */
  reissue() {
    const before = [...this.issues.keys()];
    this.issues = new Map();
    for (const { node, severity, text } of this.editor.problems) {
      if (!node) continue;
      const issues = this.issues.get(node) ?? { errors: 0, warnings: 0, texts: [] };
      issues[severity === "error" ? "errors" : "warnings"] += 1;
      issues.texts.push(text);
      this.issues.set(node, issues);
    }
    this.refresh([...before, ...this.issues.keys()]);
  }

  /** Reads the look of some things again. @param {Iterable<string>} keys of the selection */
  refresh(keys) {
    for (const key of keys) {
      const layer = { step: this.cards, wire: this.wires.layer, note: this.notes, group: this.frames }[kindOf(key)];
      layer.refresh([key]);
    }
    this.schedule();
  }

  /** Things being dragged: only their places are read. @param {Iterable<string>} keys */
  lift(keys) {
    const { editor } = this;
    const [wires, steps] = [new Set(), new Set()];
    for (const key of keys) {
      if (kindOf(key) === "note") this.notes.mounted.get(key)?.place();
      if (kindOf(key) !== "step") continue;
      steps.add(key);
      this.places.set(key, editor.rectOf(key));
      this.cards.mounted.get(key)?.place();
      for (const wire of editor.flow.wiresOf(key)) wires.add(`${wire.from} ${wire.port}`);
    }
    this.wires.rerun(wires);
    this.reframe(steps);
    this.culled = null;
    this.schedule();
  }

  // ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Draws with the next frame. @param {{moved?: boolean}} [options] `moved`: only the view did, nothing in it */
  schedule({ moved = false } = {}) {
    if (!moved) this.overview.stale = true;
    this.pending ||= requestAnimationFrame(() => this.flush({ whole: this.fresh }));
  }

  /** Draws now what would be drawn with the next frame. @param {{whole?: boolean}} [options] `whole`: however long it takes */
  flush({ whole = true } = {}) {
    cancelAnimationFrame(this.pending);
    this.pending = 0;
    const far = this.isOverview();
    this.afar = far;
    // Kept as it is while it is not seen: taken out of the page, all of it would be styled and laid out anew.
    const hidden = far ? "hidden" : "";
    if (this.world.style.contentVisibility !== hidden) this.world.style.contentVisibility = hidden;
    if (!far) this.near(whole);
    if (!this.root.dataset.detail || this.fresh || far) this.detail();
    this.fresh = false;
    this.overview.show(far ? "alone" : this.mounting.bare ? "below" : "no");
    this.onDraw();
    this.mounting.later();
  }

  /** The elements themselves. @param {boolean} whole */
  near(whole) {
    const { zoom } = this.viewport;
    const { x, y } = this.viewport.corner();
    this.grid();
    this.world.style.transform = `translate(${x}px,${y}px) scale(${zoom})`;
    this.mounting.mount(whole);
    // Until all cards are there, the picture from afar stands in for them, lines and all.
    const opacity = this.mounting.bare ? "0" : "";
    if (this.wires.host.style.opacity !== opacity) this.wires.host.style.opacity = opacity;
  }

  /** How much a card tells. All of them are styled and laid out anew by it, so a zoom under way leaves it as it was. */
  detail() {
    const detail = this.viewport.zoom < LESS ? "less" : "full";
    if (this.root.dataset.detail !== detail) this.root.dataset.detail = detail;
  }

  /** Somebody who draws along: the small map. */
  onDraw() {}

  /** Whether boxes stand for cards; a little later than that the way back, so that a hand at the border tears nothing. */
  isOverview() {
    const { below, above, slack } = this.far;
    return this.viewport.zoom < (this.afar ? below + slack : below) && this.editor.flow.steps.size > above;
  }

  /** The dots move with the world. Written as plain properties: a custom one would restyle every card. */
  grid() {
    const { gap, x, y } = gridOf(this.viewport);
    const { style } = this.root;
    const size = `${gap}px ${gap}px`;
    if (style.backgroundSize !== size) style.backgroundSize = size;
    style.backgroundPosition = `${x}px ${y}px`;
  }

  /** Brings steps into view; with focus, the first one has it afterwards. @param {string[]} ids @param {boolean} focus */
  reveal(ids, focus) {
    const rects = ids.filter((id) => this.editor.flow.steps.has(id)).map((id) => this.editor.rectOf(id));
    const seen = this.viewport.visible();
    const all = around(rects);
    if (!all || (!focus && rects.some((rect) => meets(rect, seen)))) return;
    if (focus && this.isOverview()) this.viewport.centerOn({ x: all.x + all.width / 2, y: all.y + all.height / 2 }, { zoom: 0.72 });
    else this.viewport.reveal(all);
    if (!focus) return;
    this.flush();
    this.cards.ensure(ids[0]).element.focus({ preventScroll: true });
  }

  // ── what other parts lay over the journey ──────────────────────────────────────────────────────────────────────

  /** Puts a class on a step or a wire, or takes it away. @param {string} key @param {string} className @param {boolean} [on] */
  mark(key, className, on = true) {
    const names = this.marks.get(key) ?? new Set();
    if (names.has(className) === on) return;
    if (on) names.add(className);
    else names.delete(className);
    this.marks.set(key, names);
    this.refresh([key]);
  }

  /**
   * Live numbers: what changed only. Written as text into cards that are in the page, remembered for the others.
   * @param {{nodes?: Record<string, any>, ports?: Record<string, number>, totals?: Record<string, number>}} delta
   */
  setCounters({ nodes = {}, ports = {}, totals }) {
    const { counters } = this.editor;
    const ids = new Set(Object.keys(nodes));
    for (const [id, one] of Object.entries(nodes)) counters.nodes[id] = { ...counters.nodes[id], ...one };
    for (const [key, count] of Object.entries(ports)) {
      counters.ports[key] = count;
      ids.add(key.slice(0, key.indexOf(" ")));
    }
    for (const id of ids) {
      const card = this.cards.mounted.get(id);
      if (card) card.syncCounts();
      else this.cards.stale.add(id);
    }
    if (this.overlaid.name === "heat") this.setOverlay("heat", this.overlaid.data);
    if (this.isOverview()) this.schedule();
    this.editor.emit("counters", { nodes, ports, totals });
  }

  /** All numbers of another period or version. */
  clearCounters() {
    this.editor.counters.nodes = {};
    this.editor.counters.ports = {};
    this.cards.refreshAll();
  }

  /** @param {"diff" | "heat" | "path" | null} name @param {any} [data] */
  setOverlay(name, data = null) {
    this.overlaid = { name, data };
    this.overlay = overlayFor(name, data, this.editor.counters);
    this.root.dataset.overlay = this.overlay.name ?? "";
    this.cards.refreshAll();
    this.wires.layer.refreshAll();
    this.ghosts.show(this.overlay);
    this.schedule();
    this.editor.emit("overlay", { name, data });
  }

  // ── asking what is where ───────────────────────────────────────────────────────────────────────────────────────

  /** The class of a step's hue. @param {string} type */
  hueOf(type) {
    const { hue, group } = this.editor.types[type] ?? {};
    const name = hue ?? group ?? "";
    return /^[a-z]+$/.test(name) ? name : "flow";
  }

  /** The element of a step, in the page or not. @param {string} id @returns {HTMLElement | null} */
  cardElement(id) {
    return this.cards.mounted.get(id)?.element ?? null;
  }

  /** Everything a rectangle of the world meets, wires apart. @param {Rect} area @returns {string[]} */
  keysIn(area) {
    const { flow } = this.editor;
    const notes = [...flow.notes.keys()].map(noteKey);
    return [...this.places.meeting(area), ...notes.filter((key) => meets(this.editor.noteRect(idOf(key)), area))];
  }
}

/** @param {Rect} one @param {Rect} other */
const same = (one, other) => one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height;
