// How long a text is, beside it; how much is left where that begins to matter.
import { _, number } from "../../i18n.js";

const NEARLY_FULL = 0.8;

/** @param {ParentNode} root */
export function showLengths(root) {
  for (const output of /** @type {NodeListOf<HTMLOutputElement>} */ (root.querySelectorAll("[data-length]"))) {
    const field = document.getElementById(output.dataset.length ?? "");
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
    const length = [...field.value].length;
    const most = Number(output.dataset.most || 0);
    output.classList.toggle("too-long", most > 0 && length > most);
    const near = most > 0 && length > most * NEARLY_FULL;
    output.textContent = near
      ? _("%(count)s of %(most)s characters", { count: number(length), most: number(most) })
      : length
        ? _("%(count)s characters", { count: number(length) })
        : "";
  }
}
