// The side panel: hosts the form that the server makes for a step, and turns what it answers into one step of undo.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { keysWait } from "./bring.js";
import { attach, flush, isDirty } from "./forms/main.js";
import { edit, editSettings } from "./ops.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {{id: string, field?: string | null, port?: string, focus?: boolean, fresh?: boolean}} Asked
 */

const JOURNEY = "~";

export class Panel {
  /** @param {Canvas} canvas @param {HTMLElement} root the aside */
  constructor(canvas, root) {
    this.canvas = canvas;
    this.root = root;
    /** @type {string | null} */
    this.id = null;
    this.turn = 0;
    /** Forms that hold something not applied yet, by step: they come back as they were. @type {Map<string, HTMLElement>} */
    this.kept = new Map();
    const close = h(
      "button",
      {
        type: "button", class: "button quiet only-icon close", "aria-label": _("Close"), title: _("Close"),
        onclick: () => this.leave(),
      },
      icon("x"),
    );
    this.body = h("div", { class: "panel-body" });
    root.append(close, this.body);
    this.listen();
  }

  listen() {
    const { editor } = this.canvas;
    editor.on("open", (/** @type {Asked} */ asked) => this.open(asked));
    editor.on("selection", ({ keys }) => { if (this.id && this.id !== JOURNEY && !keys.has(this.id)) this.leave(); });
    editor.on("change", ({ touched, cause, key }) => this.follow(touched, cause, key));
    editor.on("load", () => this.close());
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.leave();
    });
    const news = (/** @type {Event} */ event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      return detail?.value ?? detail;
    };
    document.addEventListener("node-applied", (event) => this.applied(news(event)));
    document.addEventListener("flow-applied", (event) => this.appliedToJourney(news(event)));
  }

  get isOpen() {
    return this.id !== null;
  }

  /** @param {Asked} asked */
  async open({ id, field = null, focus = false, fresh = false }) {
    if (this.id === id && this.body.firstChild) {
      this.show(field, focus || Boolean(field));
      return;
    }
    this.putAway();
    this.id = id;
    const turn = ++this.turn;
    this.root.hidden = false;
    document.body.classList.add("panel-open");
    this.inView();
    const kept = this.kept.get(id);
    if (kept) {
      this.kept.delete(id);
      this.fill([...kept.childNodes]);
      this.show(field, true);
      return;
    }
    this.body.replaceChildren(
      h("div", { class: "skeleton" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }),
    );
    this.body.setAttribute("aria-busy", "true");
    const goes = focus || Boolean(field) || fresh;
    const arrive = async () => {
      const content = await this.fetch(id);
      // The answer may come for a step that nobody looks at any more.
      if (turn !== this.turn || this.id !== id) return;
      this.body.removeAttribute("aria-busy");
      this.fill(content);
      this.inView();
      this.show(field, goes);
    };
    await (goes ? keysWait(arrive) : arrive());
  }

  /** The panel takes room: the card it is about stays in view. */
  inView() {
    const { id } = this;
    const { editor, viewport, view } = this.canvas;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (!id || id !== this.id || !editor.flow.steps.has(id)) return;
      const stage = view.root.getBoundingClientRect();
      const panel = this.root.getBoundingClientRect();
      viewport.resize(stage);
      // On narrow screens the panel lies over the canvas.
      viewport.inset.bottom = panel.left <= stage.left ? Math.max(0, stage.bottom - panel.top) : 0;
      viewport.inset.right = panel.left > stage.left ? Math.max(0, stage.right - panel.left) : 0;
      viewport.reveal(editor.rectOf(id));
    }));
  }

  openJourney() {
    return this.open({ id: JOURNEY, focus: true });
  }

  /** @param {string} id @returns {Promise<Node[]>} */
  async fetch(id) {
    const { editor, data } = this.canvas;
    const step = editor.flow.steps.get(id);
    const url = id === JOURNEY ? data.urls.settings : data.urls.panel.replace("{node}", encodeURIComponent(id));
    try {
      const answer = await fetch(url, {
        method: "POST", headers: {
          "Content-Type": "application/json", Accept: "text/html",
        }, body: JSON.stringify({ node: step ?? null, document: editor.flow.toDocument() }),
      });
      if (answer.ok) return [...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes];
    } catch {
      // Told below, like every other answer that is none.
    }
    return [h("p", { class: "none" }, icon("cloud-off"), _("The settings could not be loaded. Your work is kept."),
      h("button", { type: "button", class: "button", onclick: () => this.again(id) }, _("Try again")))];
  }

  /** @param {string} id */
  again(id) {
    this.body.replaceChildren();
    this.id = null;
    this.open({ id, focus: true });
  }

  /** @param {Node[]} content */
  fill(content) {
    this.body.replaceChildren(...content);
    this.body.scrollTop = 0;
    // @ts-ignore: htmx is a script of the page, not a module
    window.htmx?.process(this.body);
    attach(this.body);
  }

  /** @param {string | null} field @param {boolean} focus */
  show(field, focus) {
    const name = CSS.escape(field ?? "");
    const names = `[name="settings.${name}"], [name^="settings.${name}."], [name="${name}"], [data-field="${name}"]`;
    const named = field ? this.body.querySelector(names) : null;
    const target = named ?? (focus ? this.first() : null);
    named?.scrollIntoView({ block: "center" });
    if (target instanceof HTMLElement && focus) {
      const fields = "input:not([type=hidden]), select, textarea, button";
      const inner = target.matches(fields) ? target : target.querySelector(fields);
      /** @type {HTMLElement} */ (inner ?? target).focus({ preventScroll: true });
    }
  }

  first() {
    const fields = "input:not([type=hidden], [type=search]), select, textarea, button:not([disabled])";
    return this.body.querySelector(`.settings-fields :is(${fields})`) ?? this.body.querySelector(fields);
  }

  /** Takes the form out: what was typed is applied, and what cannot be is kept with its form. */
  putAway() {
    const { id } = this;
    if (!id || !this.body.firstChild) return;
    const holder = h("div", {});
    const dirty = isDirty(this.body) && !this.canvas.editor.readOnly;
    if (dirty) holder.append(...this.body.childNodes);
    this.body.replaceChildren();
    if (!dirty) return;
    this.kept.set(id, holder);
    flush(holder).then((done) => { if (done && this.kept.get(id) === holder) this.kept.delete(id); }, () => {});
  }

  /** Whether a form holds something that is not on the canvas. */
  get unsaid() {
    return this.kept.size > 0 || isDirty(this.body);
  }

  /** @param {{id: string, settings: any, name?: string | null, facet?: any, problems?: any[]}} detail */
  applied({ id, settings, name, facet, problems }) {
    const { editor } = this.canvas;
    const step = editor.flow.steps.get(id);
    if (!step) return;
    const after = { settings, ...(name === undefined ? {} : { name: name || null }) };
    const same = JSON.stringify([step.settings ?? {}, step.name ?? null]) === JSON.stringify([
      settings, after.name ?? step.name ?? null,
    ]);
    if (facet) editor.setFacets({ [id]: facet });
    if (!same) editor.commit(
      _("Edit %(step)s", { step: editor.titleOf(id) }), [edit("node", step, after)], { key: `settings ${id}` },
    );
    if (problems) editor.setProblems([...editor.problems.filter((one) => one.node !== id), ...problems]);
    this.own = JSON.stringify(settings);
  }

  /** @param {{settings: any}} detail */
  appliedToJourney({ settings }) {
    const { editor } = this.canvas;
    const gone = Object.fromEntries(Object.keys(editor.flow.settings).filter((name) => !(name in settings)).map((name) => [name, null]));
    if (JSON.stringify(editor.flow.settings) === JSON.stringify(settings)) return;
    editor.commit(
      _("Settings of the journey"), [editSettings(editor.flow, { ...gone, ...settings })],
      { key: "journey settings" },
    );
  }

  /**
   * The form follows what was done to its step elsewhere: undo, another person. @param {any} touched
   * @param {string} cause @param {string | null} key
   */
  follow(touched, cause, key) {
    const { id } = this;
    if (!id) return;
    const { editor } = this.canvas;
    if (id !== JOURNEY && !editor.flow.steps.has(id)) {
      this.close();
      return;
    }
    const about = id === JOURNEY ? touched.settings : touched.nodes.has(id);
    if (!about) return;
    if (cause === "commit" || key?.startsWith("settings")) return;
    if (id !== JOURNEY && this.own === JSON.stringify(editor.flow.steps.get(id)?.settings)) return;
    this.kept.delete(id);
    this.body.replaceChildren();
    this.id = null;
    this.open({ id });
  }

  /** Closes where the keys are with the canvas; the step stays selected. @returns {boolean} whether anything was open */
  shut() {
    const open = this.isOpen;
    if (open) this.leave();
    return open;
  }

  /** Closes and goes back to the card. */
  leave() {
    const { id } = this;
    const inside = this.root.contains(document.activeElement);
    this.putAway();
    this.close();
    if (inside && id && this.canvas.editor.flow.steps.has(id)) this.canvas.editor.reveal(id);
    else if (inside) this.canvas.view.root.focus({ preventScroll: true });
  }

  close() {
    this.id = null;
    this.turn += 1;
    this.root.hidden = true;
    Object.assign(this.canvas.viewport.inset, { right: 0, bottom: 0 });
    this.body.replaceChildren();
    document.body.classList.remove("panel-open");
  }
}
