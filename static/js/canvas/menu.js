// The menu of what is under the pointer: right click, Shift F10, a long press. Only deeds that make sense there.

import { _ } from "../i18n.js";
import { freePort } from "./insert.js";
import { idOf, kindOf } from "./model.js";
import { openMenu } from "./popup.js";
import { pack } from "./clipboard.js";
import { choose, keep, mine } from "./pieces.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./popup.js").Entry} Entry
 * @typedef {{canvas: Canvas, deeds: import("./deeds.js").Deeds, adding: import("./adding.js").Adding}} Hands
 * @typedef {{x: number, y: number}} Point
 */

/** @param {Hands} hands @param {Point} client @param {Point | null} point */
export function openFor(hands, client, point) {
  const { editor } = hands.canvas;
  const keys = [...editor.selection];
  const kind = keys.length ? kindOf(keys[0]) : "ground";
  const entries = {
    ground: () => groundEntries(hands, client, point),
    step: () => (editor.selectedSteps().length > 1 ? manyEntries(hands) : stepEntries(hands, keys[0], client)),
    wire: () => wireEntries(hands, keys[0], client),
    note: () => [bin(hands)],
    group: () => [{ label: _("Ungroup"), icon: "ungroup", run: () => hands.deeds.ungroup(idOf(keys[0])) }],
  }[kind]();
  openMenu(entries, client, _("What to do here"));
}

/** @param {Hands} hands @returns {Entry} */
const bin = ({ deeds }) => ({ label: _("Delete"), icon: "trash-2", keys: "Del", danger: true, run: () => deeds.remove() });

/** @param {Hands} hands @param {string} id @param {Point} client @returns {(Entry | null)[]} */
function stepEntries({ canvas, deeds, adding }, id, client) {
  const { editor } = canvas;
  const port = freePort(editor, id);
  const entry = Boolean(editor.types[editor.flow.steps.get(id)?.type ?? ""]?.is_entry);
  return [
    { label: _("Edit"), icon: "settings", keys: "Enter", run: () => editor.emit("open", { id, focus: true }) },
    { label: _("Rename"), icon: "pencil", keys: "F2", run: () => deeds.rename(id) },
    null,
    {
      label: _("Add a step after"), icon: "plus", keys: "A", disabled: !port,
      run: () => adding.ask({ after: { id, port: /** @type {string} */ (port) } }, client),
    },
    { label: _("Connect to…"), icon: "route", keys: "C", disabled: !editor.portsOf(id).length, run: () => deeds.connect(id) },
    { label: _("Lead here from…"), icon: "corner-down-right", keys: "⇧ C", disabled: entry, run: () => deeds.connectFrom(id) },
    { label: _("Add a note"), icon: "sticky-note", keys: "N", run: () => deeds.note() },
    null,
    { label: _("Copy"), icon: "copy", keys: "Ctrl C", run: () => copyText(canvas) },
    { label: _("Duplicate"), icon: "square-stack", keys: "Ctrl D", run: () => deeds.duplicate() },
    { label: _("Keep as a piece…"), icon: "package", run: () => keep(canvas) },
    { label: _("Select all that follows"), icon: "arrow-right", keys: "⇧ →", run: () => deeds.selectDown(id) },
    { label: _("Select all that leads here"), icon: "arrow-left", keys: "⇧ ←", run: () => deeds.selectUp(id) },
    null,
    { label: _("Delete"), icon: "trash-2", keys: "Del", danger: true, run: () => deeds.remove([id]) },
  ];
}

/** @param {Hands} hands @returns {(Entry | null)[]} */
function manyEntries(hands) {
  const { canvas, deeds } = hands;
  return [
    { label: _("Line up left"), icon: "align-start-vertical", run: () => deeds.align("left") },
    { label: _("Line up centres"), icon: "align-center-vertical", run: () => deeds.align("center") },
    { label: _("Line up top"), icon: "align-start-horizontal", run: () => deeds.align("top") },
    { label: _("Line up middles"), icon: "align-center-horizontal", run: () => deeds.align("middle") },
    { label: _("Spread across"), icon: "align-horizontal-distribute-center", run: () => deeds.spread("across") },
    { label: _("Spread down"), icon: "align-vertical-distribute-center", run: () => deeds.spread("down") },
    { label: _("Tidy up selection"), icon: "wand-sparkles", keys: "T", run: () => deeds.tidy() },
    null,
    { label: _("Frame the selected steps"), icon: "group", keys: "G", run: () => deeds.group() },
    { label: _("Copy"), icon: "copy", keys: "Ctrl C", run: () => copyText(canvas) },
    { label: _("Duplicate"), icon: "square-stack", keys: "Ctrl D", run: () => deeds.duplicate() },
    { label: _("Keep as a piece…"), icon: "package", run: () => keep(canvas) },
    null,
    bin(hands),
  ];
}

/** @param {Hands} hands @param {string} key @param {Point} client @returns {(Entry | null)[]} */
function wireEntries({ canvas, deeds, adding }, key, client) {
  const wire = /** @type {import("./model.js").Wire} */ (canvas.editor.flow.wires.get(key));
  return [
    { label: _("Insert a step"), icon: "plus", keys: "A", run: () => adding.ask({ on: key }, client) },
    { label: _("Lead to another step…"), icon: "route", run: () => deeds.connect(wire.from, wire.port) },
    { label: _("Begin at another step…"), icon: "corner-down-right", run: () => deeds.connectFrom(wire.to, key) },
    { label: _("Cut connection"), icon: "scissors", keys: "Del", danger: true, run: () => deeds.remove([key]) },
  ];
}

/** @param {Hands} hands @param {Point} client @param {Point | null} point @returns {(Entry | null)[]} */
function groundEntries(hands, client, point) {
  const { canvas, deeds, adding } = hands;
  const pieces = mine(canvas).list().length ? [
    { label: _("Put a kept piece here…"), icon: "package", run: () => choose(hands, client, point) },
    { label: _("Forget a kept piece…"), icon: "x", run: () => choose(hands, client, point, true) },
    null,
  ] : [];
  return [
    {
      label: _("Add a step"), icon: "plus", keys: "A",
      run: () => adding.ask(point ? { at: point } : adding.besideSelected(), client),
    },
    { label: _("Add a note"), icon: "sticky-note", keys: "N", run: () => deeds.note(point) },
    { label: _("Select everything"), icon: "square-dashed-mouse-pointer", keys: "Ctrl A", run: () => deeds.selectAll() },
    null,
    ...pieces,
    { label: _("Tidy up"), icon: "wand-sparkles", keys: "T", run: () => deeds.tidy() },
    {
      label: _("Tidy up around placed steps"), icon: "pin", keys: "⇧ T", disabled: !deeds.placed.size,
      run: () => deeds.tidy({ around: true }),
    },
    { label: _("Everything in view"), icon: "maximize", keys: "0", run: () => canvas.viewport.fit(canvas.editor.bounds()) },
  ];
}

/** Copying from a menu: the browser's own event brings the clipboard without asking for a permission. @param {Canvas} canvas */
function copyText(canvas) {
  const text = pack(canvas.editor, canvas.editor.selection);
  const put = (/** @type {ClipboardEvent} */ event) => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  addEventListener("copy", put, { capture: true, once: true });
  document.execCommand("copy");
  removeEventListener("copy", put, { capture: true });
  canvas.editor.emit("announce", { text: _("Copied") });
}
