// The first minutes in the editor: a few remarks, each beside the thing it speaks of. Never in the way: it can be left at any
// moment, is offered once and opens again from the menu. Remembered on this machine only.
import { h } from "./dom.js";
import { _ } from "./i18n.js";

const KEY = "tour-editor";
const GAP = 12;
const EDGE = 8;

/** @typedef {{at: string, title: string, text: string}} Stop */

/** What is spoken of, in order; what a page does not have is passed over. @returns {Stop[]} */
const stops = () => [
  { at: "#palette", title: _("Steps to choose from"), text: _("Drag one onto the canvas, or click it: it is added after the selected step.") },
  { at: "#canvas", title: _("The canvas"), text: _("Draw lines from a way out to the next step. Drop a line in the open to choose what comes next. Everything can be undone.") },
  { at: ".card, #canvas", title: _("Every step has settings"), text: _("Select a step and its settings open on the right: words, waiting times, rules.") },
  { at: "#problems-button", title: _("What is still missing"), text: _("Checked while you draw. A click leads to the step, and often there is a button that mends it.") },
  { at: "#simulate", title: _("Try it with one person"), text: _("Somebody invented walks your draft under a clock of their own. Nothing is sent.") },
  { at: "#next-step", title: _("Hand it in"), text: _("Somebody else looks at it, and then it goes live. People on their way stay on the version they began.") },
];

const remember = () => { try { localStorage.setItem(KEY, "seen"); } catch { /* private windows may keep nothing */ } };
const seen = () => { try { return localStorage.getItem(KEY) === "seen"; } catch { return true; } };

/** The visible thing of a stop. @param {Stop} stop @returns {HTMLElement | null} */
function thing({ at }) {
  for (const found of document.querySelectorAll(at)) {
    if (found instanceof HTMLElement && found.getClientRects().length) return found;
  }
  return null;
}

/** Put the remark beside its thing, inside the window. @param {HTMLElement} box @param {HTMLElement} ring @param {HTMLElement} target */
function place(box, ring, target) {
  const there = target.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const wide = there.width > innerWidth / 2;
  const right = there.right + GAP + size.width < innerWidth;
  let left = wide ? there.left + (there.width - size.width) / 2 : right && there.height > size.height ? there.right + GAP : there.left;
  let top = wide ? there.top + GAP * 3 : there.height > size.height && right ? there.top + GAP : there.bottom + GAP;
  if (top + size.height > innerHeight - EDGE) top = Math.max(EDGE, there.top - GAP - size.height);
  left = Math.min(Math.max(EDGE, left), innerWidth - size.width - EDGE);
  top = Math.min(Math.max(EDGE, top), innerHeight - size.height - EDGE);
  box.style.setProperty("left", `${left}px`);
  box.style.setProperty("top", `${top}px`);
  for (const [name, value] of Object.entries({ left: there.left - 4, top: there.top - 4, width: there.width + 8, height: there.height + 8 })) {
    ring.style.setProperty(name, `${value}px`);
  }
}

/** Walk through the stops, from the first on. */
export function startTour() {
  const way = stops().filter(thing);
  if (!way.length || document.querySelector(".tour")) return;
  remember();
  const before = document.activeElement;
  let here = 0;
  const title = h("h2", { id: "tour-title" });
  const text = h("p", { id: "tour-text" });
  const count = h("small", {});
  const back = h("button", { type: "button", class: "button quiet", onclick: () => show(here - 1) }, _("Back"));
  const next = h("button", { type: "button", class: "button primary", onclick: () => show(here + 1) });
  const box = h(
    "div", { class: "tour", role: "dialog", "aria-labelledby": "tour-title", "aria-describedby": "tour-text", popover: "manual" },
    title, text, h("footer", {}, count, h("button", { type: "button", class: "button quiet", onclick: () => end() }, _("Leave the tour")), back, next),
  );
  const ring = h("div", { class: "tour-ring", "aria-hidden": "true", popover: "manual" });
  document.body.append(ring, box);
  ring.showPopover();
  box.showPopover();
  const again = () => show(here);
  addEventListener("resize", again);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
    else if (event.key === "ArrowRight") show(here + 1);
    else if (event.key === "ArrowLeft") show(here - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  show(0);

  function end() {
    removeEventListener("resize", again);
    box.remove();
    ring.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  }

  /** @param {number} number */
  function show(number) {
    if (number >= way.length) return end();
    here = Math.max(0, number);
    const target = thing(way[here]);
    if (!target) return show(number + 1);
    title.textContent = way[here].title;
    text.textContent = way[here].text;
    count.textContent = _("%(here)s of %(all)s", { here: here + 1, all: way.length });
    next.textContent = here === way.length - 1 ? _("Begin") : _("Next");
    back.hidden = here === 0;
    place(box, ring, target);
    next.focus({ preventScroll: true });
  }
}

/** Offer the tour once, in a corner; programs that drive a browser are not asked. */
export function offerTour() {
  if (seen() || navigator.webdriver) return;
  const away = () => { remember(); offer.remove(); };
  const offer = h(
    "div", { class: "tour-offer", role: "status" }, h("p", {}, _("New here? A minute shows you around.")),
    h("button", { type: "button", class: "button quiet", onclick: away }, _("Not now")),
    h("button", { type: "button", class: "button primary", onclick: () => { away(); startTour(); } }, _("Show me around")),
  );
  document.body.append(offer);
}

document.addEventListener("tour", startTour);
