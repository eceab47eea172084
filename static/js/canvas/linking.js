// Connecting without a pointer: the way out of a step, then the step it shall lead to.

import { _ } from "../i18n.js";
import { beside } from "./adding.js";
import { connect, refuse } from "./connect.js";
import { stepItem } from "./deeds.js";
import { freePort } from "./insert.js";
import { wireKey } from "./model.js";
import { beginnings, refusals } from "./rules.js";
import { begin } from "./sources.js";

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
    refuse(editor, "exit");
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
      onPick: ({ key }) => startConnect(canvas, picker, id, key),
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

/**
 * The other way round: who shall lead to this step. One of the wires that come here is taken, or a new one drawn.
 * @param {Canvas} canvas @param {Picker} picker @param {string} id @param {string | null} key the wire, where it is known
 */
export function startFrom(canvas, picker, id, key) {
  const { editor } = canvas;
  if (editor.types[editor.flow.steps.get(id)?.type ?? ""]?.is_entry) {
    refuse(editor, "entry");
    return;
  }
  const coming = editor.flow.wiresTo(id);
  if (key !== null || !coming.length) {
    pickOutlet(canvas, picker, id, (key && editor.flow.wires.get(key)) || null);
    return;
  }
  const items = coming.map((wire) => ({
    key: wireKey(wire.from, wire.port), icon: "corner-down-right",
    title: _("Move the one from %(step)s", { step: editor.titleOf(wire.from) }), hint: portLabel(editor, wire.from, wire.port),
  }));
  picker.open({
    at: beside(canvas, id), label: _("Who shall lead to %(step)s?", { step: editor.titleOf(id) }),
    items: [...items, { key: "", icon: "plus", title: _("One more connection"), hint: "" }],
    onPick: (item) => pickOutlet(canvas, picker, id, editor.flow.wires.get(item.key) ?? null),
  });
}

/** @param {Canvas} canvas @param {Picker} picker @param {string} id @param {import("./model.js").Wire | null} wire */
function pickOutlet(canvas, picker, id, wire) {
  const { editor, view } = canvas;
  const refused = beginnings(editor, id);
  const here = editor.rectOf(id);
  const far = (/** @type {string} */ other) => Math.hypot(editor.rectOf(other).x - here.x, editor.rectOf(other).y - here.y);
  const steps = [...editor.flow.steps.keys()].filter((other) => !refused(other)).sort((one, other) => far(one) - far(other));
  const items = steps.flatMap((other) => editor.portsOf(other).filter((port) => !port.gone).map(({ name }) => {
    const there = editor.flow.wireAt(other, name);
    const leads = there ? _("leads to %(step)s", { step: editor.titleOf(there.to) }) : _("open");
    const label = portLabel(editor, other, name);
    return { ...stepItem(canvas, other), key: wireKey(other, name), id: other, port: name, hint: `${label} · ${leads}` };
  })).filter(({ key }) => editor.flow.wires.get(key)?.to !== id);
  let lit = "";
  picker.open({
    at: beside(canvas, id), items, label: _("Which way out shall lead to %(step)s?", { step: editor.titleOf(id) }),
    placeholder: _("From which step?"),
    onActive: (item) => {
      if (lit) view.mark(lit, "target", false);
      lit = items.find(({ key }) => key === item?.key)?.id ?? "";
      if (lit) view.mark(lit, "target");
    },
    onPick: (picked) => {
      const { id: from, port } = /** @type {typeof items[number]} */ (picked);
      if (wire) begin(view, wire, from, port);
      else connect(view, from, port, id);
      editor.select([id]);
      editor.reveal(id);
    },
  });
}

/** @param {import("./editor.js").Editor} editor @param {string} id @param {string} name */
const portLabel = (editor, id, name) => editor.portsOf(id).find((one) => one.name === name)?.label || name;
