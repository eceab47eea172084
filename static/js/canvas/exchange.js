// Steps across the clipboard: copy, cut and paste events, and files let go over the canvas, which importing.js takes.

import { _ } from "../i18n.js";
import { pack } from "./clipboard.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./deeds.js").Deeds} Deeds
 */

/** Copy works on pages that only read, too. @param {Canvas} canvas @param {Deeds | null} deeds */
export function attachClipboard({ editor, view, viewport }, deeds) {
  /** @type {{x: number, y: number} | null} */
  let pointer = null;
  view.root.addEventListener("pointermove", (event) => { pointer = { x: event.clientX, y: event.clientY }; });
  view.root.addEventListener("pointerleave", () => { pointer = null; });
  const ours = () => {
    const at = document.activeElement;
    return view.root.contains(at) && !at?.closest("input, textarea") && !getSelection()?.toString();
  };
  const copy = (/** @type {ClipboardEvent} */ event) => {
    const text = ours() ? pack(editor, editor.selection) : "";
    if (!text || !event.clipboardData) return false;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
    editor.emit("announce", { text: event.type === "cut" ? _("Cut") : _("Copied") });
    return true;
  };
  document.addEventListener("copy", copy);
  if (!deeds) return;
  document.addEventListener("cut", (event) => { if (copy(event)) deeds.remove(); });
  document.addEventListener("paste", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest?.("input, textarea, [contenteditable]") || !(ours() || document.activeElement === document.body)) return;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const at = pointer ? viewport.toWorld(pointer.x, pointer.y) : null;
    if (deeds.paste(text, at)) event.preventDefault();
    else if (text.trim()) editor.emit("toast", { text: _("The clipboard holds no steps."), kind: "bad" });
  });
}

/** A flow document as a file, dropped on the canvas or chosen. @param {Canvas} canvas @param {Deeds} deeds */
export function attachImport(canvas, deeds) {
  const { view, viewport } = canvas;
  const wanted = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  view.root.addEventListener("dragover", (event) => {
    if (!wanted(event)) return;
    event.preventDefault();
    view.root.classList.add("dropping");
  });
  view.root.addEventListener("dragleave", () => view.root.classList.remove("dropping"));
  view.root.addEventListener("drop", (event) => {
    view.root.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    take(file, viewport.toWorld(event.clientX, event.clientY));
  });
  const take = async (/** @type {File | null} */ file, /** @type {{x: number, y: number} | null} */ at) => {
    const { choose, take: read } = await import("./importing.js");
    if (file) read(canvas, deeds, file, at);
    else choose(canvas, deeds);
  };
  return () => take(null, null);
}
