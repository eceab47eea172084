// The command palette (Ctrl K): pages, actions of this page, journeys by name, contacts by identity. Decides nothing itself.
import { h, icon } from "./dom.js";
import { _ } from "./i18n.js";

/**
 * @typedef {{title: string, hint?: string, icon?: string, href?: string, run?: () => void, keywords?: string, group?: string}} Command
 */
const WAIT_MS = 140;
const SHOWN = 40;
/** @type {Command[]} */
let commands = [];

/**
 * Actions of this page for the palette: `{title, icon, run | href, keywords, hint}`. Returns what takes them out again.
 * @param {Command[]} added
 */
export function registerCommands(added) {
  const own = added.map((one) => ({ group: _("This page"), ...one }));
  commands = [...own, ...commands];
  return () => { commands = commands.filter((one) => !own.includes(/** @type {any} */ (one))); };
}

/** Letters of the wish in order, near the start and close together count more; 0 is no match. @param {string} text @param {string} wish */
function score(text, wish) {
  const low = text.toLowerCase();
  if (!wish) return 1;
  const whole = low.indexOf(wish);
  if (whole >= 0) return 100 - Math.min(whole, 50);
  let place = -1;
  for (const letter of wish) {
    place = low.indexOf(letter, place + 1);
    if (place < 0) return 0;
  }
  return Math.max(1, 30 - place + wish.length);
}

/** @returns {Command[]} */
const doors = () => [...document.querySelectorAll(".rail .doors a")].map((one) => ({
  title: one.textContent?.trim() ?? "", href: one.getAttribute("href") ?? "/", group: _("Pages"),
  icon: one.querySelector("use")?.getAttribute("href")?.split("#")[1] ?? "arrow-right",
}));

class Palette {
  /** @type {Command[]} */ shown = [];
  /** @type {Command[]} */ found = [];
  at = 0;
  asked = 0;
  /** @type {number | undefined} */ timer;

  constructor() {
    this.field = /** @type {HTMLInputElement} */ (h("input", {
      type: "search", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
      "aria-label": _("Find a page, a journey, a contact or an action"), placeholder: _("Find a page, a journey, a contact or an action"),
      autocomplete: "off", spellcheck: "false", oninput: () => this.changed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    }));
    this.list = h("div", { id: "palette-list", role: "listbox", "aria-label": _("What was found") });
    this.box = /** @type {HTMLDialogElement} */ (h("dialog", { class: "palette", closedby: "any", "aria-label": _("Find a page or an action") },
      h("div", { class: "search" }, icon("search"), this.field), this.list,
      h("footer", { class: "faint" }, h("kbd", {}, "↑"), h("kbd", {}, "↓"), _("choose"), h("kbd", {}, "Enter"), _("open"), h("kbd", {}, "Esc"), _("close"))));
    this.box.addEventListener("close", () => this.box.remove());
    document.body.append(this.box);
    this.box.showModal();
    this.changed();
    this.field.focus();
  }

  changed() {
    const wish = this.field.value.trim().toLowerCase();
    if (!wish) this.found = [];
    this.paint(wish);
    clearTimeout(this.timer);
    if (wish.length >= 2) this.timer = setTimeout(() => void this.look(wish), WAIT_MS);
  }

  /** @param {string} wish */
  async look(wish) {
    const number = (this.asked += 1);
    try {
      const answer = await fetch(`/find?${new URLSearchParams({ q: wish })}`, { headers: { Accept: "application/json" } });
      if (!answer.ok || number !== this.asked || !this.box.isConnected) return;
      const names = { journey: _("Journeys"), contact: _("Contacts"), plan: _("Plans") };
      const icons = { journey: "workflow", contact: "user", plan: "folder" };
      this.found = (await answer.json()).items.map((/** @type {any} */ one) => ({
        title: one.title, hint: one.hint, href: one.href,
        group: names[/** @type {keyof typeof names} */ (one.kind)], icon: icons[/** @type {keyof typeof icons} */ (one.kind)],
      }));
      this.paint(wish);
    } catch { /* away for a moment: pages and actions are still there */ }
  }

  /** @param {string} wish */
  paint(wish) {
    const fits = [...commands, ...doors()]
      .map((one) => ({ one, points: Math.max(score(one.title, wish), score(one.keywords ?? "", wish) && 20) }))
      .filter(({ points }) => points > 0)
      .sort((a, b) => (wish ? b.points - a.points : 0))
      .map(({ one }) => one);
    this.shown = [...fits, ...this.found].slice(0, SHOWN);
    this.at = Math.min(this.at, Math.max(0, this.shown.length - 1));
    /** @type {Map<string, HTMLElement>} */
    const groups = new Map();
    const order = [...new Set(this.shown.map((one) => one.group ?? ""))];
    this.shown.sort((a, b) => order.indexOf(a.group ?? "") - order.indexOf(b.group ?? ""));
    this.shown.forEach((one, place) => {
      const name = one.group ?? "";
      let group = groups.get(name);
      if (!group) groups.set(name, (group = h("div", { role: "group", "aria-label": name }, h("div", { class: "label", "aria-hidden": "true" }, name))));
      group.append(h("div", { role: "option", id: `palette-${place}`, "aria-selected": "false", onclick: () => this.go(place), onpointermove: () => this.move(place) },
        icon(one.icon ?? "arrow-right"), h("span", {}, one.title), one.hint ? h("small", {}, one.hint) : null));
    });
    this.list.replaceChildren(...(groups.size ? groups.values() : [h("p", { class: "faint pad" }, _("Nothing of that name."))]));
    this.move(this.at);
  }

  /** @param {number} place */
  move(place) {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.at = place;
    const option = this.list.querySelector(`#palette-${place}`);
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const many = this.shown.length;
    if (event.isComposing || !many) return;
    if (event.key === "ArrowDown") this.move((this.at + 1) % many);
    else if (event.key === "ArrowUp") this.move((this.at - 1 + many) % many);
    else if (event.key === "Enter") this.go(this.at);
    else return;
    event.preventDefault();
  }

  /** @param {number} place */
  go(place) {
    const one = this.shown[place];
    this.box.close();
    if (one?.run) one.run();
    else if (one?.href) location.assign(one.href);
  }
}

/** Open the palette. */
function openPalette() {
  if (!document.querySelector("dialog[open]")) new Palette();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  openPalette();
});
document.querySelector("[data-palette]")?.addEventListener("click", openPalette);
