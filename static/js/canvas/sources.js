// The beginning of a wire taken to another way out; drawn backwards, from the step it leads to. What cannot be says why.

import { _ } from "../i18n.js";
import { refuse, says } from "./connect.js";
import { freePort } from "./insert.js";
import { wireKey } from "./model.js";
import { hitAt } from "./pointer.js";
import { pathOf, route } from "./route.js";
import { beginnings } from "./rules.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./model.js").Wire} Wire
 * @typedef {import("./ops.js").Op} Op
 * @typedef {{id: string, port: string | null}} Outlet `port` is null where a step has no way out
 */

/** @param {View} view @param {SVGElement} draft @param {Wire} wire @returns {import("./pointer.js").Gesture} */
export function retaking(view, draft, wire) {
  const { editor } = view;
  const refusal = beginnings(editor, wire.to);
  /** @type {Outlet | null} */
  let aimed = null;
  /** @type {string[]} */
  let dimmed = [];
  const why = (/** @type {Outlet} */ { id, port }) => refusal(id) ?? (port ? null : "exit");

  const aim = (/** @type {Outlet | null} */ next) => {
    if (next?.id === aimed?.id && next?.port === aimed?.port) return;
    if (aimed) for (const name of ["target", "refused-target"]) view.mark(aimed.id, name, false);
    aimed = next;
    if (!aimed) return;
    const reason = why(aimed);
    view.mark(aimed.id, reason ? "refused-target" : "target");
    editor.emit("announce", { text: reason ? says(reason) : _("Begin at %(step)s", { step: editor.titleOf(aimed.id) }) });
  };
  const draw = (/** @type {Point} */ world) => {
    const port = aimed && !why(aimed) ? aimed.port : null;
    const start = aimed && port ? editor.outletOf(aimed.id, port) : world;
    const source = aimed && port ? editor.rectOf(aimed.id) : undefined;
    draft.setAttribute("d", pathOf(route({ start, end: editor.inletOf(wire.to), lane: 0, lanes: 1, source })));
  };
  const settle = () => {
    aim(null);
    for (const id of dimmed) view.mark(id, "refused", false);
    view.mark(wireKey(wire.from, wire.port), "lifted", false);
    view.root.classList.remove("connecting");
    draft.removeAttribute("d");
  };

  return {
    scrolls: true,
    begin: () => {
      view.root.classList.add("connecting");
      dimmed = [...view.cards.mounted.keys()].filter((id) => id !== wire.from && refusal(id));
      for (const id of dimmed) view.mark(id, "refused");
      view.mark(wireKey(wire.from, wire.port), "lifted");
    },
    move: ({ client, world }) => {
      aim(outletAt(view, client, wire));
      draw(world);
    },
    drop: ({ client }) => {
      const outlet = outletAt(view, client, wire);
      settle();
      if (!outlet) return;
      const reason = why(outlet);
      if (reason) refuse(editor, reason);
      else begin(view, wire, outlet.id, /** @type {string} */ (outlet.port));
    },
    cancel: settle,
  };
}

/** The way out meant by a place: the row under it, else the first of the step that is open. @param {View} view
 * @param {Point} client @param {Wire} wire @returns {Outlet | null} */
function outletAt(view, client, wire) {
  const hit = hitAt(view, client);
  const card = hit.element?.closest(".card");
  const id = card instanceof HTMLElement ? card.dataset.id : hit.kind === "step" ? hit.key : null;
  if (!id) return null;
  const row = hit.element?.closest(".port[data-port]") ?? document.elementFromPoint(client.x, client.y)?.closest(".port[data-port]");
  const named = row instanceof HTMLElement ? row.dataset.port ?? null : null;
  if (named) return { id, port: named };
  const { editor } = view;
  if (id === wire.from) return { id, port: wire.port };
  return { id, port: freePort(editor, id) ?? editor.portsOf(id).find((one) => !one.gone)?.name ?? null };
}

/**
 * Lets a wire begin elsewhere; what that way out led to before, it leads to no more. One step of undo.
 * @param {View} view @param {Wire} wire @param {string} from @param {string} port @returns {boolean}
 */
export function begin({ editor }, wire, from, port) {
  if (wire.from === from && wire.port === port) return false;
  const there = editor.flow.wireAt(from, port);
  /** @type {Op[]} */
  const ops = [{ op: "edge-", edge: wire }];
  if (there) ops.push({ op: "edge-", edge: there });
  ops.push({ op: "edge+", edge: { ...wire, from, port } });
  const done = editor.commit(_("Move connection"), ops, { select: [wireKey(from, port)] });
  if (done) editor.emit("announce", { text: _("%(from)s leads to %(to)s", { from: editor.titleOf(from), to: editor.titleOf(wire.to) }) });
  return done;
}
