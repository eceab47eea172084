// Frames around steps that belong together; the frame follows its steps.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { groupKey, idOf } from "./model.js";
import { HUES } from "./notes.js";
import { edit } from "./ops.js";

/** @typedef {import("./view.js").View} View */

const LONGEST = 200;

export class GroupItem {
  /** @param {View} view @param {string} key */
  constructor(view, key) {
    this.view = view;
    this.key = key;
    this.id = idOf(key);
    this.title = h("span", { class: "frame-title" });
    this.element = h("div", { class: "frame", role: "group", tabindex: -1, dataset: { key } }, this.title);
    if (!view.editor.readOnly) this.element.append(this.bin());
  }

  bin() {
    return h("button", {
      type: "button", class: "bin", tabindex: -1, title: _("Ungroup"), "aria-label": _("Ungroup"), onclick: () => this.remove(),
    }, icon("ungroup"));
  }

  get group() {
    return this.view.editor.flow.groups.get(this.id);
  }

  sync() {
    const { group } = this;
    if (!group) return;
    const selected = this.view.editor.selection.has(this.key) ? " selected" : "";
    this.element.className = `frame hue-${HUES.includes(group.hue ?? "") ? group.hue : "grey"}${selected}`;
    if (!this.title.isContentEditable) this.title.textContent = group.title || _("Group");
    this.element.setAttribute("aria-label", group.title || _("Group"));
    this.place();
  }

  place() {
    const rect = this.view.editor.groupRect(this.id);
    this.element.hidden = !rect;
    if (!rect) return;
    const { x, y, width, height } = rect;
    Object.assign(this.element.style, { transform: `translate(${x}px,${y}px)`, width: `${width}px`, height: `${height}px` });
  }

  remove() {
    if (this.group) this.view.editor.commit(_("Ungroup"), [{ op: "group-", group: this.group }]);
  }

  /** Renames in place. */
  write() {
    const { group } = this;
    if (!group || this.view.editor.readOnly || this.element.querySelector("input")) return;
    const field = /** @type {HTMLInputElement} */ (h("input", { maxlength: LONGEST, "aria-label": _("Title of the group") }));
    field.value = group.title;
    let open = true;
    const close = (/** @type {boolean} */ keep) => {
      if (!open) return;
      open = false;
      const title = field.value.trim();
      field.remove();
      this.title.hidden = false;
      if (keep && this.group && title !== this.group.title) {
        this.view.editor.commit(_("Rename group"), [edit("group", this.group, { title })]);
      }
    };
    field.addEventListener("blur", () => close(true));
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      close(event.key === "Enter");
      this.element.focus({ preventScroll: true });
    });
    this.title.hidden = true;
    this.element.append(field);
    field.focus({ preventScroll: true });
    field.select();
  }
}

/**
 * Frames some steps; a step belongs to one group at most.
 * @param {View} view @param {string[]} ids
 */
export function addGroup(view, ids) {
  const { editor } = view;
  if (!ids.length) return null;
  const id = editor.flow.freshId("group");
  const [taken, ops] = [new Set(ids), /** @type {import("./ops.js").Op[]} */ ([])];
  for (const group of editor.flow.groups.values()) {
    const nodes = group.nodes.filter((one) => !taken.has(one));
    if (!nodes.length) ops.push({ op: "group-", group });
    else if (nodes.length < group.nodes.length) ops.push(edit("group", group, { nodes }));
  }
  ops.push({ op: "group+", group: { id, title: _("Group"), nodes: ids, hue: "grey" } });
  if (!editor.commit(_("Group steps"), ops, { select: [groupKey(id)] })) return null;
  view.flush();
  view.frames.ensure(groupKey(id)).write();
  return id;
}
