// Beside the canvas, one invented person walks the journey as it is drawn: the simulator's drawer and the path on the canvas.
import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { openSimulator } from "../simulator.js";
import { wireKey } from "./model.js";

/** @typedef {import("./main.js").Canvas} Canvas */
/** @type {HTMLElement | null} */
let drawer = null;
let hears = false;

/** The drawer's own looks; only who opens it needs them. */
function dress() {
  if (document.getElementById("simulate-css")) return;
  const href = new URL("../../css/simulate.css", import.meta.url).pathname;
  document.head.append(h("link", { id: "simulate-css", rel: "stylesheet", href }));
}

/** @param {Canvas} canvas */
function close(canvas) {
  drawer?.remove();
  drawer = null;
  document.getElementById("studio")?.classList.remove("trying");
  canvas.view.setOverlay(null);
  document.getElementById("simulate")?.focus();
}

/** Draw the way that was walked. @param {Canvas} canvas @param {any} said */
function draw(canvas, said) {
  if (!drawer) return;
  const { path = [], at = "", entered = false } = said?.value ?? said ?? {};
  if (!entered) {
    canvas.view.setOverlay(null);
    return;
  }
  const steps = [...path.map((/** @type {{node: string}} */ one) => one.node), at];
  const used = path.filter((/** @type {{port: string}} */ one) => one.port);
  const wires = used.map((/** @type {{node: string, port: string}} */ one) => wireKey(one.node, one.port));
  canvas.view.setOverlay("path", { steps, wires, current: at });
  if (at && canvas.editor.flow.steps.has(at)) canvas.editor.reveal(at);
}

/** Open the drawer, or close it where it is open. @param {Canvas} canvas */
export async function toggleTryout(canvas) {
  if (drawer) {
    close(canvas);
    return;
  }
  dress();
  const host = h("div", { class: "tryout-body" });
  const end = h("button", { type: "button", class: "button quiet only-icon", "aria-label": _("Close"), onclick: () => close(canvas) }, icon("x"));
  drawer = h("aside", { class: "tryout", "aria-label": _("Simulator") }, h("header", {}, icon("flask-conical"), h("h2", {}, _("Try it")), end), host);
  const studio = /** @type {HTMLElement} */ (document.getElementById("studio"));
  studio.append(drawer);
  studio.classList.add("trying");
  if (!hears) document.addEventListener("simulated", (event) => draw(canvas, /** @type {CustomEvent} */ (event).detail));
  hears = true;
  drawer.addEventListener("keydown", (event) => { if (event.key === "Escape") close(canvas); });
  await openSimulator({ host, url: canvas.data.urls.simulate, document: () => canvas.editor.flow.toDocument() });
  /** @type {HTMLElement | null} */ (host.querySelector("select, button"))?.focus();
}

