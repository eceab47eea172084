// Two people changed one step: shows both versions side by side and lets the person choose, step by step.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { same } from "./merge.js";

/** @typedef {import("./merge.js").Conflict} Conflict */

/**
 * @param {import("./editor.js").Editor} editor @param {string} me
 * @returns {import("./autosave.js").Ask}
 */
export const conflictDialog = (editor, me) => (conflicts, by) => new Promise((resolve) => {
  /** @type {Map<string, "mine" | "theirs">} */
  const choices = new Map(conflicts.map(({ key }) => [key, "mine"]));
  const who = by === me ? _("Another window of yours") : by || _("Somebody else");
  const done = (/** @type {Map<string, "mine" | "theirs"> | null} */ answer) => {
    dialog.close();
    dialog.remove();
    resolve(answer);
  };
  const dialog = /** @type {HTMLDialogElement} */ (h(
    "dialog", { class: "conflict", "aria-labelledby": "conflict-title" },
    h(
      "header", {}, h("span", { class: "tile send" }, icon("git-compare")),
      h("h2", { id: "conflict-title" }, _("The same steps were changed here and by: %(name)s", { name: who })),
    ),
    h("div", { class: "content" }, h("p", { class: "faint" }, _("Everything else is joined already. Nothing is saved before you have chosen.")),
      ...conflicts.map((conflict) => choice(editor, conflict, who, (side) => choices.set(conflict.key, side)))),
    h(
      "footer", {},
      h("button", { type: "button", class: "button primary", onclick: () => done(choices) }, _("Keep what is chosen")),
    ),
  ));
  // Escape would leave the question open for ever; it is answered by choosing.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
});

/**
 * @param {import("./editor.js").Editor} editor @param {Conflict} conflict @param {string} who
 * @param {(side: "mine" | "theirs") => void} choose
 */
function choice(editor, conflict, who, choose) {
  const title = conflict.kind === "step" ? editor.titleOf(conflict.id) || conflict.theirs?.name || conflict.id
    : conflict.kind === "journey" ? _("Settings of the journey") : conflict.kind === "note" ? _("Note") : _("Group");
  const side = (/** @type {"mine" | "theirs"} */ name, /** @type {string} */ label) => h(
    "label", { class: "version" },
    h(
      "span", { class: "pick" },
      h("input", { type: "radio", name: conflict.key, checked: name === "mine", onchange: () => choose(name) }),
      h("b", {}, label),
    ),
    details(editor, conflict, name),
  );
  return h(
    "fieldset", {}, h("legend", {}, title),
    h("div", { class: "versions" }, side("mine", _("This window")), side("theirs", who)),
  );
}

/**
 * What differs, field by field. @param {import("./editor.js").Editor} editor @param {Conflict} conflict
 * @param {"mine" | "theirs"} name
 */
function details(editor, conflict, name) {
  const value = conflict[name];
  if (value === null) return h(
    "p", { class: "gone" }, icon("trash-2"), conflict.what[0] === "wire" ? _("leads nowhere") : _("deleted"),
  );
  if (conflict.what[0] === "wire") return h(
    "p", {}, _("“%(port)s” leads to %(step)s", { port: value.port, step: editor.titleOf(value.to) }),
  );
  if (conflict.what[0] === "removed") return h("p", {}, _("kept and changed"));
  if (conflict.kind !== "step") return h("pre", {}, short(conflict.kind === "journey" ? value : value.text ?? value.title));
  const other = conflict[name === "mine" ? "theirs" : "mine"];
  const rows = [];
  if ((value.name ?? "") !== (other?.name ?? "")) rows.push([_("Name"), value.name ?? "–"]);
  const fields = new Set([...Object.keys(value.settings ?? {}), ...Object.keys(other?.settings ?? {})]);
  for (const field of fields) if (!same(
    value.settings?.[field], other?.settings?.[field],
  )) rows.push([field, short(value.settings?.[field])]);
  return h("dl", {}, ...rows.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));
}

/** @param {any} value */
function short(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null, null, 1);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
