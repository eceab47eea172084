// Choosing by pointer: a click, Shift or Ctrl for more, a double click to go in; reading pages have it too.

import { hitOf, wireUnder } from "./pointer.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./pointer.js").Pointer} Pointer
 */

/** @param {MouseEvent} event */
export const adds = (event) => event.shiftKey || event.ctrlKey || event.metaKey;

/**
 * What a click on something does. In editing, dragging the same thing is somebody else's: see drag.js.
 * @param {View} view @param {import("./pointer.js").Hit} hit @param {MouseEvent} event
 */
export function clicked(view, hit, event) {
  const { editor } = view;
  if (!hit.key) return;
  if (hit.kind === "count" || hit.kind === "here") editor.emit("count", { id: hit.key, port: hit.port ?? null });
  else if (adds(event)) editor.toggle(hit.key);
  else {
    editor.select([hit.key]);
    if (["step", "port"].includes(hit.kind)) editor.emit("open", { id: hit.key });
  }
}

/** @param {View} view @param {Pointer} pointer */
export function attachSelection(view, pointer) {
  const { root, editor } = view;
  pointer.offer((hit) => {
    if (!hit.key) return null;
    return { move: () => {}, drop: () => {}, cancel: () => {}, click: (at) => {
      focusOn(view, hit);
      clicked(view, hit, at.event);
    } };
  });
  root.addEventListener("dblclick", (event) => {
    const world = view.viewport.toWorld(event.clientX, event.clientY);
    const hit = hitOf(view, /** @type {Element} */ (event.target), world);
    if (hit.kind === "control") return;
    if (view.isOverview()) view.viewport.centerOn(world, { zoom: 1, glide: true });
    else if (hit.kind === "note" && hit.key) view.notes.mounted.get(hit.key)?.write();
    else if (hit.kind === "group" && hit.key) view.frames.mounted.get(hit.key)?.write();
    else if (hit.kind === "empty" && !editor.readOnly) {
      editor.emit("quickadd", { point: world, client: { x: event.clientX, y: event.clientY }, from: null, port: null, release: () => {} });
    }
  });
  attachHover(view);
}

/** The focus follows the pointer, so that keys go on where the mouse left off. @param {View} view @param {import("./pointer.js").Hit} hit */
export function focusOn(view, hit) {
  const element = hit.element?.closest(".card, .sticky, .frame");
  if (element instanceof HTMLElement) element.focus({ preventScroll: true });
  else view.root.focus({ preventScroll: true, focusVisible: false });
}

/** Tells which wire the pointer is over, so that a button can sit on it. @param {View} view */
function attachHover(view) {
  /** @type {string | null} */
  let over = null;
  const say = (/** @type {string | null} */ key, /** @type {PointerEvent} */ event) => {
    if (key === over) return;
    over = key;
    const point = key ? view.wires.middle(key) : null;
    view.wires.light(key);
    view.editor.emit("hover", { key, point, world: view.viewport.toWorld(event.clientX, event.clientY) });
  };
  view.root.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons || view.root.classList.contains("gesturing")) return;
    const target = /** @type {Element} */ (event.target);
    if (target.closest("[data-keeps-hover]")) return;
    say(wireUnder(view, target, view.viewport.toWorld(event.clientX, event.clientY)), event);
  });
  view.root.addEventListener("pointerleave", (event) => say(null, event));
}
