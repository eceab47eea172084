// The canvas by keys: one stop of the Tab key, arrows follow the flow, one letter a deed. Keys in fields stay the fields'.

import { _ } from "../i18n.js";
import { center } from "./geometry.js";
import { freePort } from "./insert.js";
import { GRID } from "./geometry.js";
import { beside } from "./adding.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {{key: string, shift: boolean, alt: boolean, ctrl: boolean}} Chord
 * @typedef {{canvas: Canvas, deeds: import("./deeds.js").Deeds | null, adding: import("./adding.js").Adding | null,
 *   find: () => void, menu: (client: {x: number, y: number}) => void, help: () => void, shut: () => boolean}} Hands `shut` closes what is open beside the canvas
 */

const ARROWS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
});

/** @param {Hands} hands */
export function attachKeyboard(hands) {
  const { canvas } = hands;
  const { root } = canvas.view;
  root.addEventListener("keydown", (event) => pressed(hands, event));
  let tabbed = false;
  addEventListener("keydown", (event) => { tabbed = event.key === "Tab"; }, { capture: true });
  // Tab comes to the canvas once: the step one was at, else the entry, takes the focus.
  root.addEventListener("focus", () => {
    if (!tabbed || !canvas.editor.flow.steps.size) return;
    const id = currentStep(canvas) ?? firstStep(canvas.editor);
    if (id) go(canvas, id);
  });
  addEventListener("keydown", (event) => pageKeys(hands, event));
}

/** @param {Canvas} canvas @returns {string | null} */
function currentStep({ editor, view }) {
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.closest(".card") : null;
  const id = focused instanceof HTMLElement && view.root.contains(focused) ? focused.dataset.id : null;
  return id && editor.flow.steps.has(id) ? id : editor.selectedSteps().at(-1) ?? null;
}

/** @param {Editor} editor */
function firstStep(editor) {
  const steps = [...editor.flow.steps.values()];
  return (steps.find((step) => editor.types[step.type]?.is_entry) ?? steps[0])?.id ?? null;
}

/** @param {Canvas} canvas @param {string} id */
function go({ editor }, id) {
  editor.select([id]);
  editor.reveal(id);
}

const FIELDS = "input, textarea, select, [contenteditable], dialog, [role=menu]";
const typing = (/** @type {EventTarget | null} */ target) => target instanceof Element && target.closest(FIELDS);

/** Keys that work wherever the focus is, fields apart. @param {Hands} hands @param {KeyboardEvent} event */
function pageKeys(hands, event) {
  const ctrl = event.ctrlKey || event.metaKey;
  if (ctrl && event.key.toLowerCase() === "f" && !event.shiftKey && !event.altKey) {
    if (typing(event.target)) return;
    hands.find();
  } else if (typing(event.target)) return;
  else if (ctrl && hands.deeds && event.key.toLowerCase() === "z") event.shiftKey ? hands.deeds.redo() : hands.deeds.undo();
  else if (ctrl && hands.deeds && event.key.toLowerCase() === "y") hands.deeds.redo();
  else return;
  event.preventDefault();
}

/** @param {Hands} hands @param {KeyboardEvent} event */
function pressed(hands, event) {
  if (typing(event.target) || event.defaultPrevented) return;
  const chord = {
    key: event.key.length === 1 ? event.key.toLowerCase() : event.key, shift: event.shiftKey, alt: event.altKey,
    ctrl: event.ctrlKey || event.metaKey,
  };
  const done = arrows(hands, chord) || looking(hands, chord) || (hands.deeds && hands.adding ? drawing(hands, chord) : false);
  if (done) event.preventDefault();
}

/** @param {Hands} hands @param {Chord} chord */
function arrows({ canvas, deeds }, { key, shift, alt, ctrl }) {
  const way = ARROWS[key];
  if (!way || ctrl) return false;
  const { editor } = canvas;
  const id = currentStep(canvas) ?? firstStep(editor);
  if (alt) {
    deeds?.move(way[0] * GRID, way[1] * GRID);
    return Boolean(deeds);
  }
  if (!id) return false;
  if (shift && way[0]) {
    if (way[0] > 0) deeds?.selectDown(id);
    else deeds?.selectUp(id);
    editor.emit("announce", { text: _("%(count)s steps selected", { count: editor.selection.size }) });
    return true;
  }
  const to = !currentStep(canvas) ? id : way[0] ? along(editor, id, way[0]) : aside(editor, id, way[1]);
  if (to) go(canvas, to);
  return true;
}

