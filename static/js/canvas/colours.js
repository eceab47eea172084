// The colours of the design system for drawings on a 2D canvas, which cannot read variables; never names one itself.

import { h } from "../dom.js";

/**
 * @typedef {Record<"paper" | "surface" | "ink" | "soft" | "line" | "wire" | "accent" | "bad" | "warn" | "good" | "firm" | "dot", string>
 *   & {fill: (hue: string) => string, mark: (hue: string) => string, note: (hue: string) => string}} Colours
 */

const TOKENS = ["paper", "surface", "ink", "soft", "line", "wire", "accent", "bad", "warn", "good", "firm", "dot"];

/**
 * Reads the colours off a hidden element, and again when the scheme changes.
 * @param {HTMLElement} root @param {() => void} onChange
 * @returns {() => Colours}
 */
export function colourReader(root, onChange) {
  const probe = h("span", { class: "probe", hidden: true });
  root.append(probe);
  /** @type {Colours | null} */
  let colours = null;
  const forget = () => {
    colours = null;
    onChange();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);
  matchMedia("(forced-colors: active)").addEventListener("change", forget);
  new MutationObserver(forget).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => (colours ??= read(probe));
}

/** @param {HTMLElement} probe @returns {Colours} */
function read(probe) {
  const style = getComputedStyle(probe);
  /** @type {Record<string, any>} */
  const found = {};
  for (const token of TOKENS) {
    probe.style.color = `var(--${token})`;
    found[token] = style.color;
  }
  probe.style.color = "";
  /** @param {string} className @param {"color" | "backgroundColor"} what */
  const taken = (className, what) => {
    probe.className = `probe ${className}`;
    const colour = style[what];
    probe.className = "probe";
    return colour;
  };
  const memory = new Map();
  const remembered = (/** @type {string} */ name, /** @type {() => string} */ ask) => {
    if (!memory.has(name)) memory.set(name, ask());
    return memory.get(name);
  };
  found.fill = (/** @type {string} */ hue) => remembered(`fill ${hue}`, () => taken(`tile ${hue}`, "backgroundColor"));
  found.mark = (/** @type {string} */ hue) => remembered(`mark ${hue}`, () => taken(`tile ${hue}`, "color"));
  found.note = (/** @type {string} */ hue) => remembered(`note ${hue}`, () => taken(`sticky hue-${hue}`, "backgroundColor"));
  return /** @type {Colours} */ (found);
}
