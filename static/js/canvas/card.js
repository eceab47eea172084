// One step as a card; what operators and plugins wrote is only ever text.

import { h, icon, nodeIcon } from "../dom.js";
import { _, ngettext, shortNumber } from "../i18n.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./model.js").Port} Port
 * @typedef {{row: HTMLElement, label: Text, count: Text, shown: string}} Row
 */

/** @type {HTMLElement | null} */
let drawn = null;

/** An empty card to make others from: copying one is several times faster than building it. */
function pattern() {
  drawn ??= h(
    "div",
    { class: "card", role: "group", tabindex: -1, "aria-roledescription": _("step") },
    h(
      "div", { class: "face" },
      h("span", { class: "tile" }),
      h("div", { class: "words" }, h("b", { class: "title" }), h("span", { class: "summary" })),
      h("span", { class: "badges" }),
    ),
    h("div", { class: "ports" }),
    h("button", { type: "button", class: "here", tabindex: -1, hidden: true }),
    h("span", { class: "chip", hidden: true }),
    h("span", { class: "inlet" }),
  );
  return drawn;
}

export class Card {
  /** @param {View} view @param {string} id */
  constructor(view, id) {
    this.view = view;
    this.key = id;
    this.type = "";
    this.ports = "";
    this.className = "";
    this.waiting = "";
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.element = /** @type {HTMLElement} */ (pattern().cloneNode(true));
    this.element.dataset.id = id;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (this.element.querySelector(`.${name}`));
    this.tile = part("tile");
    this.title = part("title");
    this.summary = part("summary");
    this.badges = part("badges");
    this.body = part("ports");
    this.here = part("here");
    this.chip = part("chip");
  }

  /** Reads everything the card shows anew; writes only what differs. */
  sync() {
    const { editor } = this.view;
    const step = editor.flow.steps.get(this.key);
    if (!step) return;
    const title = editor.titleOf(this.key);
    const summary = editor.facets.get(this.key)?.summary ?? editor.types[step.type]?.help ?? "";
    if (this.type !== step.type) this.tile.replaceChildren(editor.types[step.type] ? nodeIcon(step.type) : icon("circle-help"));
    this.type = step.type;
    say(this.title, title);
    say(this.summary, summary);
    this.element.title = summary ? `${title}\n${summary}` : title;
    this.syncPorts(editor.portsOf(this.key));
    this.syncLook();
    this.syncCounts();
    this.place();
  }

  place() {
    const { x, y } = this.view.editor.rectOf(this.key);
    this.element.style.transform = `translate(${x}px,${y}px)`;
  }

  /** @param {Port[]} ports */
  syncPorts(ports) {
    const { flow } = this.view.editor;
    const signature = ports.map((port) => `${port.name}\t${port.label}\t${port.gone ?? ""}`).join("\n");
    if (signature !== this.ports || !this.body.childNodes.length) {
      this.ports = signature;
      this.rows = new Map(ports.map((port) => [port.name, portRow(port)]));
      const end = h("div", { class: "port end" }, icon("flag"), _("ends here"));
      this.body.replaceChildren(...(ports.length ? [...this.rows.values()].map(({ row }) => row) : [end]));
    }
    for (const [name, { row }] of this.rows) row.classList.toggle("open", !flow.wireAt(this.key, name));
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
    this.chip.hidden = !look?.label;
    say(this.chip, look?.label ?? "");
    this.badges.replaceChildren(...badgesFor(issues));
    this.element.setAttribute("aria-label", this.spoken(issues));
    this.tile.title = names.includes("unpublished") ? _("Changed since it was published") : "";
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
      if (text !== row.shown) row.count.data = row.shown = text;
    }
    const waiting = nodes[this.key]?.waiting ?? 0;
    const text = waiting ? shortNumber(waiting) : "";
    if (text === this.waiting) return;
    this.waiting = text;
    this.here.hidden = !text;
    if (!text) return;
    say(this.here, text);
    const all = ngettext("%(count)s person is here now", "%(count)s people are here now", waiting);
    this.here.title = all;
    this.here.setAttribute("aria-label", all);
  }
}

/** @param {Port} port @returns {Row} */
function portRow(port) {
  const label = document.createTextNode(port.label);
  const count = document.createTextNode("");
  const row = h(
    "div",
    { class: port.gone ? "port gone" : "port", dataset: { port: port.name }, title: port.label },
    h("span", { class: "label" }, label), h("span", { class: "count" }, count), h("span", { class: "ring" }),
  );
  return { row, label, count, shown: "" };
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
