// Everything one can do to what is selected, named once: for keys, the menu, the toolbar and the list alike.

import { h } from "../dom.js";
import { _, ngettext } from "../i18n.js";
import { shifting } from "./align.js";
import { keysWait } from "./bring.js";
import { pack, pasting, unknownTypes, unpack } from "./clipboard.js";
import { addGroup } from "./groups.js";
import { deletion, downstream, upstream } from "./insert.js";
import { groupKey, kindOf, noteKey } from "./model.js";
import { addNote } from "./notes.js";
import { edit } from "./ops.js";
import { handPlaced } from "./placed.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./popup.js").Picker} Picker
 * @typedef {ReturnType<typeof deeds>} Deeds
 */

const NAME_AT_MOST = 200;

/** @param {Canvas} canvas @param {Picker} picker */
export function deeds(canvas, picker) {
  const { editor, view, viewport } = canvas;
  const placed = handPlaced(editor, canvas.data.journey.id);

  const remove = (/** @type {Iterable<string>} */ keys = editor.selection) => {
    const all = [...keys];
    const ops = deletion(editor, all);
    if (!ops.length) return;
    const steps = all.filter((key) => kindOf(key) === "step");
    const next = steps.length ? neighbour(editor, steps) : null;
    const label = steps.length ? ngettext(
      "Delete step", "Delete %(count)s steps", steps.length,
    ) : all.some((key) => kindOf(key) === "wire") ? _("Cut connection") : _("Delete");
    const focused = document.activeElement instanceof HTMLElement && view.root.contains(document.activeElement);
    if (!editor.commit(label, ops)) return;
    if (next && focused) {
      editor.select([next]);
      editor.reveal(next);
    } else if (focused) view.root.focus({ preventScroll: true });
    editor.emit(
      "toast",
      {
        text: steps.length ? ngettext("Step deleted", "%(count)s steps deleted", steps.length) : _("Deleted"),
        undo: () => { if (editor.history.undoLabel === label) editor.undo(); },
      },
    );
  };

  const paste = (/** @type {string} */ text, at = /** @type {{x: number, y: number} | null} */ (null)) => {
    const parts = unpack(text);
    if (!parts) return false;
    const unknown = unknownTypes(editor, parts);
    if (unknown.length) {
      editor.emit(
        "toast",
        { text: _("Not pasted: the step types %(types)s are not installed here.", { types: unknown.join(", ") }), kind: "bad" },
      );
      return true;
    }
    const { ops, keys } = pasting(editor, parts, { at });
    if (editor.commit(ngettext("Paste step", "Paste %(count)s steps", parts.nodes.length), ops, { select: keys })) {
      view.flush();
      editor.reveal(keys[0], { focus: kindOf(keys[0]) === "step" });
      editor.emit("announce", { text: ngettext("One step pasted", "%(count)s steps pasted", parts.nodes.length) });
    }
    return true;
  };

  const duplicate = (/** @type {Iterable<string>} */ keys = editor.selection) => {
    const parts = unpack(pack(editor, keys));
    if (!parts) return;
    const { ops, keys: fresh } = pasting(editor, parts, { by: 40 });
    if (editor.commit(_("Duplicate"), ops, { select: fresh })) editor.reveal(fresh[0], { focus: kindOf(fresh[0]) === "step" });
  };

  const move = (/** @type {number} */ dx, /** @type {number} */ dy) => {
    const keys = new Set(editor.selection);
    for (const note of editor.flow.notes.values()) if (note.node && keys.has(note.node) && Number.isFinite(note.x)) keys.add(noteKey(note.id));
    const ops = shifting(editor, keys, dx, dy);
    const done = ops.length && editor.commit(
      ngettext("Move step", "Move %(count)s steps", editor.selectedSteps().length || 1), ops,
      { key: `nudge ${[...keys].join()}` },
    );
    const [first] = editor.selectedSteps();
    if (done && first) view.viewport.reveal(editor.rectOf(first), { glide: false });
  };

  return {
    remove, paste, duplicate, move,
    selectAll: () => editor.select([...editor.flow.steps.keys(), ...[...editor.flow.notes.keys()].map(noteKey)]),
    selectDown: (/** @type {string} */ id) => editor.select(downstream(editor, id)),
    selectUp: (/** @type {string} */ id) => editor.select(upstream(editor, id)),
    align: async (/** @type {import("./lines.js").Side} */ side) => {
      const { alignment } = await import("./lines.js");
      editor.commit(_("Line up"), alignment(editor, editor.selection, side));
    },
    spread: async (/** @type {"across" | "down"} */ way) => {
      const { distribution } = await import("./lines.js");
      editor.commit(_("Spread evenly"), distribution(editor, editor.selection, way));
    },
    tidy: async ({ around = false } = {}) => (await import("./layout.js")).tidy(view, { keep: around ? placed : null }),
    placed,
    group: () => addGroup(view, editor.selectedSteps()),
    ungroup: (/** @type {string} */ id) => {
      const group = editor.flow.groups.get(id);
      if (group) editor.commit(_("Ungroup"), [{ op: "group-", group }]);
    },
    note: (/** @type {{x: number, y: number} | null} */ at = null) => {
      const [id] = editor.selectedSteps();
      const rect = id ? editor.rectOf(id) : null;
      const middle = viewport.visible();
      addNote(
        view,
        at ?? (rect ? { x: rect.x, y: rect.y - 120 } : {
          x: middle.x + middle.width / 2 - 104, y: middle.y + middle.height / 2 - 52,
        }),
        { node: at ? null : id ?? null },
      );
    },
    rename: (/** @type {string} */ id) => rename(canvas, id),
    connect: async (/** @type {string} */ id, /** @type {string | null} */ port = null) => {
      await keysWait(async () => (await import("./linking.js")).startConnect(canvas, picker, id, port));
    },
    connectFrom: async (/** @type {string} */ id, /** @type {string | null} */ wire = null) => {
      await keysWait(async () => (await import("./linking.js")).startFrom(canvas, picker, id, wire));
    },
    undo: () => said(editor, editor.undo(), _("Undone: %(deed)s")),
    redo: () => said(editor, editor.redo(), _("Done again: %(deed)s")),
    fitAll: () => viewport.fit(editor.bounds()),
    fitSelected: () => {
      const rects = editor.selectedSteps().map((id) => editor.rectOf(id));
      const [left, top] = [Math.min(...rects.map((rect) => rect.x)), Math.min(...rects.map((rect) => rect.y))];
      const [right, bottom] = [
        Math.max(...rects.map((rect) => rect.x + rect.width)), Math.max(...rects.map((rect) => rect.y + rect.height)),
      ];
      viewport.fit(rects.length ? { x: left, y: top, width: right - left, height: bottom - top } : editor.bounds());
    },
    groupKey,
  };
}

