// Wires by hand: draw from a port, take an end elsewhere, cut; what cannot be joined says why.

import { h, icon } from "../dom.js";
import { _ } from "../i18n.js";
import { wireKey } from "./model.js";
import { hitAt } from "./pointer.js";
import { pathOf, route } from "./route.js";
import { refusals } from "./rules.js";
import { svg } from "./wires.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./model.js").Wire} Wire
 * @typedef {import("./ops.js").Op} Op
 */

/** A wire's end this near to a card's inlet, in pixels, is meant for it. */
const SNAP = 24;

/** Why something cannot be joined. @param {import("./rules.js").Refusal} reason */
export const says = (reason) => ({
  itself: _("A step cannot lead to itself."),
  entry: _("Nothing leads into an entry: journeys begin there."),
  exit: _("This step leads nowhere: people end here."),
  loop: _("This would go round without rest: a loop needs a step that waits."),
})[reason];

/** @param {import("./editor.js").Editor} editor @param {import("./rules.js").Refusal} reason */
export const refuse = (editor, reason) => editor.emit("toast", { text: says(reason), kind: "bad" });

/** @param {View} view @param {import("./pointer.js").Pointer} pointer */
export function attachConnect(view, pointer) {
  const draft = svg("path", "draft");
  view.wires.layer.host.append(draft);
  const knobs = new Knobs(view);
  pointer.offer((hit) => {
    if (hit.kind === "port" && hit.key && hit.port) return connecting(view, draft, hit.key, hit.port);
    const wire = hit.kind === "end" && hit.key ? view.editor.flow.wires.get(hit.key) : null;
    if (wire && hit.element === knobs.start) return knobs.sources?.retaking(view, draft, wire) ?? null;
    return wire ? connecting(view, draft, wire.from, wire.port, wire) : null;
  }, { first: true });
  return knobs;
}

/**
 * @param {View} view @param {SVGElement} draft @param {string} from @param {string} port
 * @param {Wire} [moved] the wire whose end is being taken elsewhere
 * @returns {import("./pointer.js").Gesture}
 */
function connecting(view, draft, from, port, moved) {
  const { editor } = view;
  const refusal = refusals(editor, from);
  const old = editor.flow.wireAt(from, port);
  /** @type {string | null} */
  let target = null;
  /** @type {string[]} */
  let dimmed = [];

  const aim = (/** @type {string | null} */ under) => {
    const id = under === from ? null : under;
    if (id === target) return;
    if (target) for (const name of ["target", "refused-target"]) view.mark(target, name, false);
    target = id;
    if (!id) return;
    const reason = refusal(id);
    view.mark(id, reason ? "refused-target" : "target");
    const words = reason ? says(reason) : _("Connect to %(step)s", { step: editor.titleOf(id) });
    editor.emit("announce", { text: words });
  };
  const draw = (/** @type {Point} */ world) => {
    const end = target && !refusal(target) ? editor.inletOf(target) : world;
    const ports = editor.portsOf(from);
    const lane = ports.findIndex((one) => one.name === port);
    const trip = { start: editor.outletOf(from, port), end, lane, lanes: ports.length, source: editor.rectOf(from) };
    draft.setAttribute("d", pathOf(route(trip)));
  };
  const settle = () => {
    aim(null);
    for (const id of dimmed) view.mark(id, "refused", false);
    if (old) view.mark(wireKey(from, port), "lifted", false);
    view.root.classList.remove("connecting");
  };

  return {
    scrolls: true,
    begin: () => {
      view.root.classList.add("connecting");
      dimmed = [...view.cards.mounted.keys()].filter((id) => id !== from && refusal(id));
      for (const id of dimmed) view.mark(id, "refused");
      if (old) view.mark(wireKey(from, port), "lifted");
    },
    move: ({ client, world }) => {
      aim(targetAt(view, client, world, from));
      draw(world);
    },
    drop: ({ client, world }) => {
      const id = targetAt(view, client, world, from);
      // Let go where it began: nothing was meant.
      const reason = id && id !== from ? refusal(id) : null;
      settle();
      if (id && id !== from && !reason) connect(view, from, port, id);
      else if (reason) refuse(editor, reason);
      const open = !id && !moved && view.editor.listeners.get("quickadd")?.size;
      const release = () => draft.removeAttribute("d");
      if (open) editor.emit("quickadd", { from, port, point: world, client, release });
      else release();
    },
    cancel: () => {
      settle();
      draft.removeAttribute("d");
    },
    click: ({ world, client }) => {
      // Without dragging: an open port offers what may come next.
      if (!old) editor.emit("quickadd", { from, port, point: world, client, release: () => {} });
      else editor.select([wireKey(from, port)]);
    },
  };
}

