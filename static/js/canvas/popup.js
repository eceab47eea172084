// What opens over the canvas for a moment: menus, and lists to pick from by typing. Text is text; closes by Escape or a click.

import { h, icon, nodeIcon } from "../dom.js";
import { _ } from "../i18n.js";
import { rank } from "./fuzzy.js";

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {{label: string, icon?: string, keys?: string, run: () => void, disabled?: boolean, danger?: boolean}} Entry
 * @typedef {{key: string, title: string, hint?: string, type?: string, hue?: string, icon?: string, group?: string,
 *   search?: string[]}} Item
 * @typedef {{at: Point, label: string, placeholder?: string, items: Item[], foot?: string, empty?: string, query?: string,
 *   onPick: (item: Item, how: {chain: boolean}) => void, onActive?: (item: Item | null) => void, onClose?: (picked: boolean) => void}} Picking
 */

const EDGE = 8;
const SHOWN_AT_MOST = 60;

/** Puts something where it is asked for, inside of the window. @param {HTMLElement} element @param {Point} at */
function put(element, { x, y }) {
  const { offsetWidth: width, offsetHeight: height } = element;
  const left = Math.max(EDGE, Math.min(x, innerWidth - width - EDGE));
  const below = y + height + EDGE <= innerHeight;
  const top = below ? y : Math.max(EDGE, Math.min(y, innerHeight - height - EDGE));
  element.style.setProperty("left", `${left}px`);
  element.style.setProperty("top", `${top}px`);
}

// ── menus ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A menu; the focus goes back to where it was.
 * @param {(Entry | null)[]} entries null draws a line @param {Point} at @param {string} label
 */
export function openMenu(entries, at, label) {
  const before = document.activeElement;
  const items = entries.map((entry) => (entry ? menuItem(entry, () => close()) : h("hr")));
  const menu = h("div", { class: "popup menu-list", role: "menu", popover: "auto", "aria-label": label }, ...items);
  const close = () => {
    if (menu.matches(":popover-open")) menu.hidePopover();
    menu.remove();
    if (before instanceof HTMLElement && document.activeElement === document.body) before.focus({ preventScroll: true });
  };
  menu.addEventListener("toggle", (event) => { if (/** @type {ToggleEvent} */ (event).newState === "closed") close(); });
  menu.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button:not([disabled])")]);
    if (step) buttons.at((buttons.indexOf(/** @type {any} */ (document.activeElement)) + step) % buttons.length)?.focus();
    else if (event.key === "Home") buttons[0]?.focus();
    else if (event.key === "End") buttons.at(-1)?.focus();
    else if (event.key === "Tab") close();
    else return;
    event.preventDefault();
  });
  document.body.append(menu);
  menu.showPopover();
  put(menu, at);
  /** @type {HTMLElement | null} */ (menu.querySelector("button:not([disabled])"))?.focus();
  return { close };
}

/** @param {Entry} entry @param {() => void} close */
function menuItem({ label, icon: name, keys, run, disabled, danger }, close) {
  const act = () => {
    close();
    run();
  };
  return h(
    "button", { type: "button", role: "menuitem", class: danger ? "danger" : null, disabled, onclick: act },
    name ? icon(name) : h("span", { class: "ico" }), h("span", {}, label), keys ? h("kbd", {}, keys) : null,
  );
}

// ── lists to pick from ───────────────────────────────────────────────────────────────────────────────────────────────

export class Picker {
  constructor() {
    this.input = /** @type {HTMLInputElement} */ (h("input", {
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "picker-list", "aria-autocomplete": "list",
      autocomplete: "off", spellcheck: "false",
    }));
    this.list = h("div", { id: "picker-list", role: "listbox" });
    this.foot = h("div", { class: "foot" });
    this.element = h(
      "div", { class: "popup picker", popover: "auto" }, h("div", { class: "search" }, icon("search"), this.input),
      this.list, this.foot,
    );
    /** @type {Picking | null} */
    this.asked = null;
    /** @type {Item[]} */
    this.shown = [];
    this.active = 0;
    document.body.append(this.element);
    this.listen();
  }

