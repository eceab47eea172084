// What all forms of the settings panel share, whatever node they are of: counters, shares, variables, what depends on what.
// Works on whatever the server drew, by events alone: the canvas only puts the panel in and lets htmx process it.
import { note, remember, restore } from "./keep.js";
import { showLengths } from "./lengths.js";
import { showNeeds } from "./needs.js";
import { showShares } from "./shares.js";
import { onInsert, onVariables } from "./variables.js";

const FORM = "form.settings-form";
const NEWS = ["node-applied", "flow-applied"];
/** Forms with something in them that was not applied yet. @type {WeakSet<HTMLFormElement>} */
const dirty = new WeakSet();

/** Bring everything that is computed up to date. @param {ParentNode} root */
function refresh(root) {
  showLengths(root);
  showShares(root);
  showNeeds(root);
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (root.querySelectorAll("form[data-mail]"))) showMail(form);
  announce(root);
}

/** A mail is shown in a frame of its own, anew only when it says something else. @param {HTMLFormElement} form */
function showMail(form) {
  const said = new FormData(form).get("html");
  const frame = form.parentElement?.querySelector("iframe");
  if (!frame || frame.dataset.said === said) return;
  frame.dataset.said = String(said);
  form.submit();
}

/** News too long for a header stand in the page: they become the same event. @param {ParentNode} root */
function announce(root) {
  const block = root.querySelector("script[data-applied]");
  if (!block?.textContent) return;
  const { name, detail } = JSON.parse(block.textContent);
  const place = block.parentElement ?? document;
  block.remove();
  place.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
}

/** @param {EventTarget | null} target @returns {HTMLFormElement | null} */
const formOf = (target) => (target instanceof Element ? target.closest(FORM) : null);
/** The form that an answer will draw anew; null where it draws something inside of it. @param {Event} event */
const formAsked = (event) => {
  const form = formOf(event.target);
  return form && /** @type {CustomEvent} */ (event).detail?.ctx?.target === form ? form : null;
};

/** @param {Event} event */
function onInput(event) {
  const form = formOf(event.target);
  if (!form) return;
  dirty.add(form);
  refresh(form);
}

/** Looking elsewhere applies what was typed, so that nothing is lost by it. @param {FocusEvent} event */
function onFocusOut(event) {
  const form = formOf(event.target);
  const next = event.relatedTarget;
  if (!form || !dirty.has(form) || !document.hasFocus() || (next instanceof Node && form.contains(next))) return;
  if (next instanceof Element && next.closest(".settings-panel, .variables")) return;
  form.requestSubmit();
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
function onAsk(event) {
  const form = formAsked(event);
  if (form) remember(form);
}

/** @param {Event} event */
function onBeforeSwap(event) {
  const form = formAsked(event);
  if (form?.isConnected) note(form);
}

function onSwap() {
  const panel = document.querySelector(".settings-panel");
  const form = panel?.querySelector(FORM);
  if (!panel || !(form instanceof HTMLFormElement)) return;
  if (restore(form)) dirty.add(form);
  refresh(panel);
  const section = form.querySelector("[aria-invalid='true']")?.closest("details");
  if (section) section.open = true;
}

/** What was applied is no longer only here. @param {Event} event */
function onNews(event) {
  const { detail } = /** @type {CustomEvent} */ (event);
  const form = document.querySelector(FORM);
  if (form instanceof HTMLFormElement && form.dataset.node === (detail?.value ?? detail)?.id) dirty.delete(form);
}

/** Take care of a panel that was just put in. @param {ParentNode} container */
export function attach(container) {
  refresh(container);
}

/** Whether something was typed that has not been applied. @param {ParentNode} container */
export function isDirty(container) {
  const form = container.querySelector(FORM);
  return form instanceof HTMLFormElement && dirty.has(form);
}

/**
 * Apply what was typed in a panel that goes away. The news come as the event that applying always sends.
 * @param {ParentNode} container
 * @returns {Promise<boolean>} whether all is well: where something is wrong, its form is worth keeping
 */
export async function flush(container) {
  const form = container.querySelector(FORM);
  if (!(form instanceof HTMLFormElement) || !dirty.has(form)) return true;
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
  if (!answer.ok && answer.status !== 422) return false;
  dirty.delete(form);
  const said = JSON.parse(answer.headers.get("HX-Trigger") ?? "null") ?? longNews(await answer.text());
  for (const [name, detail] of Object.entries(said)) document.dispatchEvent(new CustomEvent(name, { detail }));
  return answer.ok;
}

/** @param {string} html @returns {Record<string, any>} */
function longNews(html) {
  const block = new DOMParser().parseFromString(html, "text/html").querySelector("script[data-applied]");
  if (!block?.textContent) return {};
  const { name, detail } = JSON.parse(block.textContent);
  return { [name]: detail };
}

/** @param {MouseEvent} event */
function onClick(event) {
  if (!(event.target instanceof Element)) return;
  const opener = event.target.closest("[data-variables]");
  const choice = event.target.closest("[data-insert]");
  if (opener instanceof HTMLElement) onVariables(opener);
  else if (choice instanceof HTMLElement) onInsert(choice);
}

document.addEventListener("input", onInput);
document.addEventListener("change", onInput);
document.addEventListener("focusout", onFocusOut);
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("htmx:before:request", onAsk);
document.addEventListener("htmx:before:swap", onBeforeSwap);
document.addEventListener("htmx:after:swap", onSwap);
document.addEventListener("htmx:after:process", onSwap);
for (const name of NEWS) document.addEventListener(name, onNews);
