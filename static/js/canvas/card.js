// One step as a card; what operators and plugins wrote is only ever text.

import { h, icon, typeDrawing } from "../dom.js";
import { _, ngettext, shortNumber } from "../i18n.js";
import { svg } from "./wires.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./model.js").Port} Port
 * @typedef {{row: HTMLElement, count: Text | null, shown: string, open: boolean}} Row
 */

const FLAG = "M4 22V4a1 1 0 0 1 .4-.8A6 6 0 0 1 8 2c3 0 5 2 7.333 2q2 0 3.067-.8A1 1 0 0 1 20 4v10a1 1 0 0 1-.4.8"
  + "A6 6 0 0 1 16 16c-3 0-5-2-8-2a6 6 0 0 0-4 1.528";

/** Cards to copy others from, by type and ports: copying one is several times faster than building it. @type {Map<string, HTMLElement>} */
const patterns = new Map();

/** @param {string} type @param {boolean} known @param {Port[]} ports @param {string} signature */
function pattern(type, known, ports, signature) {
  const name = `${type}\n${known}\n${signature}`;
  const made = patterns.get(name) ?? h(
    "div",
    { class: "card", role: "group", tabindex: -1, "aria-roledescription": _("step") },
    h(
      "div", { class: "face" },
      h("span", { class: "tile" }, known ? typeDrawing(type) : icon("circle-help")),
      h("div", { class: "words" }, h("b", { class: "title" }), h("span", { class: "summary" })),
    ),
    h("div", { class: "ports" }, ...rowsFor(ports)),
  );
  patterns.set(name, made);
  return made;
}

/** @param {Port[]} ports */
const signatureOf = (ports) => ports.map((port) => `${port.name}\t${port.label}\t${port.gone ?? ""}`).join("\n");

export class Card {
  /** @param {View} view @param {string} id */
  constructor(view, id) {
    this.view = view;
    this.key = id;
    const { editor } = view;
    const ports = editor.portsOf(id);
    this.type = editor.flow.steps.get(id)?.type ?? "";
    this.ports = signatureOf(ports);
    this.className = "";
    this.waiting = "";
    /** What was written last, so that only what differs is written. */
    this.at = "";
    this.titled = "";
    this.summed = "";
    this.badged = "";
    /** @type {Map<string, string>} */
    this.said = new Map();
    this.element = /** @type {HTMLElement} */ (pattern(this.type, this.type in editor.types, ports, this.ports).cloneNode(true));
    this.element.dataset.id = id;
    // By their places and not by name: looking for names would cost as much as all the rest.
    const [face, body] = /** @type {Iterable<HTMLElement>} */ (this.element.children);
    const [tile, words] = /** @type {Iterable<HTMLElement>} */ (face.children);
    const [title, summary] = /** @type {Iterable<HTMLElement>} */ (words.children);
    this.parts = { face, body, tile, title, summary };
    /** What few cards have is made for those. @type {HTMLElement | null} */
    this.badges = null;
    /** @type {HTMLElement | null} */
    this.chip = null;
    /** @type {HTMLElement | null} */
    this.here = null;
    this.rows = rowsIn(body, ports);
  }

  /** Reads everything the card shows anew; writes only what differs. */
  sync() {
    const { editor } = this.view;
    const step = editor.flow.steps.get(this.key);
    if (!step) return;
    const title = editor.titleOf(this.key);
    const summary = editor.facets.get(this.key)?.summary ?? editor.types[step.type]?.help ?? "";
    if (this.type !== step.type) this.parts.tile.replaceChildren(step.type in editor.types ? typeDrawing(step.type) : icon("circle-help"));
    this.type = step.type;
    if (title !== this.titled) this.parts.title.textContent = this.titled = title;
    if (summary !== this.summed) this.parts.summary.textContent = this.summed = summary;
    this.tell("title", summary ? `${title}\n${summary}` : title);
    this.syncPorts(editor.portsOf(this.key));
    this.syncLook();
    this.syncCounts();
    this.place();
  }

  /** Writes an attribute that differs. @param {string} name @param {string} text */
  tell(name, text) {
    if (this.said.get(name) === text) return;
    this.said.set(name, text);
    this.element.setAttribute(name, text);
  }

  place() {
    const { x, y } = this.view.editor.rectOf(this.key);
    const at = `translate(${x}px,${y}px)`;
    if (at !== this.at) this.element.style.transform = this.at = at;
  }

  /** @param {Port[]} ports */
  syncPorts(ports) {
    const { flow } = this.view.editor;
    const signature = signatureOf(ports);
    if (signature !== this.ports) {
      this.ports = signature;
      this.parts.body.replaceChildren(...rowsFor(ports));
      this.rows = rowsIn(this.parts.body, ports);
    }
    for (const [name, row] of this.rows) {
      const open = !flow.wireAt(this.key, name);
      if (open !== row.open) row.row.classList.toggle("open", (row.open = open));
    }
  }

