// Connecting without a pointer: the way out of a step, then the step it shall lead to.

import { _ } from "../i18n.js";
import { beside } from "./adding.js";
import { connect } from "./connect.js";
import { stepItem } from "./deeds.js";
import { freePort } from "./insert.js";
import { refusals } from "./rules.js";

/**
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./popup.js").Picker} Picker
 */

/**
 * Connecting without a pointer: the port, then the step it shall lead to, the nearest first.
 * @param {Canvas} canvas @param {Picker} picker @param {string} id @param {string | null} port
 */
export function startConnect(canvas, picker, id, port) {
  const { editor, view } = canvas;
  const ports = editor.portsOf(id).filter((one) => !one.gone);
  const chosen = port ?? (ports.length === 1 ? ports[0].name : null);
  const at = beside(canvas, id);
  if (!ports.length) {
    editor.emit("toast", { text: _("This step leads nowhere: people end here."), kind: "bad" });
    return;
  }
  if (!chosen) {
    const items = ports.map(({ name, label }) => {
      const wire = editor.flow.wireAt(id, name);
      return {
        key: name, title: label || name,
        hint: wire ? _("leads to %(step)s", { step: editor.titleOf(wire.to) }) : _("open"), icon: "git-branch",
      };
    });
    const free = freePort(editor, id);
    items.sort((one, other) => Number(other.key === free) - Number(one.key === free));
    picker.open({
      at, label: _("Which way out of %(step)s?", { step: editor.titleOf(id) }), items,
      onPick: ({ key }) => requestAnimationFrame(() => startConnect(canvas, picker, id, key)),
    });
    return;
  }
  const refused = refusals(editor, id);
  const here = editor.rectOf(id);
  const far = (/** @type {string} */ other) => Math.hypot(
    editor.rectOf(other).x - here.x - here.width, editor.rectOf(other).y - here.y,
  );
  const targets = [...editor.flow.steps.keys()].filter((other) => !refused(other)).sort((one, other) => far(one) - far(other));
  let lit = "";
  picker.open({
    at,
    label: _("Connect “%(port)s” to…", { port: ports.find((one) => one.name === chosen)?.label || chosen }),
    placeholder: _("Which step shall follow?"),
    items: targets.map((key) => stepItem(canvas, key)),
    onActive: (item) => {
      if (lit) view.mark(lit, "target", false);
      lit = item?.key ?? "";
      if (lit) view.mark(lit, "target");
    },
    onPick: ({ key }) => {
      connect(view, id, chosen, key);
      editor.reveal(id);
    },
  });
}