/** The step a wire let go here would lead to. @param {View} view @param {Point} client @param {Point} world @param {string} from */
function targetAt(view, client, world, from) {
  const hit = hitAt(view, client);
  if (hit.key && hit.element?.closest(".card")) return hit.key === from && hit.kind === "port" ? null : hit.key;
  if (hit.kind === "step") return hit.key;
  const reach = SNAP / view.viewport.zoom;
  const area = { x: world.x - reach, y: world.y - reach, width: 2 * reach, height: 2 * reach };
  let [nearest, least] = [/** @type {string | null} */ (null), reach];
  for (const id of view.places.meeting(area)) {
    const inlet = view.editor.inletOf(id);
    const far = Math.hypot(inlet.x - world.x, inlet.y - world.y);
    if (far <= least && id !== from) [nearest, least] = [id, far];
  }
  return nearest;
}

/**
 * Joins a port to a step; what the port led to before, it leads to no more. One step of undo.
 * @param {View} view @param {string} from @param {string} port @param {string} to
 * @returns {boolean}
 */
export function connect({ editor }, from, port, to) {
  const old = editor.flow.wireAt(from, port);
  const reason = refusals(editor, from)(to);
  if (reason) refuse(editor, reason);
  if (reason || old?.to === to) return false;
  /** @type {Op[]} */
  const ops = old ? [{ op: "edge-", edge: old }] : [];
  ops.push({ op: "edge+", edge: old ? { ...old, to } : { from, port, to } });
  const done = editor.commit(_("Connect"), ops);
  if (done) editor.emit("announce", { text: _("%(from)s leads to %(to)s", { from: editor.titleOf(from), to: editor.titleOf(to) }) });
  return done;
}

/** Cuts wires. @param {View} view @param {Iterable<string>} keys */
export function cut({ editor }, keys) {
  /** @type {Op[]} */
  const ops = [];
  for (const key of keys) {
    const edge = editor.flow.wires.get(key);
    if (edge) ops.push({ op: "edge-", edge });
  }
  return editor.commit(_("Cut connection"), ops);
}

/** What a selected wire offers: its two ends to take elsewhere, and scissors. */
class Knobs {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.start = h("span", { class: "wire-end wire-start", hidden: true, title: _("Drag to where it shall begin") });
    this.end = h("span", { class: "wire-end", hidden: true, title: _("Drag to another step") });
    this.cutter = h("button", {
      type: "button", class: "wire-cut", hidden: true, tabindex: -1, title: _("Cut connection"), "aria-label": _("Cut connection"),
      onclick: () => this.key && cut(view, [this.key]),
    }, icon("x"));
    /** @type {string | null} */
    this.key = null;
    /** What takes a beginning elsewhere; it comes with the first wire that is selected. @type {typeof import("./sources.js") | null} */
    this.sources = null;
    view.world.append(this.end, this.start, this.cutter);
    for (const event of /** @type {const} */ (["selection", "change", "load", "facets", "move"])) view.editor.on(event, () => this.place());
  }

  place() {
    const { editor } = this.view;
    const [key] = editor.selection;
    const ends = editor.selection.size === 1 ? this.view.wires.endsOf(key) : null;
    this.key = ends ? key : null;
    this.end.hidden = this.cutter.hidden = !ends;
    this.start.hidden = !ends || !this.sources;
    if (!ends) return;
    if (!this.sources) import("./sources.js").then((sources) => {
      this.sources = sources;
      this.place();
    }, () => {});
    for (const [knob, { x, y }] of /** @type {const} */ ([[this.start, ends.start], [this.end, ends.end]])) {
      knob.dataset.key = key;
      knob.style.transform = `translate(${x}px,${y}px)`;
    }
    const middle = this.view.wires.middle(key);
    this.cutter.style.transform = `translate(${middle.x}px,${middle.y}px)`;
  }
}
