// What every canvas page has, whatever its mode: the canvas itself, the bar below it, finding, keys, exports.
// Scripts of a mode import `canvas`, `picker` and `news` from here. Changes nothing: the editor's hands are in edit.js.

import { h } from "../dom.js";
import { _ } from "../i18n.js";
import { attachClipboard } from "./exchange.js";
import { exportAs } from "./export.js";
import { finder } from "./find.js";
import { attachKeyboard, keySheet } from "./keyboard.js";
import { mountPage } from "./main.js";
import { attachOutline } from "./outline.js";
import { openMenu, Picker } from "./popup.js";
import { openStream } from "./presence.js";
import { attachProblems } from "./problems.js";

/** @typedef {import("./main.js").Canvas} Canvas */

export const canvas = /** @type {Canvas} */ (await mountPage());
export const picker = new Picker();
export const find = finder(canvas, picker);

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/** @type {EventTarget | null} */
let stream = null;
/** The page's one stream of news; the first to ask says what it is about. @param {string} [query] @returns {EventTarget} */
export const news = (query = `mode=${canvas.data.mode}`) => (stream ??= openStream(`${canvas.data.urls.stream}?${query}`));

// ── the bar below ────────────────────────────────────────────────────────────────────────────────────────────────────

const { viewport, editor } = canvas;
const percent = byId("zoom-value");
const showZoom = () => { if (percent) percent.textContent = `${Math.round(viewport.zoom * 100)} %`; };
editor.on("viewport", showZoom);
showZoom();

/** @type {Record<string, () => void>} */
const buttons = {
  "zoom-out": () => viewport.zoomOut(),
  "zoom-in": () => viewport.zoomIn(),
  zoom: () => viewport.actualSize(),
  fit: () => viewport.fit(editor.bounds()),
  find,
  keys: () => showKeys(),
  "toggle-map": () => {
    const shown = byId("toggle-map")?.getAttribute("aria-pressed") !== "true";
    byId("toggle-map")?.setAttribute("aria-pressed", String(shown));
    canvas.minimap.canvas.hidden = !shown;
    canvas.view.schedule();
  },
};
for (const [id, run] of Object.entries(buttons)) byId(id)?.addEventListener("click", run);

const list = byId("problems");
const problemsButton = byId("problems-button");
if (list && problemsButton) attachProblems(canvas, problemsButton, list);

/** The keys as a sheet. */
export function showKeys() {
  const close = () => { sheet.close(); sheet.remove(); };
  const sections = keySheet(editor.readOnly).map(({ title, keys }) => h("section", {}, h("h3", {}, title), h("dl", {}, ...keys.flatMap(([chord, words]) => [
    h("dt", {}, .../** @type {string[]} */ (chord).flatMap((key, place) => [place ? " " : "", h("kbd", {}, key)])), h("dd", {}, /** @type {string} */ (words)),
  ]))));
  const sheet = /** @type {HTMLDialogElement} */ (h("dialog", { class: "key-sheet", "aria-labelledby": "keys-title" },
    h("header", {}, h("h2", { id: "keys-title" }, _("Keys of the canvas")), h("button", { type: "button", class: "button", onclick: close }, _("Close"))),
    h("div", { class: "content columns" }, ...sections)));
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

/** Files of the journey, for the menu of the toolbar. @returns {import("./popup.js").Entry[]} */
export const exportEntries = () => [
  { label: _("Save as picture (PNG)"), icon: "image-down", run: () => exportAs(canvas, "png") },
  { label: _("Save as drawing (SVG)"), icon: "download", run: () => exportAs(canvas, "svg") },
  { label: _("Save as YAML"), icon: "file-json", run: () => { location.assign(canvas.data.urls.export + (canvas.data.journey.shown ? `?version=${canvas.data.journey.shown}` : "")); } },
  { label: _("Save as JSON"), icon: "braces", run: () => exportAs(canvas, "json") },
];

/** Opens a menu below a button. @param {HTMLElement} button @param {(import("./popup.js").Entry | null)[]} entries */
export function menuBelow(button, entries) {
  const box = button.getBoundingClientRect();
  openMenu(entries, { x: box.right - 240, y: box.bottom + 6 }, button.getAttribute("aria-label") ?? "");
}

/** The list view and the keys, with hands where the page has some. @param {{deeds: import("./deeds.js").Deeds, adding: import("./adding.js").Adding, menu: (client: {x: number, y: number}) => void, shut: () => boolean} | null} hands */
export function attachHands(hands) {
  const outline = byId("outline");
  const toggle = byId("toggle-list");
  const [deeds, adding] = [hands?.deeds ?? null, hands?.adding ?? null];
  if (outline && toggle) {
    const view = attachOutline({ canvas, root: outline, picker, deeds, adding });
    toggle.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(open));
      byId("studio")?.classList.toggle("listed", open);
      view.toggle(open);
    });
  }
  attachKeyboard({ canvas, deeds, adding, find, menu: hands?.menu ?? (() => {}), help: showKeys, shut: hands?.shut ?? (() => false) });
}

if (canvas.data.mode !== "edit") {
  attachHands(null);
  attachClipboard(canvas, null);
  const more = byId("more");
  more?.addEventListener("click", () => menuBelow(more, exportEntries()));
}