  listen() {
    this.input.addEventListener("input", () => this.render());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[role=option]"));
      if (option) this.pick(Number(option.dataset.place), /** @type {MouseEvent} */ (event).ctrlKey);
    });
    this.element.addEventListener("toggle", (event) => {
      // Told a moment late: another list may have been opened in it meanwhile.
      const shut = /** @type {ToggleEvent} */ (event).newState === "closed" && !this.element.matches(":popover-open");
      if (shut) this.closed(false);
    });
  }

  get isOpen() {
    return this.asked !== null;
  }

  /** @param {Picking} asked */
  open(asked) {
    if (this.asked) this.closed(false);
    this.before = document.activeElement;
    this.asked = asked;
    this.input.value = asked.query ?? "";
    this.input.placeholder = asked.placeholder ?? _("Type to search");
    this.input.setAttribute("aria-label", asked.label);
    this.list.setAttribute("aria-label", asked.label);
    this.foot.textContent = asked.foot ?? "";
    this.foot.hidden = !asked.foot;
    this.render();
    this.element.showPopover();
    put(this.element, asked.at);
    this.input.focus({ preventScroll: true });
  }

  close() {
    if (this.element.matches(":popover-open")) this.element.hidePopover();
    this.closed(false);
  }

  /** @param {boolean} picked */
  closed(picked) {
    const { asked } = this;
    if (!asked) return;
    this.asked = null;
    asked.onActive?.(null);
    if (this.element.matches(":popover-open")) this.element.hidePopover();
    if (!picked && this.before instanceof HTMLElement && this.before.isConnected) this.before.focus({ preventScroll: true });
    asked.onClose?.(picked);
  }

  render() {
    const { asked } = this;
    if (!asked) return;
    const query = this.input.value;
    this.shown = rank(query, asked.items, (item) => item.search ?? [item.title, item.hint ?? ""]).slice(0, SHOWN_AT_MOST);
    let group = "";
    const rows = [];
    for (const [place, item] of this.shown.entries()) {
      if (!query && item.group && item.group !== group) rows.push(h(
        "div", { class: "group", role: "presentation" }, (group = item.group),
      ));
      rows.push(optionRow(item, place));
    }
    if (!rows.length) rows.push(h("p", { class: "none" }, asked.empty ?? _("Nothing found")));
    this.list.replaceChildren(...rows);
    this.light(0);
  }

  /** @param {number} place */
  light(place) {
    this.active = Math.max(0, Math.min(place, this.shown.length - 1));
    for (const option of this.list.querySelectorAll("[role=option]")) {
      const on = Number(/** @type {HTMLElement} */ (option).dataset.place) === this.active;
      option.setAttribute("aria-selected", String(on));
      if (on) option.scrollIntoView({ block: "nearest" });
    }
    if (this.shown.length) this.input.setAttribute("aria-activedescendant", `pick-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
    this.asked?.onActive?.(this.shown[this.active] ?? null);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    event.stopPropagation();
    const far = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (far) this.light(Math.abs(far) === 1 ? (this.active + far + this.shown.length) % Math.max(1, this.shown.length) : this.active + far);
    else if (event.key === "Enter" && !event.isComposing) this.pick(this.active, event.ctrlKey || event.metaKey);
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else return;
    event.preventDefault();
  }

  /** @param {number} place @param {boolean} chain */
  pick(place, chain) {
    const [item, asked] = [this.shown[place], this.asked];
    if (!item || !asked) return;
    this.closed(true);
    asked.onPick(item, { chain });
  }
}

/** @param {Item} item @param {number} place */
function optionRow({ title, hint, type, hue, icon: name }, place) {
  const picture = type ? h(
    "span", { class: `tile ${hue ?? "flow"}` }, nodeIcon(type),
  ) : name ? h("span", { class: "tile plain" }, icon(name)) : null;
  const words = h("span", { class: "words" }, h("b", {}, title), hint ? h("small", {}, hint) : null);
  return h(
    "div", { role: "option", id: `pick-${place}`, class: "option", dataset: { place }, "aria-selected": "false" },
    picture, words,
  );
}
