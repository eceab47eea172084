// Where a step is asked for on the canvas itself: a line let go in the open, a double click, the plus on a wire.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { CARD, onGrid } from "./geometry.js";
import { splicing } from "./insert.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./adding.js").Adding} Adding
 * @typedef {import("./geometry.js").Point} Point
 */

const HIDE_MS = 220;
const NEAR = 14;

/** @param {Canvas} canvas @param {Adding} adding */
export function attachQuickAdd(canvas, adding) {
  const { editor } = canvas;
  editor.on("quickadd", ({ from, port, point, client, release }) => {
    const at = { x: onGrid(point.x), y: onGrid(point.y - (from ? CARD.input : CARD.header / 2)) };
    // The pointer has just been let go: what opens now would be taken for something clicked away.
    requestAnimationFrame(() => adding.ask(from ? { after: { id: from, port }, at } : { at }, client, { onClose: release }));
  });
  attachPlus(canvas, adding);
  attachDropOnWire(canvas);
}

/**
 * One plus for all wires: it sits on the one under the pointer, or on the selected one. @param {Canvas} canvas
 * @param {Adding} adding
 */
function attachPlus({ editor, view }, adding) {
  /** @type {string | null} */
  let key = null;
  let hiding = 0;
  const plus = h("button", {
    type: "button", class: "wire-plus", tabindex: -1, hidden: true, "data-keeps-hover": true,
    title: _("Insert a step"), "aria-label": _("Insert a step"),
    onclick: (/** @type {MouseEvent} */ event) => {
      const box = plus.getBoundingClientRect();
      if (key) adding.ask({ on: key }, { x: box.right + 8, y: box.top - 8 });
      event.stopPropagation();
    },
  }, icon("plus"));
  view.world.append(plus);
  const show = (/** @type {string | null} */ wire) => {
    clearTimeout(hiding);
    key = wire && editor.flow.wires.has(wire) && view.wires.endsOf(wire) ? wire : null;
    plus.hidden = !key;
    if (!key) return;
    const { x, y } = view.wires.middle(key);
    const aside = editor.selection.has(key) ? 30 : 0;
    plus.style.transform = `translate(${x - aside}px,${y}px)`;
  };
  const selected = () => (editor.selection.size === 1 && editor.flow.wires.has([...editor.selection][0]) ? [...editor.selection][0] : null);
  editor.on("hover", ({ key: over }) => {
    clearTimeout(hiding);
    if (over) show(over);
    else hiding = setTimeout(() => show(selected()), HIDE_MS);
  });
  for (const event of /** @type {const} */ (["selection", "change", "load"])) editor.on(event, () => show(selected()));
  editor.on("move", ({ phase }) => show(phase === "move" ? null : selected()));
}

/** A loose step carried over a wire lights it; let go there, it is spliced in. @param {Canvas} canvas */
function attachDropOnWire({ editor, view }) {
  /** @type {string | null} */
  let aimed = null;
  const aim = (/** @type {string | null} */ key) => {
    if (key === aimed) return;
    if (aimed) view.mark(aimed, "aimed", false);
    if (key) view.mark(key, "aimed");
    aimed = key;
  };
  editor.on("move", (move) => {
    const [id] = move.ids;
    const fits = (/** @type {string | null} */ key) => (key && splicing(editor, id, key).length ? key : null);
    if (move.phase === "move") aim(move.ids.length === 1 ? fits(wireNear(view, middleOf(editor, id), id)) : null);
    else {
      if (move.phase === "drop" && aimed) {
        move.ops.push(...splicing(editor, id, aimed));
        move.label = _("Insert step");
      }
      aim(null);
    }
  });
}

/** @param {import("./editor.js").Editor} editor @param {string} id @returns {Point} */
function middleOf(editor, id) {
  const rect = editor.rectOf(id);
  return { x: rect.x + rect.width / 2, y: rect.y + CARD.input };
}

/**
 * The wire that something let go here would be put on. @param {import("./view.js").View} view @param {Point} point
 * @param {string} [but] a step whose own wires are not meant
 */
export const wireNear = (view, point, but) => view.wires.near(point, Math.max(NEAR, NEAR / view.viewport.zoom), but);
