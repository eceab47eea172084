// The bar above the canvas: the journey's name, whether it is saved, undo by name, and the next step to people's screens.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { isLayout } from "./describe.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./autosave.js").Autosave} Autosave
 */

/** @param {string} url @param {string} method @param {any} [body] */
const send = (url, method, body) => fetch(
  url,
  { method, headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) },
);

/** Renames in place. @param {Canvas} canvas @param {HTMLInputElement} field */
export function attachName({ data, editor }, field) {
  let name = field.value;
  const save = async () => {
    const wish = field.value.trim();
    if (!wish || wish === name) {
      field.value = name;
      return;
    }
    try {
      const answer = await send(data.urls.journey, "PATCH", { name: wish });
      if (!answer.ok) throw new Error(String(answer.status));
      name = field.value = data.journey.name = wish;
      document.title = `${wish} · Journey Canvas`;
      editor.emit("announce", { text: _("Renamed") });
    } catch {
      editor.emit("toast", { text: _("The name could not be saved; try again."), kind: "bad" });
    }
  };
  field.addEventListener("blur", save);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") field.value = name;
    if (event.key === "Escape" || (event.key === "Enter" && !event.isComposing)) field.blur();
  });
}

/**
 * @param {Canvas} canvas @param {import("./deeds.js").Deeds} deeds @param {HTMLButtonElement} undo
 * @param {HTMLButtonElement} redo
 */
export function attachUndo({ editor }, deeds, undo, redo) {
  const show = ({ undo: back, redo: again } = /** @type {{undo: string | null, redo: string | null}} */ ({ undo: null, redo: null })) => {
    undo.disabled = !back;
    redo.disabled = !again;
    undo.title = back ? _("Undo: %(deed)s", { deed: back }) : _("Nothing to undo");
    redo.title = again ? _("Redo: %(deed)s", { deed: again }) : _("Nothing to redo");
  };
  undo.addEventListener("click", () => deeds.undo());
  redo.addEventListener("click", () => deeds.redo());
  editor.on("history", show);
  editor.on(
    "stale",
    ({ label }) => editor.emit(
      "toast",
      { text: _("“%(deed)s” cannot be undone: somebody else has changed it since.", { deed: label }), kind: "bad" },
    ),
  );
  show();
}

/** Says whether the work is safe. @param {Canvas} canvas @param {HTMLElement} place */
export function savedSign({ editor, data }, place) {
  const words = /** @type {HTMLElement} */ (place.querySelector(".saved-words"));
  let before = "saved";
  /** @param {import("./autosave.js").State} state @param {any} [detail] */
  return (state, detail) => {
    const said = {
      saved: _("Saved"), unsaved: _("Unsaved"), saving: _("Saving…"), offline: _("Offline · kept here"), conflict: _("Needs your choice"),
      ended: _("Signed out · kept here"), refused: _("Not saved"),
    };
    place.dataset.state = state;
    words.textContent = said[state];
    place.title = state === "offline" ? _("Nobody answers at the moment. Your edits are kept in this browser and sent as soon as possible.") : "";
    if (state === before) return;
    if (state === "offline") editor.emit("announce", { text: _("Offline. Your edits are kept here.") });
    if (before === "offline" && state === "saved") editor.emit("toast", { text: _("Back online: everything is saved.") });
    if (state === "ended") {
      const back = () => location.assign(`/login?next=${encodeURIComponent(data.urls.edit)}`);
      editor.emit(
        "toast",
        {
          text: _("Your session is over. Sign in again; your edits are kept here."), kind: "bad", undo: back,
          label: _("Sign in"),
        },
      );
    }
    if (state === "refused") editor.emit(
      "toast", { text: detail?.reason || _("The server did not take the draft."), kind: "bad" },
    );
    before = state;
  };
}

/**
 * What comes next for this journey: hand in, wait, review, publish; by role and state.
 * @param {Canvas} canvas @param {HTMLElement} place @param {Autosave} saver
 */
export function attachNextStep({ editor, data }, place, saver) {
  /** @type {{status: string, content_hash: string, own: boolean} | null} */
  let handed = data.submission;
  const button = (/** @type {string} */ label, /** @type {string} */ name, /** @type {() => void} */ run, kind = "primary") => (
    h("button", { type: "button", class: `button ${kind}`, onclick: run }, icon(name), h("span", {}, label))
  );
  const link = (/** @type {string} */ label, /** @type {string} */ name, /** @type {string} */ kind) => h(
    "a", { class: `button ${kind}`, href: data.urls.review }, icon(name), h("span", {}, label),
  );
  const draw = () => {
    const parts = [];
    if (handed?.status === "open") parts.push(data.can.review && !handed.own ? link(_("Review"), "eye", "primary") : link(_("In review"), "eye", ""));
    else if (handed?.status === "approved" && data.can.publish) parts.push(button(_("Publish"), "send", publish));
    else if (data.can.submit) parts.push(button(_("Submit for review"), "check-check", submit));
    if (handed?.status === "rejected") parts.unshift(link(_("Rejected: see why"), "message-square", "quiet"));
    place.replaceChildren(...parts);
  };
  const busy = (/** @type {boolean} */ on) => { for (const one of place.querySelectorAll("button")) one.disabled = on; };
  const refused = async (/** @type {Response} */ answer) => {
    const problem = await answer.json().catch(() => ({}));
    editor.emit("toast", { text: problem.detail || _("That did not work; try again."), kind: "bad" });
  };

  const submit = async () => {
    const errors = editor.problems.filter((one) => one.severity === "error");
    if (errors.length) {
      editor.emit("toast", { text: _("Mend what is red in the list of problems first."), kind: "bad" });
      document.getElementById("problems")?.showPopover();
      return;
    }
    busy(true);
    try {
      if (!(await saver.flush())) return;
      const answer = await send(data.urls.submit, "POST");
      if (!answer.ok) {
        await refused(answer);
        return;
      }
      handed = { status: "open", content_hash: (await answer.json()).content_hash, own: true };
      draw();
      const look = () => location.assign(data.urls.review);
      editor.emit("toast", { text: _("Handed in. Somebody else can review it now."), undo: look, label: _("See the review") });
    } catch {
      editor.emit("toast", { text: _("Nobody answers at the moment; try again."), kind: "bad" });
    } finally {
      busy(false);
    }
  };

  const publish = async () => {
    if (data.journey.live) { // people may be on the way: the dialog of the review asks what becomes of them
      location.assign(`${data.urls.review}#publish`);
      return;
    }
    busy(true);
    try {
      const answer = await send(data.urls.publish, "POST", { content_hash: handed?.content_hash });
      if (answer.ok) location.assign(data.urls.live);
      else await refused(answer);
    } catch {
      editor.emit("toast", { text: _("Nobody answers at the moment; try again."), kind: "bad" });
    } finally {
      busy(false);
    }
  };

  // A change of meaning makes what was handed in void; moving cards does not.
  editor.on("change", ({ ops }) => {
    if (!handed || ops.every(isLayout)) return;
    handed = null;
    draw();
  });
  draw();
}
