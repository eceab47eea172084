// Steps across the clipboard and files across the canvas: copy, cut, paste events; files that are dropped are read by the server.

import { _ } from "../i18n.js";
import { pack } from "./clipboard.js";
import { tidy } from "./layout.js";
import { difference } from "./merge.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./deeds.js").Deeds} Deeds
 */

const FILE_AT_MOST = 2_000_000;

/** Copy works on pages that only read, too. @param {Canvas} canvas @param {Deeds | null} deeds */
export function attachClipboard({ editor, view, viewport }, deeds) {
  /** @type {{x: number, y: number} | null} */
  let pointer = null;
  view.root.addEventListener("pointermove", (event) => { pointer = { x: event.clientX, y: event.clientY }; });
  view.root.addEventListener("pointerleave", () => { pointer = null; });
  const ours = () => view.root.contains(document.activeElement) && !document.activeElement?.closest("input, textarea") && !getSelection()?.toString();
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
  const { view, viewport, editor } = canvas;
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
  const take = async (/** @type {File} */ file, /** @type {{x: number, y: number} | null} */ at) => {
    const text = file.size > FILE_AT_MOST ? "" : await file.text();
    const own = text.includes('"journey-canvas"');
    const document = own ? null : await read(canvas, text);
    const placed = document?.nodes.every((/** @type {any} */ node) => Number.isFinite(node.x));
    const before = new Set(editor.flow.steps.keys());
    let done = false;
    if (document && !before.size) done = editor.commit(_("Import %(file)s", { file: file.name }), difference(editor.flow.toDocument(), document));
    else done = deeds.paste(own ? text : JSON.stringify(document ?? {}), at);
    if (!done) editor.emit("toast", { text: _("%(file)s holds no journey that can be read.", { file: file.name }), kind: "bad" });
    const fresh = [...editor.flow.steps.keys()].filter((id) => !before.has(id));
    if (done && !own && !placed) await tidy(view, { ids: fresh });
    if (done) viewport.fit(editor.bounds());
  };
  return () => {
    const chooser = document.createElement("input");
    Object.assign(chooser, { type: "file", accept: ".json,.yaml,.yml,application/json,application/yaml" });
    chooser.addEventListener("change", () => { if (chooser.files?.[0]) take(chooser.files[0], null); });
    chooser.click();
  };
}

/** The server's own parser says what a file means. @param {Canvas} canvas @param {string} text @returns {Promise<any>} a document, or null */
async function read({ data }, text) {
  try {
    const answer = await fetch(data.urls.read, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }) });
    return answer.ok ? (await answer.json()).document : null;
  } catch {
    return null;
  }
}
