// Asks under which name to keep a piece, and which of those that are kept to put on the canvas or to forget.

import { ask } from "../dialogs.js";
import { h } from "../dom.js";
import { _, ngettext } from "../i18n.js";
import { pack, unpack } from "./clipboard.js";
import { picker } from "./page.js";
import { shelf } from "./shelf.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./menu.js").Hands} Hands
 * @typedef {{x: number, y: number}} Point
 */

const NAME_AT_MOST = 80;

/** The shelf of whoever sits here. @param {Canvas} canvas */
export const mine = ({ data }) => shelf(data.user?.id ?? "");

/** Keep what is selected, under a name that is asked for. @param {Canvas} canvas */
export async function keep(canvas) {
  const { editor } = canvas;
  const text = pack(editor, editor.selection);
  const [first] = editor.selectedSteps();
  if (!text) return;
  const name = await named(first ? editor.titleOf(first) : "");
  if (!name) return;
  const told = mine(canvas).keep(name, text)
    ? { text: _("“%(name)s” is kept: a right click on open ground brings it, in any journey.", { name }) }
    : { text: _("This browser has no room to keep it."), kind: "bad" };
  editor.emit("toast", told);
}

/** @param {string} proposed @returns {Promise<string>} */
async function named(proposed) {
  const shape = { type: "text", id: "piece-name", maxlength: NAME_AT_MOST, autofocus: true };
  const input = /** @type {HTMLInputElement} */ (h("input", shape));
  input.value = proposed.slice(0, NAME_AT_MOST);
  input.addEventListener("focus", () => input.select());
  const hint = h("p", { class: "hint" }, _("A name that is taken is replaced."));
  const form = h("form", { class: "field" }, h("label", { for: "piece-name" }, _("Name")), input, hint);
  const said = await ask((done) => {
    form.addEventListener("submit", (event) => { event.preventDefault(); done(input.value); });
    return {
      title: _("Keep as a piece"),
      content: [form],
      kind: "question",
      buttons: [
        h("button", { type: "button", class: "button", onclick: () => done("") }, _("Cancel")),
        h("button", { type: "button", class: "button primary", onclick: () => done(input.value) }, _("Keep")),
      ],
    };
  });
  return String(said ?? "").trim();
}

/**
 * Choose a piece to put there, or to forget. @param {Hands} hands @param {Point} client @param {Point | null} point
 * @param {boolean} [away]
 */
export function choose({ canvas, deeds }, client, point, away = false) {
  const pieces = mine(canvas);
  const kept = new Map(pieces.list());
  picker.open({
    at: client,
    label: away ? _("Which piece to forget") : _("Which piece to put here"),
    items: [...kept].map(([key, text]) => ({ key, title: key, hint: size(text), icon: "package" })),
    onPick: ({ key }) => {
      if (!away) return void deeds.paste(/** @type {string} */ (kept.get(key)), point);
      pieces.forget(key);
      const undo = () => { pieces.keep(key, /** @type {string} */ (kept.get(key))); };
      canvas.editor.emit("toast", { text: _("“%(name)s” is forgotten", { name: key }), undo });
    },
  });
}

/** @param {string} text */
const size = (text) => {
  const steps = unpack(text)?.nodes.length ?? 0;
  return steps ? ngettext("%(count)s step", "%(count)s steps", steps) : _("Note");
};
