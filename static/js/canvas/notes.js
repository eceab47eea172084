// Sticky notes, written in place; their text is text, whatever is typed.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { idOf, noteKey } from "./model.js";
import { edit } from "./ops.js";

/** @typedef {import("./view.js").View} View */

export const HUES = ["yellow", "green", "blue", "pink", "grey"];
const NAMES = () => ({ yellow: _("Yellow"), green: _("Green"), blue: _("Blue"), pink: _("Pink"), grey: _("Grey") });
const LONGEST = 4000;

export class NoteItem {
  /** @param {View} view @param {string} key */
  constructor(view, key) {
    this.view = view;
    this.key = key;
    this.id = idOf(key);
    this.text = h("div", { class: "text" });
    this.element = h("div", { class: "sticky", role: "note", tabindex: -1, dataset: { key } }, this.text);
    /** @type {HTMLTextAreaElement | null} */
    this.field = null;
    if (!view.editor.readOnly) this.element.append(h("span", { class: "grip" }), this.tools());
  }

  /** Colours and the bin, shown while the note is selected. */
  tools() {
    const names = /** @type {Record<string, string>} */ (NAMES());
    const swatches = HUES.map((hue) => h("button", {
      type: "button", class: `swatch hue-${hue}`, tabindex: -1, title: names[hue], "aria-label": names[hue],
      onclick: () => this.change(_("Colour of the note"), { hue }),
    }));
    const bin = h("button", {
      type: "button", class: "bin", tabindex: -1, title: _("Delete"), "aria-label": _("Delete"), onclick: () => this.remove(),
    }, icon("trash-2"));
    return h("div", { class: "tools" }, ...swatches, bin);
  }

  get note() {
    return this.view.editor.flow.notes.get(this.id);
  }

  sync() {
    const { note } = this;
    if (!note) return;
    const selected = this.view.editor.selection.has(this.key) ? " selected" : "";
    const attached = note.node ? " attached" : "";
    this.element.className = `sticky hue-${HUES.includes(note.hue ?? "") ? note.hue : "yellow"}${selected}${attached}`;
    if (this.text.textContent !== note.text) this.text.textContent = note.text;
    this.element.classList.toggle("empty", !note.text);
    this.text.dataset.hint = _("Write a note");
    this.place();
  }

  place() {
    const { x, y, width, height } = this.view.editor.noteRect(this.id);
    Object.assign(this.element.style, { transform: `translate(${x}px,${y}px)`, width: `${width}px`, height: `${height}px` });
  }

  /** @param {string} label @param {Record<string, any>} after @param {string} [key] */
  change(label, after, key) {
    if (this.note) this.view.editor.commit(label, [edit("note", this.note, after)], { key });
  }

  remove() {
    if (this.note) this.view.editor.commit(_("Delete note"), [{ op: "note-", note: this.note }]);
  }

  /** Opens the note for writing; leaving it keeps what was written, Escape does not. */
  write() {
    if (this.field || !this.note || this.view.editor.readOnly) return;
    const field = /** @type {HTMLTextAreaElement} */ (h("textarea", { maxlength: LONGEST, "aria-label": _("Text of the note") }));
    field.value = this.note.text;
    this.field = field;
    const close = (/** @type {boolean} */ keep) => {
      if (this.field !== field) return;
      this.field = null;
      const text = field.value.trim();
      field.remove();
      this.element.classList.remove("writing");
      if (keep && this.note && text !== this.note.text) this.change(_("Write note"), { text });
      this.view.editor.emit("note", { id: this.id, writing: false });
    };
    field.addEventListener("blur", () => close(true));
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
      close(event.key === "Enter");
      this.element.focus({ preventScroll: true });
    });
    this.element.classList.add("writing");
    this.element.append(field);
    field.focus({ preventScroll: true });
    field.select();
  }
}

/**
 * A new note at a place of the world, open for writing.
 * @param {View} view @param {import("./geometry.js").Point} at @param {{node?: string | null, text?: string}} [options]
 */
export function addNote(view, at, { node = null, text = "" } = {}) {
  const { editor } = view;
  const id = editor.flow.freshId("note");
  const place = { x: Math.round(at.x), y: Math.round(at.y) };
  const note = { id, text, ...place, ...(node ? { node } : {}), hue: "yellow" };
  if (!editor.commit(_("Add note"), [{ op: "note+", note }], { select: [noteKey(id)] })) return null;
  view.flush();
  view.notes.ensure(noteKey(id)).write();
  return id;
}
