// When a menu is asked for: right click, Shift F10, a long press. What stands in it is in menu.js, which comes then.

import { keysWait } from "./bring.js";
import { hitAt } from "./pointer.js";

/** @typedef {{x: number, y: number}} Point */

const LONG_MS = 550;
const STILL = 8;

/** @param {import("./menu.js").Hands} hands */
export function attachMenu(hands) {
  const { editor, view } = hands.canvas;
  const open = async (/** @type {Point} */ client, /** @type {Point | null} */ point) => {
    await keysWait(async () => (await import("./menu.js")).openFor(hands, client, point));
  };
  editor.on("menu", ({ client, point }) => {
    // Asked anew: the event itself went to whoever held the pointer.
    const { key } = hitAt(view, client);
    if (key && !editor.selection.has(key)) editor.select([key]);
    else if (!key) editor.select([]);
    open(client, point);
  });
  longPress(view.root, (client) => {
    const card = document.elementFromPoint(client.x, client.y)?.closest(".card");
    const id = card instanceof HTMLElement ? card.dataset.id : null;
    if (id && !editor.selection.has(id)) editor.select([id]);
    open(client, hands.canvas.viewport.toWorld(client.x, client.y));
  });
  return (/** @type {Point} */ client) => open(client, null);
}

/** @param {HTMLElement} root @param {(client: Point) => void} open */
function longPress(root, open) {
  let timer = 0;
  /** @type {Point} */
  let start = { x: 0, y: 0 };
  root.addEventListener("pointerdown", (event) => {
    clearTimeout(timer);
    if (event.pointerType !== "touch" || !event.isPrimary) return;
    start = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => open(start), LONG_MS);
  });
  root.addEventListener(
    "pointermove",
    (event) => { if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL) clearTimeout(timer); },
  );
  for (const name of ["pointerup", "pointercancel", "canvas-pinch"]) root.addEventListener(name, () => clearTimeout(timer));
}
