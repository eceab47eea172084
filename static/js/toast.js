// Short news in the corner, read out by screen readers, with a way back where there is one.
import { h } from "./dom.js";
import { _ } from "./i18n.js";

const SHOWN_MS = 6000;
const SHOWN_WITH_UNDO_MS = 12000;

/**
 * @typedef {{kind?: "good" | "bad", undo?: (() => void) | string, label?: string}} ToastOptions
 * Say something; `undo` is a function, or an address to post to.
 * @param {string} text
 * @param {ToastOptions} [options]
 */
export function toast(text, { kind = "good", undo, label } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const box = h("div", { class: kind }, h("span", {}, text));
  const end = () => box.remove();
  if (undo) {
    const back = async () => {
      end();
      if (typeof undo === "function") undo();
      else if ((await fetch(undo, { method: "POST" })).ok) location.reload();
      else toast(_("That could not be undone."), { kind: "bad" });
    };
    box.append(h("button", { type: "button", onclick: back }, label ?? _("Undo")));
  }
  place.append(box);
  setTimeout(end, undo ? SHOWN_WITH_UNDO_MS : SHOWN_MS);
}