/** The step the flow comes from or goes on to. @param {Editor} editor @param {string} id @param {number} way */
function along(editor, id, way) {
  if (way < 0) return editor.flow.wiresTo(id)[0]?.from ?? null;
  for (const port of editor.portsOf(id)) {
    const wire = editor.flow.wireAt(id, port.name);
    if (wire && editor.flow.steps.has(wire.to)) return wire.to;
  }
  return null;
}

/**
 * The nearest step above or below, those of the same column first. @param {Editor} editor @param {string} id
 * @param {number} way
 */
function aside(editor, id, way) {
  const here = center(editor.rectOf(id));
  let [nearest, least] = [/** @type {string | null} */ (null), Infinity];
  for (const other of editor.flow.steps.keys()) {
    const there = center(editor.rectOf(other));
    const down = (there.y - here.y) * way;
    if (other === id || down <= 4) continue;
    const far = down + 3 * Math.abs(there.x - here.x);
    if (far < least) [nearest, least] = [other, far];
  }
  return nearest;
}

/** @param {Hands} hands @param {Chord} chord */
function looking(hands, { key, shift, alt, ctrl }) {
  const { canvas } = hands;
  const { editor, viewport } = canvas;
  if (ctrl || alt) return false;
  const id = currentStep(canvas);
  const deeds = /** @type {Record<string, () => void>} */ ({
    0: () => viewport.fit(editor.bounds()),
    1: () => viewport.actualSize(),
    "+": () => viewport.zoomIn(),
    "=": () => viewport.zoomIn(),
    "-": () => viewport.zoomOut(),
    Home: () => { const first = firstStep(editor); if (first) go(canvas, first); },
    Escape: () => {
      if (hands.shut()) return;
      editor.select([]);
      canvas.view.root.focus({ preventScroll: true });
    },
    Enter: () => { if (id) editor.emit("open", { id, focus: true }); },
    "/": () => hands.find(),
    "?": () => hands.help(),
    ContextMenu: () => hands.menu(spot(canvas, id)),
    F10: () => { if (shift) hands.menu(spot(canvas, id)); },
  });
  if (!(key in deeds) || (key === "F10" && !shift)) return false;
  deeds[key]();
  return true;
}

/** @param {Canvas} canvas @param {string | null} id */
const spot = (canvas, id) => (id ? beside(canvas, id) : { x: canvas.viewport.left + 80, y: canvas.viewport.top + 80 });

/** @param {Hands} hands @param {Chord} chord */
function drawing({ canvas, deeds, adding }, { key, ctrl, alt, shift }) {
  const { editor } = canvas;
  if (!deeds || !adding || alt) return false;
  const id = currentStep(canvas);
  const [selected] = editor.selection;
  if (ctrl) {
    const held = /** @type {Record<string, () => void>} */ ({ a: deeds.selectAll, d: () => deeds.duplicate() });
    held[key]?.();
    return key in held;
  }
  const plain = /** @type {Record<string, () => void>} */ ({
    a: () => addHere(canvas, adding, id),
    c: () => { if (id) shift ? deeds.connectFrom(id) : deeds.connect(id); },
    n: () => deeds.note(),
    g: () => { if (editor.selectedSteps().length) deeds.group(); },
    t: () => { deeds.tidy({ around: shift }); },
    2: () => deeds.fitSelected(),
    F2: () => { if (id) deeds.rename(id); },
    Delete: () => deeds.remove(editor.selection.size ? editor.selection : id ? [id] : []),
    Backspace: () => { if (selected) deeds.remove(); },
  });
  plain[key]?.();
  return key in plain;
}

/** @param {Canvas} canvas @param {import("./adding.js").Adding} adding @param {string | null} id */
function addHere(canvas, adding, id) {
  const port = id ? freePort(canvas.editor, id) : null;
  const place = id && port ? { after: { id, port } } : adding.besideSelected();
  adding.ask(
    place,
    id ? beside(canvas, id) : { x: canvas.viewport.left + canvas.viewport.width / 2 - 160, y: canvas.viewport.top + 120 },
  );
}
