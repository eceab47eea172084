// Shares of a whole: what part each weight is, and what they add up to.
import { _, number } from "../../i18n.js";

const WHOLE = 100;

/** @param {ParentNode} root */
export function showShares(root) {
  for (const list of root.querySelectorAll("[data-shares]")) {
    const inputs = /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("[data-weight]")]);
    const weights = inputs.map((input) => Math.max(0, Number(input.value) || 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    inputs.forEach((input, place) => {
      const part = total ? (WHOLE * weights[place]) / total : 0;
      const row = input.closest("li");
      const share = row?.querySelector("[data-share]");
      if (share) share.textContent = `${number(Math.round(part * 10) / 10)}%`;
      const bar = row?.querySelector(".bar-of i");
      if (bar instanceof HTMLElement) bar.style.setProperty("--part", `${part}%`);
    });
    const output = list.parentElement?.querySelector("[data-total]");
    if (output) {
      const rounded = Math.round(total * 100) / 100;
      output.textContent = _("adds up to %(total)s", { total: number(rounded) });
      output.classList.toggle("is-off", rounded !== WHOLE);
    }
  }
}
