// What all forms of the settings panel share, whatever node they are of: counters, shares, variables, what depends on what.
// Works on whatever the server drew; the canvas calls `attach` after it put a panel in, and `flush` before it takes one out.
import { showLengths } from "./lengths.js";
import { showNeeds } from "./needs.js";
import { showShares } from "./shares.js";
import { closeVariables, onInsert, onVariables } from "./variables.js";

/** @type {WeakSet<HTMLFormElement>} */
const dirty = new WeakSet();

/** Bring everything that is computed up to date. @param {ParentNode} root */
function refresh(root) {
  showLengths(root);
  showShares(root);
  showNeeds(root);
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (root.querySelectorAll("form[data-mail]"))) {
    if (!form.dataset.shown) {
      form.dataset.shown = "yes";
      form.submit();
    }
  }
  announceApplied(root);
}

/** News too long for a header stand in the page: they become the same event. @param {ParentNode} root */
function announceApplied(root) {
  const block = root.querySelector("script[data-applied]");
  if (!block?.textContent) return;
  const { name, detail } = JSON.parse(block.textContent);
  block.remove();
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

/** @param {EventTarget | null} target @returns {HTMLFormElement | null} */
const formOf = (target) => (target instanceof Element ? target.closest("form.settings-form") : null);

/** @param {Event} event */
function onInput(event) {
  const form = formOf(event.target);
  if (!form) return;
  if (event.isTrusted || event.type === "input") dirty.add(form);
  refresh(form);
}

/** Leaving the form with something typed applies it: nothing is lost by looking elsewhere. @param {FocusEvent} event */
function onFocusOut(event) {
  const form = formOf(event.target);
  if (!form || !dirty.has(form) || form.contains(/** @type {Node | null} */ (event.relatedTarget))) return;
  const beside = event.relatedTarget instanceof Element && event.relatedTarget.closest(".settings-panel, .variables");
  if (!beside && document.hasFocus()) form.requestSubmit();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const form = formOf(event.target);
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
}

/** @param {Event} event */
function onSwap(event) {
  const target = event.target instanceof Element ? event.target : document.body;
  const panel = target.closest(".settings-panel") ?? target;
  refresh(panel);
  const wrong = panel.querySelector(".settings-form [aria-invalid='true']");
  if (wrong instanceof HTMLElement && event.target instanceof HTMLFormElement) openAround(wrong);
}

/** A field that is wrong must be seen. @param {HTMLElement} field */
function openAround(field) {
  const section = field.closest("details");
  if (section) section.open = true;
}

/** @param {Event} event */
function onApplied(event) {
  const form = document.querySelector("form.settings-form");
  const { id } = /** @type {CustomEvent} */ (event).detail?.value ?? /** @type {CustomEvent} */ (event).detail ?? {};
  if (form instanceof HTMLFormElement && form.dataset.node === id) dirty.delete(form);
}

/** Take care of a panel that was just put in. @param {ParentNode} container */
export function attach(container) {
  refresh(container);
}

/** Whether something was typed that has not been applied. @param {ParentNode} container */
export function isDirty(container) {
  const form = container.querySelector("form.settings-form");
  return form instanceof HTMLFormElement && dirty.has(form);
}

/**
 * Apply what was typed before the panel goes away. The news come as the event that applying always sends.
 * @param {ParentNode} container
 * @returns {Promise<boolean>} whether the panel may go: false where something in it is wrong
 */
export async function flush(container) {
  const form = container.querySelector("form.settings-form");
  if (!(form instanceof HTMLFormElement) || !dirty.has(form)) return true;
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
  if (!answer.ok) return false;
  dirty.delete(form);
  const said = JSON.parse(answer.headers.get("HX-Trigger") ?? "null") ?? longNews(await answer.text());
  for (const [name, detail] of Object.entries(said)) document.dispatchEvent(new CustomEvent(name, { detail }));
  return true;
}

/** @param {string} html @returns {Record<string, any>} */
function longNews(html) {
  const block = new DOMParser().parseFromString(html, "text/html").querySelector("script[data-applied]");
  if (!block?.textContent) return {};
  const { name, detail } = JSON.parse(block.textContent);
  return { [name]: detail };
}

document.addEventListener("input", onInput);
document.addEventListener("change", onInput);
document.addEventListener("focusout", onFocusOut);
document.addEventListener("keydown", onKey);
document.addEventListener("htmx:after:swap", onSwap);
document.addEventListener("node-applied", onApplied);
document.addEventListener("flow-applied", onApplied);
document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const opener = event.target.closest("[data-variables]");
  const choice = event.target.closest("[data-insert]");
  if (opener instanceof HTMLElement) onVariables(opener);
  else if (choice instanceof HTMLElement) onInsert(choice);
});
document.addEventListener("htmx:before:swap", closeVariables);
