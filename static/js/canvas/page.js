// What every canvas page has, whatever its mode: the canvas itself, the bar below it, finding, keys, exports.
// Scripts of a mode import `canvas`, `picker` and `news` from here. Changes nothing: the editor's hands are in edit.js.

import { _ } from "../i18n.js";
import { keysWait } from "./bring.js";
import { attachClipboard } from "./exchange.js";
import { attachKeyboard } from "./keyboard.js";
import { mountPage } from "./main.js";
import { openMenu, Picker } from "./popup.js";
import { openStream } from "./presence.js";
import { attachProblems } from "./problems.js";

/** @typedef {import("./main.js").Canvas} Canvas */

export const canvas = /** @type {Canvas} */ (await mountPage());
export const picker = new Picker();
export const find = () => keysWait(async () => (await import("./find.js")).finder(canvas, picker)());

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/** @type {EventTarget | null} */
let stream = null;
/** The page's one stream of news; the first to ask says what it is about. @param {string} [query] @returns {EventTarget} */
export const news = (query = `mode=${canvas.data.mode}`) => (stream ??= openStream(`${canvas.data.urls.stream}?${query}`));

// ── the bar below ────────────────────────────────────────────────────────────────────────────────────────────────────

const { viewport, editor } = canvas;
const percent = byId("zoom-value");
let told = 0;
const showZoom = () => {
  const now = Math.round(viewport.zoom * 100);
  if (percent && now !== told) percent.textContent = `${now} %`; // a pan must not lay the bar out
  told = now;
};
editor.on("viewport", showZoom);
showZoom();

/** @type {Record<string, () => void>} */
const buttons = {
  "zoom-out": () => viewport.zoomOut(),
  "zoom-in": () => viewport.zoomIn(),
  zoom: () => viewport.actualSize(),
  fit: () => viewport.fit(editor.bounds()),
  find: () => { find(); },
  keys: () => { showKeys(); },
  "toggle-map": () => {
    const shown = byId("toggle-map")?.getAttribute("aria-pressed") !== "true";
    byId("toggle-map")?.setAttribute("aria-pressed", String(shown));
    canvas.minimap.element.hidden = !shown;
    canvas.view.schedule();
  },
};
for (const [id, run] of Object.entries(buttons)) byId(id)?.addEventListener("click", run);

const list = byId("problems");
const problemsButton = byId("problems-button");
if (list && problemsButton) attachProblems(canvas, problemsButton, list);

/** The keys as a sheet. */
export const showKeys = () => keysWait(async () => (await import("./keysheet.js")).showKeys(editor.readOnly));

/** What draws files comes when a file is wanted. @param {"svg" | "png" | "json"} kind */
const exportAs = async (kind) => (await import("./export.js")).exportAs(canvas, kind);

/** Files of the journey, for the menu of the toolbar. @returns {import("./popup.js").Entry[]} */
export const exportEntries = () => [
  { label: _("Save as picture (PNG)"), icon: "image-down", run: () => exportAs("png") },
  { label: _("Save as drawing (SVG)"), icon: "download", run: () => exportAs("svg") },
  {
    label: _("Save as YAML"), icon: "file-json",
    run: () => { location.assign(canvas.data.urls.export + (canvas.data.journey.shown ? `?version=${canvas.data.journey.shown}` : "")); },
  },
  { label: _("Save as JSON"), icon: "braces", run: () => exportAs("json") },
];

/** Opens a menu below a button. @param {HTMLElement} button @param {(import("./popup.js").Entry | null)[]} entries */
export function menuBelow(button, entries) {
  const box = button.getBoundingClientRect();
  openMenu(entries, { x: box.right - 240, y: box.bottom + 6 }, button.getAttribute("aria-label") ?? "");
}

/**
 * The list view and the keys, with hands where the page has some.
 * @param {{deeds: import("./deeds.js").Deeds, adding: import("./adding.js").Adding, menu: (client: {x: number, y: number}) => void, shut: () => boolean} | null} hands
 */
export function attachHands(hands) {
  const outline = byId("outline");
  const toggle = byId("toggle-list");
  const [deeds, adding] = [hands?.deeds ?? null, hands?.adding ?? null];
  /** @type {Promise<{toggle: (open: boolean) => void}> | null} */
  let listed = null;
  toggle?.addEventListener("click", async () => {
    if (!outline) return;
    const open = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(open));
    byId("studio")?.classList.toggle("listed", open);
    listed ??= import("./outline.js").then(({ attachOutline }) => attachOutline({
      canvas, root: outline, picker, deeds, adding,
    }));
    (await listed).toggle(open);
  });
  attachKeyboard({
    canvas, deeds, adding, find, menu: hands?.menu ?? (() => {}), help: showKeys, shut: hands?.shut ?? (() => false),
  });
}

if (canvas.data.mode !== "edit") {
  attachHands(null);
  attachClipboard(canvas, null);
  const more = byId("more");
  more?.addEventListener("click", () => menuBelow(more, exportEntries()));
}