  /** Classes, badges, the label of an overlay, the name for screen readers. */
  syncLook() {
    const { view, key } = this;
    const look = view.overlay.card(key);
    const issues = view.issues.get(key);
    const names = ["card", view.hueOf(this.type), ...(view.marks.get(key) ?? [])];
    if (view.editor.selection.has(key)) names.push("selected");
    if (issues) names.push(issues.errors ? "wrong" : "doubtful");
    if (look?.className) names.push(look.className);
    if (view.editor.types[this.type]?.is_entry) names.push("starts");
    const className = names.join(" ");
    if (className !== this.className) this.element.className = this.className = className;
    if (look?.label && !this.chip) this.element.append(this.chip = h("span", { class: "chip" }));
    if (this.chip && this.chip.hidden !== !look?.label) this.chip.hidden = !look?.label;
    if (this.chip) say(this.chip, look?.label ?? "");
    const badged = issues ? [issues.errors, issues.warnings, ...issues.texts].join("\n") : "";
    if (badged && !this.badges) this.parts.face.append(this.badges = h("span", { class: "badges" }));
    if (badged !== this.badged) this.badges?.replaceChildren(...badgesFor(issues));
    this.badged = badged;
    const since = names.includes("unpublished");
    if (since !== Boolean(this.parts.tile.title)) this.parts.tile.title = since ? _("Changed since it was published") : "";
    this.tell("aria-label", this.spoken(issues));
  }

  /** @param {import("./view.js").Issues | undefined} issues */
  spoken(issues) {
    const { editor } = this.view;
    const type = editor.types[this.type]?.title ?? this.type;
    const title = editor.titleOf(this.key);
    const count = (issues?.errors ?? 0) + (issues?.warnings ?? 0);
    const ways = editor.portsOf(this.key).map((port) => {
      const wire = editor.flow.wireAt(this.key, port.name);
      const values = { port: port.label, step: wire ? editor.titleOf(wire.to) : "" };
      return wire ? _("%(port)s leads to %(step)s", values) : _("%(port)s is open", values);
    });
    const problems = count ? ngettext("%(count)s problem", "%(count)s problems", count) : "";
    const since = this.view.marks.get(this.key)?.has("unpublished") ? _("changed since it was published") : "";
    return [type === title ? title : `${type}: ${title}`, problems, since, ...ways].filter(Boolean).join(". ");
  }

  /** Numbers: text nodes only, and only those that differ. */
  syncCounts() {
    const { nodes, ports } = this.view.editor.counters;
    for (const [name, row] of this.rows) {
      const value = ports[`${this.key} ${name}`];
      const text = value === undefined ? "" : shortNumber(value);
      if (text === row.shown) continue;
      row.count ??= counted(row.row);
      row.count.data = row.shown = text;
    }
    const waiting = nodes[this.key]?.waiting ?? 0;
    const text = waiting ? shortNumber(waiting) : "";
    if (text === this.waiting) return;
    this.waiting = text;
    this.here ??= this.element.appendChild(h("button", { type: "button", class: "here", tabindex: -1 }));
    this.here.hidden = !text;
    if (!text) return;
    say(this.here, text);
    const all = ngettext("%(count)s person is here now", "%(count)s people are here now", waiting);
    this.here.title = all;
    this.here.setAttribute("aria-label", all);
  }
}

/** Lucide's flag with its line in it: what refers to the sprite is there a frame later, and then every card is painted again. */
function flag() {
  const [drawing, line] = [svg("svg", "ico"), svg("path", "")];
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("viewBox", "0 0 24 24");
  line.setAttribute("d", FLAG);
  drawing.append(line);
  return drawing;
}

/** @param {Port[]} ports */
function rowsFor(ports) {
  if (!ports.length) return [h("div", { class: "port end" }, flag(), _("ends here"))];
  return ports.map((port) => h(
    "div",
    { class: port.gone ? "port gone" : "port", dataset: { port: port.name }, title: port.label },
    h("span", { class: "label" }, port.label), h("span", { class: "ring" }),
  ));
}

/** Room for a number, which a draft has none of. @param {HTMLElement} row */
function counted(row) {
  const text = new Text();
  /** @type {Element} */ (row.lastElementChild).before(h("span", { class: "count" }, text));
  return text;
}

/** The rows that stand in a card, by port. @param {HTMLElement} body @param {Port[]} ports @returns {Map<string, Row>} */
function rowsIn(body, ports) {
  return new Map(ports.map((port, place) => {
    const row = /** @type {HTMLElement} */ (body.children[place]);
    return [port.name, { row, count: null, shown: "", open: false }];
  }));
}

/** @param {import("./view.js").Issues | undefined} issues */
function badgesFor(issues) {
  if (!issues) return [];
  const kind = issues.errors ? "bad" : "warn";
  const count = issues.errors || issues.warnings;
  return [h("span", { class: `badge ${kind}`, title: issues.texts.join("\n") }, icon("triangle-alert"), String(count))];
}

/** @param {HTMLElement} element @param {string} text */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
