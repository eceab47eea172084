// A flow document out of a file: the server's own parser reads it, the canvas takes it in as one step of undo.

import { _ } from "../i18n.js";
import { tidy } from "./layout.js";
import { difference } from "./merge.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./deeds.js").Deeds} Deeds
 */

const FILE_AT_MOST = 2_000_000;

/** @param {Canvas} canvas @param {Deeds} deeds @param {File} file @param {{x: number, y: number} | null} at */
export async function take(canvas, deeds, file, at) {
  const { editor, view, viewport } = canvas;
  const text = file.size > FILE_AT_MOST ? "" : await file.text();
  const own = text.includes('"journey-canvas"');
  const document = own ? null : await read(canvas, text);
  const placed = document?.nodes.every((/** @type {any} */ node) => Number.isFinite(node.x));
  const before = new Set(editor.flow.steps.keys());
  const all = editor.bounds();
  const below = all ? { x: all.x, y: all.y + all.height + 64 } : null;
  let done = false;
  if (document && !before.size) done = editor.commit(
    _("Import %(file)s", { file: file.name }), difference(editor.flow.toDocument(), document),
  );
  else done = deeds.paste(own ? text : JSON.stringify(document ?? {}), at ?? below);
  if (!done) editor.emit("toast", { text: _("%(file)s holds no journey that can be read.", { file: file.name }), kind: "bad" });
  const fresh = [...editor.flow.steps.keys()].filter((id) => !before.has(id));
  if (done && !own && !placed) await tidy(view, { ids: fresh });
  if (done) viewport.fit(editor.bounds());
}

/** @param {Canvas} canvas @param {Deeds} deeds */
export function choose(canvas, deeds) {
  const chooser = document.createElement("input");
  Object.assign(chooser, { type: "file", accept: ".json,.yaml,.yml,application/json,application/yaml" });
  chooser.addEventListener("change", () => { if (chooser.files?.[0]) take(canvas, deeds, chooser.files[0], null); });
  chooser.click();
}

/**
 * The server's own parser says what a file means. @param {Canvas} canvas @param {string} text
 * @returns {Promise<any>} a document, or null
 */
async function read({ data }, text) {
  try {
    const answer = await fetch(
      data.urls.read,
      { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }) },
    );
    return answer.ok ? (await answer.json()).document : null;
  } catch {
    return null;
  }
}
