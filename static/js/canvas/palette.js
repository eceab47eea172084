// The steps one can use, by group: find, click, drag onto the canvas, onto a wire or behind a step.

import { h, icon, nodeIcon } from "../dom.js";
import { _ } from "../i18n.js";
import { rank } from "./fuzzy.js";
import { CARD, onGrid } from "./geometry.js";
import { freePort, refusal } from "./insert.js";
import { hitAt } from "./pointer.js";
import { wireNear } from "./quickadd.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./adding.js").Adding} Adding
 * @typedef {{x: number, y: number}} Point
 */

const STILL = 5;

/** @param {HTMLElement} root @param {Canvas} canvas @param {Adding} adding */
export function attachPalette(root, canvas, adding) {
  const { editor } = canvas;
  const field = /** @type {HTMLInputElement} */ (h(
    "input", { type: "search", placeholder: _("Find a step"), "aria-label": _("Find a step"), autocomplete: "off" },
  ));
  const list = h("div", { class: "palette-list" });
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const [type, { group_title: title = "" }] of Object.entries(editor.types)) groups.set(
    title, [...(groups.get(title) ?? []), type],
  );
  const sections = [...groups].map(([title, types]) => h(
    "section", {}, h("h2", {}, title), ...types.map((type) => itemOf(type)),
  ));
  const found = h("section", { hidden: true });
  list.append(...sections, found);
  const shut = () => root.classList.remove("open");
  const close = h(
    "button",
    { type: "button", class: "button quiet only-icon only-narrow", "aria-label": _("Close"), onclick: shut },
    icon("x"),
  );
  root.append(h("div", { class: "top" }, h("div", { class: "search" }, icon("search"), field), close), list);
  // On a phone the steps lie over the canvas: a touch on it puts them away.
  canvas.view.root.addEventListener("pointerdown", shut, { capture: true });

  /** @param {string} type */
  function itemOf(type) {
    const { title, help, hue } = /** @type {any} */ (editor.types[type]);
    return h(
      "button", { type: "button", class: "palette-item", dataset: { type }, title: help },
      h("span", { class: `tile ${hue ?? "flow"}` }, nodeIcon(type)), h(
        "span", { class: "words" }, h("b", {}, title), h("small", {}, help),
      ),
    );
  }

  const search = () => {
    const query = field.value.trim();
    const types = query ? rank(
      query, Object.keys(editor.types),
      (type) => [/** @type {any} */ (editor.types[type]).title, /** @type {any} */ (editor.types[type]).searchable ?? ""],
    ) : [];
    found.hidden = !query;
    for (const section of sections) section.hidden = Boolean(query);
    found.replaceChildren(...(types.length ? types.map(itemOf) : [h("p", { class: "none" }, _("No step of this name"))]));
  };
  const choose = (/** @type {string} */ type) => {
    const place = adding.besideSelected();
    const wrong = refusal(editor, type, place);
    adding.add(type, wrong ? { at: loosePlace(canvas) } : place);
    shut();
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    const first = /** @type {HTMLElement | null} */ (list.querySelector("section:not([hidden]) .palette-item"));
    if (event.key === "Enter" && !event.isComposing) first?.click();
    if (event.key === "Escape" && field.value) {
      field.value = "";
      search();
    } else if (event.key === "Escape" && root.classList.contains("open")) shut();
    else if (event.key === "ArrowDown") first?.focus();
    else return;
    event.preventDefault();
  });
  list.addEventListener("keydown", (event) => walk(event, list, field));
  list.addEventListener("click", (event) => {
    const item = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".palette-item"));
    if (item?.dataset.type) choose(item.dataset.type);
  });
  attachPaletteDrag(list, canvas, adding);
  return { focus: () => { root.classList.add("open"); field.focus(); field.select(); } };
}

/** @param {KeyboardEvent} event @param {HTMLElement} list @param {HTMLElement} field */
function walk(event, list, field) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const items = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("section:not([hidden]) .palette-item")]);
  const place = items.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + step;
  (place < 0 ? field : items[place])?.focus();
  event.preventDefault();
}

