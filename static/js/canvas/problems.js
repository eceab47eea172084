// The list of what is wrong: leads to the step and the field, and mends it where there is one way to.

import { h, icon, nodeIcon } from "../dom.js";
import { _, ngettext } from "../i18n.js";

/** @typedef {import("./main.js").Canvas} Canvas */

/** @param {Canvas} canvas @param {HTMLElement} button in the toolbar @param {HTMLElement} list a popover */
export function attachProblems(canvas, button, list) {
  const { editor } = canvas;
  const count = () => {
    const errors = editor.problems.filter((one) => one.severity === "error").length;
    const all = editor.problems.length;
    button.dataset.kind = errors ? "bad" : all ? "warn" : "good";
    const wrong = ngettext("%(count)s problem", "%(count)s problems", errors);
    const doubtful = ngettext("%(count)s hint", "%(count)s hints", all);
    const words = errors ? wrong : all ? doubtful : _("No problems");
    button.setAttribute("aria-label", words);
    button.replaceChildren(icon(errors ? "circle-alert" : all ? "triangle-alert" : "circle-check"), h("span", {}, words));
    if (list.matches(":popover-open")) fill();
  };
  const fill = () => {
    const rows = [...editor.problems].sort((one, other) => Number(one.severity !== "error") - Number(other.severity !== "error")).map(row);
    const none = h("p", { class: "none" }, icon("circle-check"), _("Nothing stands in the way of a review."));
    list.replaceChildren(h("h2", {}, _("Problems")), rows.length ? h("ul", {}, ...rows) : none);
  };

  /** @param {import("./editor.js").Problem} problem */
  function row(problem) {
    const { node, severity, text, fix } = problem;
    const type = node ? editor.flow.steps.get(node)?.type : null;
    const jump = () => {
      list.hidePopover();
      if (!node) return;
      editor.select([node]);
      editor.reveal(node);
      editor.emit("open", { id: node, field: problem.field, focus: true });
    };
    const mend = () => {
      if (!fix) return;
      try {
        if (editor.commit(fix.label, fix.ops)) editor.emit("announce", { text: fix.label });
      } catch {
        editor.emit("toast", { text: _("The journey has changed since; look at the list again."), kind: "bad" });
      }
    };
    const hue = type ? canvas.view.hueOf(type) : "flow";
    const picture = h("span", { class: `tile ${hue}` }, type ? nodeIcon(type) : icon("workflow"));
    return h(
      "li", { class: severity },
      h("button", { type: "button", class: "jump", onclick: jump }, picture,
        h("span", { class: "words" }, h("b", {}, node ? editor.titleOf(node) : _("The journey")), h("span", {}, text))),
      fix && !editor.readOnly ? h(
        "button", { type: "button", class: "button small", onclick: mend }, icon("wrench"), fix.label,
      ) : null,
    );
  }

  editor.on("problems", count);
  list.addEventListener("toggle", (event) => { if (/** @type {ToggleEvent} */ (event).newState === "open") fill(); });
  count();
}
