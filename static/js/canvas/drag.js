// Moving steps, notes and groups: a picture while the pointer is down, one change when it is let go.

import { _, ngettext } from "../i18n.js";
import { around, inflate, intersects } from "./geometry.js";
import { Guides } from "./guides.js";
import { idOf, kindOf, noteKey } from "./model.js";
import { edit } from "./ops.js";
import { adds, clicked, focusOn } from "./select.js";
import { snap } from "./snap.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./ops.js").Op} Op
 */

/** What can be taken hold of; a number can be clicked and its card dragged by it. */
const MOVABLE = ["step", "count", "here", "note", "group"];
/** Neighbours this far away still draw snap lines. */
const NEAR = 900;

/** @param {View} view @param {import("./pointer.js").Pointer} pointer */
export function attachDrag(view, pointer) {
  const { editor, viewport } = view;
  const guides = new Guides(view);
  pointer.offer((hit, start) => {
    if (hit.kind === "grip" && hit.key) return resizing(view, idOf(hit.key), start.world);
    if (!hit.key || !MOVABLE.includes(hit.kind)) return null;
    const key = hit.key;
    const touch = start.event.pointerType === "touch";
    // A finger that comes to pan must not take a card along: first a tap, then a drag.
    const movable = !touch || editor.selection.has(key);
    const click = (/** @type {import("./pointer.js").At} */ at) => {
      focusOn(view, hit);
      clicked(view, hit, at.event);
    };
    if (!movable) return { move: () => {}, drop: () => {}, cancel: () => {}, click };
    /** @type {ReturnType<typeof carry> | null} */
    let load = null;
    return {
      scrolls: true,
      click,
      begin: () => {
        if (!editor.selection.has(key)) editor.select(adds(start.event) ? [...editor.selection, key] : [key]);
        load = carry(view, key);
        view.root.classList.add("carrying");
      },
      move: (at) => {
        if (!load) return;
        const far = { x: at.world.x - start.world.x, y: at.world.y - start.world.y };
        const free = at.event.altKey;
        const found = free ? { dx: 0, dy: 0, lines: [] } : snap(load.boxAt(far), load.neighbours(far), { zoom: viewport.zoom, levels: load.levels() });
        guides.show(found.lines);
        load.moveBy({ x: far.x + found.dx, y: far.y + found.dy });
        editor.emit("move", { phase: "move", ids: load.steps, client: at.client, point: at.world });
      },
      drop: (at) => {
        settle();
        load?.commit(at);
      },
      cancel: () => {
        settle();
        load?.release();
        editor.emit("move", { phase: "cancel", ids: load?.steps ?? [] });
      },
    };
  });

  const settle = () => {
    guides.show([]);
    view.root.classList.remove("carrying");
  };
}

/** Everything that moves when `key` does: the selection, members of groups, notes that hang on steps. @param {View} view @param {string} key */
function movedWith(view, key) {
  const { editor } = view;
  const moved = new Set(editor.selection.has(key) ? editor.selection : [key]);
  for (const one of [...moved]) {
    if (kindOf(one) === "group") for (const id of editor.flow.groups.get(idOf(one))?.nodes ?? []) if (editor.flow.steps.has(id)) moved.add(id);
  }
  for (const note of editor.flow.notes.values()) {
    // One that was never placed hangs on its step by itself.
    if (note.node && moved.has(note.node) && note.x !== undefined) moved.add(noteKey(note.id));
  }
  return [...moved].filter((one) => kindOf(one) === "step" || kindOf(one) === "note");
}

/** @param {View} view @param {string} key */
function carry(view, key) {
  const { editor } = view;
  const keys = movedWith(view, key);
  const origins = new Map(keys.map((one) => [one, /** @type {Rect} */ (editor.rectOfKey(one))]));
  const steps = keys.filter((one) => kindOf(one) === "step");
  const box = origins.get(key) ?? /** @type {Rect} */ (around(origins.values()));
  const carried = new Set(keys);
  const single = steps.length === 1 ? steps[0] : null;
  const into = single ? editor.flow.wiresTo(single).filter((wire) => editor.flow.steps.has(wire.from)) : [];

  return {
    steps,
    boxAt: (/** @type {Point} */ far) => ({ ...box, x: box.x + far.x, y: box.y + far.y }),
    /** Cards in view and near that stand still. */
    neighbours: (/** @type {Point} */ far) => {
      const near = inflate({ ...box, x: box.x + far.x, y: box.y + far.y }, NEAR);
      const seen = view.viewport.visible();
      return [...view.places.meeting(near)].filter((id) => !carried.has(id))
        .map((id) => /** @type {Rect} */ (view.places.rects.get(id))).filter((rect) => intersects(rect, seen));
    },
    /** Heights at which a wire into the card runs straight. */
    levels: () => into.map((wire) => editor.outletOf(wire.from, wire.port).y),
    moveBy: (/** @type {Point} */ by) => {
      for (const [one, { x, y }] of origins) editor.lifted.set(one, { x: x + by.x, y: y + by.y });
      view.lift(keys);
    },
    release: () => {
      editor.lifted.clear();
      view.lift(keys);
    },
    commit: (/** @type {import("./pointer.js").At} */ at) => {
      const ops = keys.map((one) => opFor(view, one)).filter((op) => op !== null);
      // Others may add to the change, for example when a step is let go upon a wire.
      const label = steps.length ? ngettext("Move step", "Move %(count)s steps", steps.length) : _("Move note");
      const move = { phase: "drop", ids: steps, client: at.client, point: at.world, ops, label };
      editor.emit("move", move);
      editor.lifted.clear();
      if (!editor.commit(move.label, move.ops)) view.lift(keys);
    },
  };
}

/** @param {View} view @param {string} key @returns {Op | null} */
function opFor({ editor }, key) {
  const at = editor.lifted.get(key);
  const [what, item] = kindOf(key) === "note"
    ? [/** @type {const} */ ("note"), editor.flow.notes.get(idOf(key))]
    : [/** @type {const} */ ("node"), editor.flow.steps.get(key)];
  if (!at || !item) return null;
  const [x, y] = [Math.round(at.x), Math.round(at.y)];
  return x === item.x && y === item.y ? null : edit(what, item, { x, y });
}

const SMALLEST = { width: 96, height: 48 };

/** @param {View} view @param {string} id @param {Point} start @returns {import("./pointer.js").Gesture} */
function resizing(view, id, start) {
  const { editor } = view;
  const before = editor.noteRect(id);
  const item = view.notes.ensure(noteKey(id));
  const sized = (/** @type {Point} */ world) => ({
    width: Math.max(SMALLEST.width, Math.round((before.width + world.x - start.x) / 8) * 8),
    height: Math.max(SMALLEST.height, Math.round((before.height + world.y - start.y) / 8) * 8),
  });
  return {
    move: ({ world }) => {
      const { width, height } = sized(world);
      Object.assign(item.element.style, { width: `${width}px`, height: `${height}px` });
    },
    drop: ({ world }) => {
      const note = editor.flow.notes.get(id);
      // A hanging note would jump with its new height, so it is placed where it is.
      if (note) editor.commit(_("Resize note"), [edit("note", note, { ...sized(world), x: before.x, y: before.y })]);
    },
    cancel: () => item.place(),
  };
}
