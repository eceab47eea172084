// The sheet that tells the keys of the canvas.

import { h } from "../dom.js";
import { _ } from "../i18n.js";

/** What the help sheet says. @param {boolean} reading */
const keySheet = (reading) => [
  { title: _("Getting about"), keys: [
    [["←", "→"], _("Follow the flow back and on")], [["↑", "↓"], _("To the step above, below")], [["Home"], _("To the entry")],
    [["Ctrl", "F"], _("Find a step")], [["0"], _("Everything in view")], [["1"], _("Actual size")], [["2"], _("Selection in view")], [["+", "−"], _("Zoom in, out")],
  ] },
  ...(reading ? [] : [
    { title: _("Drawing"), keys: [
      [["A"], _("Add a step behind this one")], [["C"], _("Connect to a step")], [["Shift", "C"], _("Lead here from another step")], [["Enter"], _("Open the settings")], [["F2"], _("Rename")],
      [
        ["Delete"], _("Delete, and close the path"),
      ], [["N"], _("Add a note")], [["G"], _("Frame the selected steps")], [["T"], _("Tidy up")], [["Shift", "T"], _("Tidy up around placed steps")],
    ] },
    { title: _("Selecting and moving"), keys: [
      [["Shift", "→"], _("Select all that follows")], [
        ["Shift", "←"], _("Select all that leads here"),
      ], [["Ctrl", "A"], _("Select everything")],
      [["Alt", "←↑↓→"], _("Move")], [["Ctrl", "D"], _("Duplicate")], [["Ctrl", "C"], _("Copy")], [["Ctrl", "V"], _("Paste")], [["Ctrl", "Z"], _("Undo")], [["Ctrl", "Y"], _("Redo")],
    ] },
  ]),
];

/** @param {boolean} reading whether the page only reads */
export function showKeys(reading) {
  const close = () => { sheet.close(); sheet.remove(); };
  const sections = keySheet(reading).map(({ title, keys }) => h(
    "section", {}, h("h3", {}, title), h("dl", {}, ...keys.flatMap(row)),
  ));
  const sheet = /** @type {HTMLDialogElement} */ (h("dialog", { class: "key-sheet", "aria-labelledby": "keys-title" },
    h(
      "header", {}, h("h2", { id: "keys-title" }, _("Keys of the canvas")),
      h("button", { type: "button", class: "button", onclick: close }, _("Close")),
    ),
    h("div", { class: "content columns" }, ...sections)));
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

/** @param {any[]} line a chord and what it does */
const row = ([chord, words]) => [
  h(
    "dt", {},
    ...chord.flatMap((/** @type {string} */ key, /** @type {number} */ place) => [place ? " " : "", h("kbd", {}, key)]),
  ),
  h("dd", {}, words),
];
