// Which elements stand in the page: those near the view, made for a few milliseconds a frame. Never says how one looks.

import { center, intersects as meets } from "./geometry.js";
import { groupKey, noteKey } from "./model.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./geometry.js").Rect} Rect
 */

/** Cards this far outside the view, in pixels, are in the page already. */
const MARGIN = 160;
/** The view may move this far before what is near it is looked for again. */
const SLACK = 72;
/** So many, and for so long, may be made within one frame: styling, laying out and painting a card takes thrice as long again. */
const BUDGET = { cards: 16, wires: 48, ms: 5 };
/** A zoom under way draws all it shows anew with each frame, and most of what could be made it will not stop at. */
const ZOOMING = {
  inwards: { cards: 4, wires: 16, ms: 3 }, outwards: { cards: 8, wires: 24, ms: 4 }, leaving: { cards: 0, wires: 0, ms: 0 },
};
/** A zoom is under way so long after its last step; outwards below this it is likely to end where there are no cards. */
const UNDER_WAY_MS = 100;
const LEAVING = 0.62;
/** When the view has rested so long, what is not near it is taken out of the page. */
const REST_MS = 240;

export class Mounting {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    /** Whether cards in view are still missing. */
    this.bare = false;
    this.zoom = 0;
    /** When the zoom last changed, and whether outwards. */
    this.zoomed = -Infinity;
    this.outwards = false;
    this.resting = 0;
  }

  /** @param {boolean} whole whether all of it is made at once, however long it takes */
  mount(whole) {
    const { view } = this;
    const { viewport, culled, editor } = view;
    const moved = !culled || culled.zoom !== viewport.zoom
      || Math.abs(culled.x - viewport.x) > SLACK || Math.abs(culled.y - viewport.y) > SLACK;
    if (!moved || !viewport.width) return;
    view.culled = { x: viewport.x, y: viewport.y, zoom: viewport.zoom };
    const area = viewport.visible(viewport, MARGIN);
    const focused = document.activeElement?.closest(".card, .sticky, .frame");
    const seen = viewport.visible();
    const budget = whole ? { cards: Infinity, wires: Infinity, ms: Infinity } : this.budget();
    const until = performance.now() + budget.ms;
    // A zoom under way has enough to do, and will want others.
    const ahead = budget === BUDGET || whole;
    const inView = (/** @type {string} */ key) => meets(/** @type {Rect} */ (view.places.rects.get(key)), seen);
    const cards = view.cards.show(this.cards(area, focused), { inView, most: budget.cards, until, ahead });
    const wires = cards.bare ? cards : view.wires.cull(area, seen, { most: budget.wires, until, ahead });
    this.bare = cards.bare || wires.bare;
    if (cards.left || wires.left) {
      view.culled = null;
      view.schedule({ moved: true });
    }
    view.notes.show(this.others(editor.flow.notes.keys(), noteKey, area, focused));
    view.frames.show(this.others(editor.flow.groups.keys(), groupKey, area, focused));
  }

  /** What may be made with this frame. */
  budget() {
    const { viewport, editor, far } = this.view;
    const now = performance.now();
    if (viewport.zoom !== this.zoom) Object.assign(this, { zoomed: now, outwards: viewport.zoom < this.zoom, zoom: viewport.zoom });
    if (now - this.zoomed > UNDER_WAY_MS) return BUDGET;
    if (!this.outwards) return ZOOMING.inwards;
    return viewport.zoom < LEAVING && editor.flow.steps.size > far.above ? ZOOMING.leaving : ZOOMING.outwards;
  }

  /** The cards that are to be there, from the middle of the view outwards. @param {Rect} area @param {Element | null | undefined} focused */
  cards(area, focused) {
    const { places, editor, root } = this.view;
    const middle = center(area);
    const far = (/** @type {string} */ id) => {
      const { x, y } = center(/** @type {Rect} */ (places.rects.get(id)));
      return Math.hypot(x - middle.x, y - middle.y);
    };
    const missing = (/** @type {string} */ id) => !this.view.cards.mounted.has(id);
    const found = [...places.meeting(area)];
    if (found.some(missing)) found.sort((one, other) => far(one) - far(other));
    const wanted = new Set(found);
    for (const key of editor.lifted.keys()) if (editor.flow.steps.has(key)) wanted.add(key);
    const id = focused instanceof HTMLElement && root.contains(focused) ? focused.dataset.id : null;
    if (id && editor.flow.steps.has(id)) wanted.add(id);
    return wanted;
  }

  /** Notes or frames near the view. @param {Iterable<string>} ids @param {(id: string) => string} keyOf @param {Rect} area
   * @param {Element | null | undefined} focused */
  others(ids, keyOf, area, focused) {
    const wanted = new Set();
    for (const id of ids) {
      const key = keyOf(id);
      const rect = this.view.editor.rectOfKey(key);
      const held = focused instanceof HTMLElement && focused.dataset.key === key;
      if (rect && (held || meets(rect, area))) wanted.add(key);
    }
    return wanted;
  }

  /** Tidies the page when the view has come to rest: nothing is taken away while it moves. */
  later() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      const { view } = this;
      view.detail();
      const layers = [view.cards, view.wires.layer, view.notes, view.frames];
      if (view.afar) {
        for (const layer of layers) layer.wanted = new Set();
        view.culled = null;
      }
      for (const layer of layers) layer.rest();
    }, REST_MS);
  }
}
