// Questions that stop for an answer: our own dialogs, never the browser's. Focus goes in, stays in, and comes back.
import { h, icon } from "./dom.js";
import { _ } from "./i18n.js";

let counted = 0;

/**
 * @typedef {{title: string, content?: (Node | string)[], buttons?: HTMLElement[], kind?: string}} Shape
 * A dialog that is open; it takes itself away when it is closed. `done(value)` closes it and answers.
 * @param {(done: (value: any) => void) => Shape} make
 * @returns {Promise<any>} what `done` was given; undefined where it was left by Escape
 */
export function ask(make) {
  return new Promise((resolve) => {
    /** @type {any} */
    let answer;
    const done = (/** @type {any} */ value) => { answer = value; box.close(); };
    const { title, content = [], buttons = [], kind = "" } = make(done);
    const heading = `dialog-${(counted += 1)}`;
    const box = /** @type {HTMLDialogElement} */ (h("dialog", { class: kind, "aria-labelledby": heading, closedby: "any" },
      h("header", {}, h("h2", { id: heading }, title),
        h("button", { type: "button", class: "button quiet only-icon", "aria-label": _("Close"), onclick: () => done(undefined) }, icon("x"))),
      h("div", { class: "content" }, ...content),
      buttons.length ? h("footer", {}, ...buttons) : null));
    box.addEventListener("close", () => { box.remove(); resolve(answer); });
    document.body.append(box);
    box.showModal();
    /** @type {HTMLElement | null} */ (box.querySelector("[autofocus]"))?.focus();
  });
}

/**
 * Whether somebody really wants it.
 * @param {{title: string, text?: string, yes?: string, no?: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export async function confirmDialog({ title, text = "", yes = _("Yes, do it"), no = _("Cancel"), danger = false }) {
  const said = await ask((done) => ({
    title,
    content: text ? [h("p", { class: "pre" }, text)] : [],
    kind: "question",
    buttons: [
      h("button", { type: "button", class: "button", onclick: () => done(false) }, no),
      h("button", { type: "button", class: `button ${danger ? "danger strong" : "primary"}`, autofocus: true, onclick: () => done(true) }, yes),
    ],
  }));
  return said === true;
}

/** What `hx-confirm` and `data-confirm` ask: the text up to the first line break is the question. @param {HTMLElement} source @param {string} text */
const asked = (source, text) => {
  const [title, ...rest] = text.split("\n");
  return confirmDialog({ title, text: rest.join("\n"), yes: source.dataset.yes, danger: source.dataset.danger !== undefined });
};

document.addEventListener("htmx:confirm", (event) => {
  const { ctx, issueRequest, dropRequest } = /** @type {CustomEvent} */ (event).detail;
  event.preventDefault();
  asked(ctx.sourceElement, ctx.confirm).then((yes) => (yes ? issueRequest() : dropRequest()));
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const text = form.dataset.confirm;
  if (!text || form.dataset.sure) return;
  event.preventDefault();
  asked(form, text).then((yes) => {
    if (!yes) return;
    form.dataset.sure = "1";
    form.requestSubmit(/** @type {SubmitEvent} */ (event).submitter ?? undefined);
  });
}, true);
