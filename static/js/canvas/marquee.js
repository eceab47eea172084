// A box drawn on open ground selects what it meets.

import { h } from "../dom.js";
import { between } from "./geometry.js";
import { adds } from "./select.js";

/** @param {import("./view.js").View} view @param {import("./pointer.js").Pointer} pointer */
export function attachMarquee(view, pointer) {
  const box = h("div", { class: "marquee", hidden: true });
  view.root.append(box);
  pointer.offer((hit, start) => {
    if (hit.kind !== "empty") return null;
    const { editor, viewport } = view;
    const before = adds(start.event) ? [...editor.selection] : [];
    const clear = () => { if (!adds(start.event)) editor.select([]); };
    // A finger on open ground pans.
    if (start.event.pointerType === "touch") return { move: () => {}, drop: () => {}, cancel: () => {}, click: clear };
    return {
      scrolls: true,
      begin: () => { box.hidden = false; },
      move: ({ world }) => {
        const area = between(start.world, world);
        const at = viewport.toScreen(area);
        box.style.transform = `translate(${at.x}px,${at.y}px)`;
        Object.assign(box.style, { width: `${area.width * viewport.zoom}px`, height: `${area.height * viewport.zoom}px` });
        editor.select([...before, ...view.keysIn(area)]);
      },
      drop: () => { box.hidden = true; },
      cancel: () => {
        box.hidden = true;
        editor.select(before);
      },
      click: () => {
        view.root.focus({ preventScroll: true, focusVisible: false });
        clear();
      },
    };
  });
}