/** @param {Canvas} canvas */
function loosePlace({ editor, viewport }) {
  const all = editor.bounds();
  const seen = viewport.visible();
  return all ? { x: onGrid(Math.max(seen.x + 32, all.x)), y: onGrid(all.y + all.height + 48) } : { x: 0, y: 0 };
}

// ── dragging ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {HTMLElement} list @param {Canvas} canvas @param {Adding} adding */
function attachPaletteDrag(list, canvas, adding) {
  /** @type {{type: string, item: HTMLElement, start: Point, id: number, ghost: HTMLElement | null} | null} */
  let load = null;
  const aim = aiming(canvas);
  let dragged = false;

  list.addEventListener("pointerdown", (event) => {
    const item = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".palette-item"));
    dragged = false;
    if (!item?.dataset.type || event.button !== 0) return;
    load = { type: item.dataset.type, item, start: { x: event.clientX, y: event.clientY }, id: event.pointerId, ghost: null };
  });
  list.addEventListener("dragstart", (event) => event.preventDefault());
  // What was dragged was not clicked.
  list.addEventListener("click", (event) => { if (dragged) event.stopImmediatePropagation(); }, { capture: true });
  addEventListener("pointermove", (event) => {
    if (!load || event.pointerId !== load.id) return;
    if (!load.ghost) {
      if (Math.hypot(event.clientX - load.start.x, event.clientY - load.start.y) < STILL) return;
      load.ghost = lift(canvas, load.type);
      dragged = true;
    }
    load.ghost.style.transform = `translate(${event.clientX}px,${event.clientY}px) scale(${canvas.viewport.zoom})`;
    aim.at(load.type, event);
  });
  const end = (/** @type {PointerEvent} */ event) => {
    if (!load || event.pointerId !== load.id) return;
    const { type, ghost } = load;
    load = null;
    ghost?.remove();
    const place = aim.take();
    if (ghost && place && event.type === "pointerup") adding.add(type, place);
  };
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !load?.ghost) return;
    load.ghost.remove();
    load = null;
    aim.take();
  }, { capture: true });
}

/** A card that follows the pointer. @param {Canvas} canvas @param {string} type */
function lift(canvas, type) {
  const { title, hue } = /** @type {any} */ (canvas.editor.types[type]);
  const ghost = h(
    "div", { class: "palette-ghost" }, h("span", { class: `tile ${hue ?? "flow"}` }, nodeIcon(type)),
    h("b", {}, title),
  );
  document.body.append(ghost);
  return ghost;
}

/** Where a step let go now would stand, with what it would join lit up. @param {Canvas} canvas */
function aiming({ editor, view, viewport }) {
  /** @type {import("./insert.js").Place | null} */
  let place = null;
  /** @type {[string, string] | null} */
  let lit = null;
  const light = (/** @type {[string, string] | null} */ next) => {
    if (lit) view.mark(lit[0], lit[1], false);
    if (next) view.mark(next[0], next[1]);
    lit = next;
  };
  return {
    at: (/** @type {string} */ type, /** @type {PointerEvent} */ event) => {
      const client = { x: event.clientX, y: event.clientY };
      const box = view.root.getBoundingClientRect();
      const over = document.elementFromPoint(client.x, client.y);
      const within = client.x > box.left && client.x < box.right && client.y > box.top && client.y < box.bottom;
      const inside = within && over && view.root.contains(over);
      if (!inside) {
        place = null;
        light(null);
        return;
      }
      const point = viewport.toWorld(client.x, client.y);
      const wire = wireNear(view, point);
      const hit = hitAt(view, client);
      const id = hit.kind === "port" || hit.kind === "step" ? hit.key : null;
      const port = id ? (hit.kind === "port" ? hit.port : freePort(editor, id)) : null;
      if (id && port && !refusal(editor, type, { after: { id, port } })) {
        place = { after: { id, port } };
        light([id, "target"]);
      } else if (!id && wire && !refusal(editor, type, { on: wire })) {
        place = { on: wire };
        light([wire, "aimed"]);
      } else {
        place = { at: { x: onGrid(point.x - CARD.width / 2), y: onGrid(point.y - CARD.input) } };
        light(null);
      }
    },
    take: () => {
      const taken = place;
      place = null;
      light(null);
      return taken;
    },
  };
}
