// Puts the canvas together from the page's data. A page that only reads gets no handler that could change anything.

import { pageData } from "../dom.js";
import { attachConnect } from "./connect.js";
import { attachDrag } from "./drag.js";
import { Editor } from "./editor.js";
import { attachMarquee } from "./marquee.js";
import { Minimap } from "./minimap.js";
import { attachNavigation } from "./navigate.js";
import { Pointer, hitOf } from "./pointer.js";
import { attachSelection } from "./select.js";
import { View } from "./view.js";
import { Viewport } from "./viewport.js";

/**
 * @typedef {{editor: Editor, view: View, viewport: Viewport, pointer: Pointer, minimap: Minimap, data: any}} Canvas
 * @typedef {HTMLElement & {editor?: Editor, canvas?: Canvas}} CanvasRoot
 */

/**
 * @param {CanvasRoot} root an empty element that fills its place
 * @param {any} data what the page carries in #canvas-data
 * @returns {Promise<Canvas>}
 */
export async function mountCanvas(root, data) {
  performance.mark("canvas:start");
  const editor = new Editor({ ...data, readOnly: data.mode !== "edit" || data.can?.edit === false });
  // Nearly every journey has its places; what finds some comes for the others only.
  const lost = [...editor.flow.steps.values()].some((step) => typeof step.x !== "number" || typeof step.y !== "number");
  if (lost) await (await import("./layout.js")).placeUnplaced(editor);
  const { journey, user, mode = "edit" } = data;
  const viewport = new Viewport({ memory: journey ? `canvas ${user?.id ?? ""} ${journey.id} ${mode}` : null });
  prepare(root, mode);
  viewport.resize(root.getBoundingClientRect());
  const view = new View(editor, viewport, root);
  const pointer = new Pointer(view);
  const minimap = new Minimap(view);
  navigation(root, view, pointer);
  if (!editor.readOnly) {
    attachConnect(view, pointer);
    attachDrag(view, pointer);
  }
  attachSelection(view, pointer);
  attachMarquee(view, pointer);
  new ResizeObserver(() => viewport.resize(root.getBoundingClientRect())).observe(root);
  addEventListener("scroll", () => viewport.resize(root.getBoundingClientRect()), { passive: true });
  speak(editor, root);
  viewport.open(editor.bounds(), entryOf(editor));
  view.flush();
  // Two frames later it is on the screen: what `make bench-canvas` calls mounted.
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("canvas:mounted")));
  await shown();
  const canvas = { editor, view, viewport, pointer, minimap, data };
  Object.assign(root, { editor, canvas });
  root.dataset.ready = "true";
  return canvas;
}

/** The journey is painted before bars, palette and the rest are built; a page in the background is never painted. */
const shown = () => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(done));
  setTimeout(done, 100);
});

/** @param {HTMLElement} root @param {string} mode */
function prepare(root, mode) {
  root.classList.add("canvas");
  root.dataset.mode = mode;
  if (!root.hasAttribute("tabindex")) root.tabIndex = 0;
}

/** @param {HTMLElement} root @param {View} view @param {Pointer} pointer */
function navigation(root, view, pointer) {
  const { editor, viewport } = view;
  const hitUnder = (/** @type {PointerEvent} */ event) => (
    hitOf(view, /** @type {Element} */ (event.target), viewport.toWorld(event.clientX, event.clientY))
  );
  attachNavigation(root, viewport, {
    onMenu: (event) => {
      const { key, kind } = hitUnder(event);
      editor.emit("menu", { key, kind, point: viewport.toWorld(event.clientX, event.clientY), client: { x: event.clientX, y: event.clientY } });
    },
    // A finger moves what is selected, draws from a port, and pans everywhere else.
    mayPan: (event) => {
      const { kind, key } = hitUnder(event);
      if (kind === "control" || kind === "grip") return false;
      return editor.readOnly || !(kind === "port" || kind === "end" || (key !== null && editor.selection.has(key)));
    },
  });
  // A second finger ends what the first one began.
  root.addEventListener("canvas-pinch", () => pointer.cancel());
}

/** What is to be heard goes to a live region of its own, what is to be read to the page's toasts. @param {Editor} editor @param {HTMLElement} root */
function speak(editor, root) {
  const region = document.createElement("div");
  region.className = "spoken";
  region.setAttribute("aria-live", "polite");
  root.append(region);
  editor.on("announce", ({ text }) => { region.textContent = text; });
  editor.on("toast", (detail) => {
    region.textContent = detail.text;
    document.body.dispatchEvent(new CustomEvent("toast", { bubbles: true, detail }));
  });
}

/** Where the journey begins: its entry that stands furthest to the left. @param {Editor} editor */
function entryOf(editor) {
  const steps = [...editor.flow.steps.values()];
  const entries = steps.filter((step) => editor.types[step.type]?.is_entry);
  const [first] = (entries.length ? entries : steps).sort((one, other) => (one.x ?? 0) - (other.x ?? 0));
  return first ? editor.rectOf(first.id) : null;
}

/** Mounts the canvas of a page, if the page has one. @returns {Promise<Canvas | null>} */
export async function mountPage() {
  const root = document.getElementById("canvas");
  const data = pageData("canvas-data");
  return root && data ? mountCanvas(root, data) : null;
}
