// The journey as a nested list: everything that can be done on the canvas, without it. The same ops, the same undo.

import { h, icon, nodeIcon } from "../dom.js";
import { _, ngettext } from "../i18n.js";
import { cut } from "./connect.js";
import { freePort, moving } from "./insert.js";
import { wireKey } from "./model.js";
import { openMenu } from "./popup.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {{canvas: Canvas, root: HTMLElement, picker: import("./popup.js").Picker, deeds: import("./deeds.js").Deeds | null,
 *   adding: import("./adding.js").Adding | null}} Hands
 */

/** @param {Hands} hands */
export function attachOutline(hands) {
  const { canvas, root } = hands;
  const { editor } = canvas;
  let pending = 0;
  const draw = () => {
    pending = 0;
    if (root.hidden) return;
    const at = document.activeElement;
    const focused = at instanceof HTMLElement && root.contains(at) ? at.dataset.at : null;
    root.replaceChildren(...new Drawing(hands).all());
    if (focused) /** @type {HTMLElement | null} */ (root.querySelector(`[data-at="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  };
  const soon = () => { pending ||= requestAnimationFrame(draw); };
  for (const event of /** @type {const} */ (["change", "load", "facets", "problems", "selection"])) editor.on(event, soon);
  return {
    toggle: (/** @type {boolean} */ open) => {
      root.hidden = !open;
      canvas.view.root.inert = open;
      if (!open) return;
      draw();
      /** @type {HTMLElement | null} */ (root.querySelector("button"))?.focus();
    },
  };
}

class Drawing {
  /** @param {Hands} hands */
  constructor({ canvas, picker, deeds, adding }) {
    this.canvas = canvas;
    this.editor = canvas.editor;
    this.picker = picker;
    this.deeds = deeds;
    this.adding = adding;
    /** Steps that stand in the list already. */
    this.seen = new Set();
  }

  all() {
    const { editor } = this;
    const steps = [...editor.flow.steps.values()];
    const starts = steps.filter((step) => editor.types[step.type]?.is_entry);
    const loose = steps.filter((step) => !starts.includes(step) && !editor.flow.wiresTo(step.id).length);
    const parts = starts.map((step) => this.path(step.id));
    const rest = [...loose, ...steps].filter((step) => !this.seen.has(step.id) && !starts.includes(step));
    const apart = [];
    for (const step of rest) if (!this.seen.has(step.id)) apart.push(this.path(step.id));
    const words = ngettext("%(count)s step", "%(count)s steps", steps.length);
    const add = this.adding ? this.button("add first", "plus", _("Add a step"), (at) => this.adding?.ask({}, at), true) : null;
    return [
      h("header", {}, h("h2", {}, _("The journey as a list")), h("span", { class: "faint" }, words), add),
      ...parts,
      ...(apart.length ? [h("h3", {}, _("Not reached from an entry")), ...apart] : []),
      ...(steps.length ? [] : [h("p", { class: "none" }, _("No steps yet."))]),
    ];
  }

  /** A step and those after it, as long as there is one way on. @param {string} id */
  path(id) {
    const list = h("ol", { class: "path" });
    for (let at = /** @type {string | null} */ (id); at && !this.seen.has(at);) {
      this.seen.add(at);
      const ports = this.editor.portsOf(at);
      const item = h("li", {}, this.step(at));
      list.append(item);
      if (ports.length !== 1) {
        if (ports.length) item.append(h(
          "ul", { class: "ways" }, ...ports.map((port) => h("li", {}, this.way(/** @type {string} */ (at), port))),
        ));
        break;
      }
      const wire = this.editor.flow.wireAt(at, ports[0].name);
      if (!wire || this.seen.has(wire.to) || !this.editor.flow.steps.has(wire.to)) {
        item.append(this.way(at, ports[0]));
        break;
      }
      at = wire.to;
    }
    return list;
  }

  /** @param {string} id */
  step(id) {
    const { editor, canvas } = this;
    const step = /** @type {import("./model.js").Step} */ (editor.flow.steps.get(id));
    const issues = canvas.view.issues.get(id);
    const facet = editor.facets.get(id);
    const badge = issues ? h(
      "span", { class: `badge ${issues.errors ? "bad" : "warn"}`, title: issues.texts.join("\n") },
      icon(issues.errors ? "circle-alert" : "triangle-alert"),
      ngettext("%(count)s problem", "%(count)s problems", issues.texts.length),
    ) : null;
    const open = h(
      "button", {
        type: "button", class: "step", "aria-pressed": String(editor.selection.has(id)),
        dataset: { at: `step ${id}` }, onclick: () => this.open(id),
      },
      h("span", { class: `tile ${canvas.view.hueOf(step.type)}` }, nodeIcon(step.type)),
      h(
        "span", { class: "words" }, h("b", {}, editor.titleOf(id)),
        h("small", {}, facet?.summary || editor.types[step.type]?.help || ""),
      ), badge,
    );
    return h(
      "div", { class: "line" }, open,
      this.deeds ? this.button(
        `more ${id}`, "ellipsis", _("More for %(step)s", { step: editor.titleOf(id) }), (at) => this.more(id, at),
      ) : null,
    );
  }

  /** @param {string} id */
  open(id) {
    this.editor.select([id]);
    this.editor.emit("open", { id, focus: true });
  }

  /** Where a port leads. @param {string} id @param {import("./model.js").Port} port @returns {HTMLElement} */
  way(id, port) {
    const { editor, deeds, adding } = this;
    const wire = editor.flow.wireAt(id, port.name);
    const key = wireKey(id, port.name);
    const label = h("span", { class: "way-label" }, port.label || port.name);
    const to = wire && editor.flow.steps.has(wire.to) ? wire.to : null;
    const name = port.label || port.name;
    const tools = deeds && adding ? [
      this.button(
        `add ${key}`, "plus",
        to ? _("Insert a step after “%(port)s”", { port: name }) : _("Add a step after “%(port)s”", { port: name }),
        (at) => adding.ask(to ? { on: key } : { after: { id, port: port.name } }, at),
      ),
      this.button(`wire ${key}`, "route", _("Connect “%(port)s” to…", { port: name }), () => deeds.connect(id, port.name)),
      wire ? this.button(
        `cut ${key}`, "unlink", _("Cut “%(port)s”", { port: name }), () => cut(this.canvas.view, [key]),
      ) : null,
    ] : [];
    const line = h("div", { class: "line way" }, label, !to ? h("span", { class: "faint" }, _("leads nowhere")) : null);
    if (!to) {
      line.append(...tools.filter((one) => one !== null));
      return h("div", {}, line);
    }
    if (this.seen.has(to)) {
      line.append(h(
        "button", { type: "button", class: "link", dataset: { at: `see ${key}` }, onclick: () => this.see(to) },
        icon("corner-down-right"), editor.titleOf(to),
      ));
      line.append(...tools.filter((one) => one !== null));
      return h("div", {}, line);
    }
    line.append(...tools.filter((one) => one !== null));
    return h("div", {}, line, this.path(to));
  }

  /** @param {string} id */
  see(id) {
    const target = /** @type {HTMLElement | null} */ (document.querySelector(`#outline [data-at="step ${CSS.escape(id)}"]`));
    target?.scrollIntoView({ block: "center" });
    target?.focus({ preventScroll: true });
  }

  /** @param {string} id @param {{x: number, y: number}} at */
  more(id, at) {
    const { editor, deeds, adding } = this;
    if (!deeds || !adding) return;
    const port = freePort(editor, id);
    openMenu([
      { label: _("Edit"), icon: "settings", run: () => this.open(id) },
      {
        label: _("Add a step after"), icon: "plus", disabled: !port,
        run: () => adding.ask({ after: { id, port: /** @type {string} */ (port) } }, at),
      },
      { label: _("Connect to…"), icon: "route", disabled: !editor.portsOf(id).length, run: () => deeds.connect(id) },
      {
        label: _("Lead here from…"), icon: "corner-down-right",
        disabled: Boolean(editor.types[editor.flow.steps.get(id)?.type ?? ""]?.is_entry), run: () => deeds.connectFrom(id),
      },
      { label: _("Move to another place…"), icon: "move", run: () => this.move(id, at) },
      { label: _("Duplicate"), icon: "square-stack", run: () => deeds.duplicate([id]) },
      null,
      { label: _("Delete"), icon: "trash-2", danger: true, run: () => deeds.remove([id]) },
    ], at, editor.titleOf(id));
  }

  /** @param {string} id @param {{x: number, y: number}} at */
  move(id, at) {
    const { editor } = this;
    const wires = [...editor.flow.wires].filter(([key]) => moving(editor, id, key).length);
    const items = wires.map(([key, wire]) => ({
      key, title: _("Between %(from)s and %(to)s", { from: editor.titleOf(wire.from), to: editor.titleOf(wire.to) }),
      hint: editor.portsOf(wire.from).find((one) => one.name === wire.port)?.label ?? wire.port, icon: "move",
    }));
    this.picker.open({
      at, items, label: _("Where shall %(step)s go?", { step: editor.titleOf(id) }),
      onPick: ({ key }) => { if (editor.commit(
        _("Move step"), moving(editor, id, key),
      )) editor.emit("announce", { text: _("Moved") }); },
    });
  }

  /**
   * @param {string} at @param {string} name @param {string} label
   * @param {(at: {x: number, y: number}) => void} run @param {boolean} [words]
   */
  button(at, name, label, run, words = false) {
    const button = h("button", {
      type: "button", class: words ? "button" : "tool", title: label, "aria-label": words ? null : label, dataset: { at },
      onclick: () => {
        const box = button.getBoundingClientRect();
        run({ x: box.left, y: box.bottom + 4 });
      },
    }, icon(name), words ? label : null);
    return button;
  }
}
