// Thin lines that show with what a dragged thing lines up.

import { svg } from "./wires.js";

export class Guides {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
    this.path = svg("path", "guide");
    view.wires.layer.host.append(this.path);
    this.shown = "";
  }

  /** @param {import("./snap.js").Line[]} lines */
  show(lines) {
    const path = lines.map(({ x, y, from, to }) => (
      x === undefined ? `M${from - 12} ${y}H${to + 12}` : `M${x} ${from - 12}V${to + 12}`
    )).join("");
    if (path !== this.shown) this.path.setAttribute("d", (this.shown = path));
  }
}
