// What all forms of the settings panel share, whatever node they are of: counters, shares, variables, what depends on what.
// Works on whatever the server drew, by events alone: the canvas only puts the panel in and lets htmx process it.
import { note, remember, restore } from "./keep.js";
import { showLengths } from "./lengths.js";
import { showNeeds } from "./needs.js";
import { showShares } from "./shares.js";
import { onInsert, onVariables } from "./variables.js";

const FORM = "form.settings-form";
const NEWS = ["node-applied", "journey-applied"];

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
  if (form) refresh(form);
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
  if (!panel) return;
  const form = panel.querySelector(FORM);
  if (form instanceof HTMLFormElement) restore(form);
  refresh(panel);
  const section = panel.querySelector(`${FORM} [aria-invalid='true']`)?.closest("details");
  if (section) section.open = true;
}

/** News of a panel that is gone already go to where the canvas waits for them. @param {Event} event */
function onNews(event) {
  if (event.target !== document) return;
  const { detail } = /** @type {CustomEvent} */ (event);
  document.querySelector(".panel-body")?.dispatchEvent(new CustomEvent(event.type, { detail }));
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
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("htmx:before:request", onAsk);
document.addEventListener("htmx:before:swap", onBeforeSwap);
document.addEventListener("htmx:after:swap", onSwap);
document.addEventListener("htmx:after:process", onSwap);
for (const name of NEWS) document.addEventListener(name, onNews);