/** @param {import("./editor.js").Editor} editor @param {string | null} label @param {string} text */
function said(editor, label, text) {
  if (label) editor.emit("announce", { text: text.replace("%(deed)s", label) });
}

/**
 * Where the focus goes when steps go: to who led here, else to who came after.
 * @param {import("./editor.js").Editor} editor @param {string[]} going
 */
function neighbour({ flow }, going) {
  const gone = new Set(going);
  for (const id of going) for (const wire of flow.wiresTo(id)) if (!gone.has(wire.from)) return wire.from;
  for (const id of going) for (const wire of flow.wiresFrom(id)) if (!gone.has(wire.to)) return wire.to;
  return [...flow.steps.keys()].find((id) => !gone.has(id)) ?? null;
}

/** Writes the name of a step on its card. @param {Canvas} canvas @param {string} id */
function rename({ editor, view }, id) {
  const step = editor.flow.steps.get(id);
  if (!step || editor.readOnly) return;
  editor.reveal(id);
  const card = view.cardElement(id);
  if (!card) return;
  const field = /** @type {HTMLInputElement} */ (h(
    "input",
    {
      class: "card-name", maxlength: NAME_AT_MOST, "aria-label": _("Name of the step"),
      placeholder: editor.types[step.type]?.title ?? "",
    },
  ));
  field.value = step.name ?? "";
  let open = true;
  const close = (/** @type {boolean} */ keep) => {
    if (!open) return;
    open = false;
    const name = field.value.trim();
    field.remove();
    const now = editor.flow.steps.get(id);
    if (keep && now && name !== (now.name ?? "")) editor.commit(_("Rename step"), [edit("node", now, { name: name || null })]);
  };
  field.addEventListener("blur", () => close(true));
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if ((event.key !== "Enter" || event.isComposing) && event.key !== "Escape") return;
    close(event.key === "Enter");
    view.cardElement(id)?.focus({ preventScroll: true });
  });
  card.append(field);
  field.focus({ preventScroll: true });
  field.select();
}

/** A step as it is listed. @param {Canvas} canvas @param {string} id @returns {import("./popup.js").Item} */
export function stepItem({ editor, view }, id) {
  const step = /** @type {import("./model.js").Step} */ (editor.flow.steps.get(id));
  const title = editor.titleOf(id);
  const summary = editor.facets.get(id)?.summary ?? "";
  return {
    key: id, title, hint: summary, type: step.type, hue: view.hueOf(step.type),
    search: [title, summary, editor.types[step.type]?.title ?? "", id, JSON.stringify(step.settings ?? {})],
  };
}
